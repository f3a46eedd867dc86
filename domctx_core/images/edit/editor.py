"""The editor: operations applied to an image, one kind after the other."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from domctx_core.base.errors import Errno, ImageError, UsageError
from domctx_core.base.text import did_you_mean
from domctx_core.images.edit.assembler import Assembler
from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft
from domctx_core.images.edit.fields import find_in, refusal, set_value
from domctx_core.images.edit.operations import (
    Drop,
    EditOperation,
    Insert,
    Keep,
    Order,
    Reorder,
    SetField,
    SetHeader,
)
from domctx_core.images.edit.order import by_dependencies, moved
from domctx_core.images.edit.outcome import Edit, EditChange
from domctx_core.images.edit.selection import Selection, either
from domctx_core.images.tree import Image
from domctx_core.layout.body import Body
from domctx_core.layout.field_path import Part, Place
from domctx_core.model.format import HEAD_SIZE
from domctx_core.model.formats import Formats
from domctx_core.reader.events import Level

__all__ = ["edit_image"]


def edit_image(image: Image, operations: Iterable[EditOperation], formats: Formats) -> Edit:
    """Apply operations to an image.

    Whatever order they come in: fields are set first, then records are dropped and kept, then
    records of other images go in, and last comes the order. What is set, dropped and kept is
    selected among the records of `image`.

    Raises `UsageError` for a type or field that does not exist, a value that a field cannot hold,
    a selection that could mean several, and operations that contradict each other; `ImageError`
    for what this image has not got or does not allow; `PluginError` where a plugin that is needed
    cannot be used. The outcome is not judged: see `verify` and `Edit.outcome`.
    """
    return _Editor(image, formats).run(tuple(operations))


@dataclass(slots=True)
class _Told:
    """A change whose place in the outcome is not known yet."""

    change: EditChange
    where: RecordDraft | ContainerDraft | None
    header: int = 0


class _Editor:
    """One edit that is being made."""

    def __init__(self, image: Image, formats: Formats) -> None:
        self.source = image.source
        self.selection = Selection(image, formats)
        self.told: list[_Told] = []

    def run(self, operations: tuple[EditOperation, ...]) -> Edit:
        sets = [each for each in operations if isinstance(each, (SetField, SetHeader))]
        self.set_all(sets)
        self.remove(operations)
        for each in operations:
            if isinstance(each, Insert):
                self.insert(each)
        for each in operations:
            if isinstance(each, Reorder):
                self.reorder(each.order)
        assembler = Assembler(self.source)
        assembler.container(self.selection.root)
        changes = tuple(self.placed(each) for each in self.told)
        return Edit(self.source, tuple(assembler.chunks), assembler.size, changes)

    def set_all(self, sets: Sequence[SetField | SetHeader]) -> None:
        seen: set[tuple[int, str]] = set()

        def once(what: object, operation: SetField | SetHeader) -> None:
            key = id(what), operation.field
            if key in seen and operation.value[:1] not in ("+", "-"):
                raise UsageError(f"`{operation.field}` of the same thing is set twice")
            seen.add(key)

        for each in sets:
            if isinstance(each, SetField):
                for item in self.selection.select_one(each.records):
                    once(item, each)
                    self.set_field(item, each)
            else:
                draft = self.selection.container(each.path)
                once(draft, each)
                self.set_header(draft, each)
        for draft in self.selection.drafts:
            if draft.headers:
                self.check_headers(draft)

    def set_field(self, item: RecordDraft, operation: SetField) -> None:
        record = item.record
        cls = record.body_class
        if cls is None:
            raise refusal(item, f"no plugin knows {item.label}, so it has no fields to be set")
        if item.inner is not None and not item.node.inline:
            inner = item.inner.level.format
            raise refusal(
                item,
                f"the body of {item.label} is a {inner.title or inner.name}",
                hint=f"set fields of its records, such as {inner.name}/TYPE.field=value",
            )
        if record.bulk and not record.head:
            raise refusal(item, f"{item.label} has no fields that are held")
        size = min(record.head, record.length) if record.bulk else record.length
        if size > record.cap:
            raise refusal(
                item,
                f"{item.label} is longer than what is held in memory",
                errno=Errno.E2BIG,
                rule="length-over-cap",
                expected=f"at most {record.cap} bytes",
                actual=f"{size} bytes",
                hint="a larger --cap allows it",
            )
        original = bytes(record.raw(size))
        raw = original if item.body is None else item.body
        order = record.level.framing.byteorder
        new, change = set_value(cls, raw, order, operation, item)
        if record.bulk and len(new) != size:
            raise refusal(
                item,
                f"the head of {item.label} cannot change its size: the pages after it stay",
                expected=f"{size} bytes",
                actual=f"{len(new)} bytes",
            )
        item.body = None if new == original else new
        if new != raw:
            place = find_in(cls, original, order, operation.field, item)
            self.tell(item, change, None if place is None else record.body_offset + place.offset)

    def set_header(self, draft: ContainerDraft, operation: SetHeader) -> None:
        level, ranges = draft.level, draft.header_ranges()
        name = re.split(r"[.\[]", operation.field, maxsplit=1)[0]
        for number, (range, (_, body)) in enumerate(zip(ranges, level.prologue, strict=False)):
            if name not in type(body).__layout__.by_name:
                continue
            order = level.format.byteorder(self.head(level))
            original = bytes(self.source.at(range.offset, range.length))
            raw = draft.headers.get(number, original)
            new, change = set_value(type(body), raw, order, operation, None)
            if new != original:
                draft.headers[number] = new
            else:
                draft.headers.pop(number, None)
            if new != raw:
                place = find_in(type(body), original, order, operation.field, None)
                at = None if place is None else range.offset + place.offset
                self.told.append(
                    _Told(replace(change, container=level.path, offset=at), draft, number)
                )
            return
        known = [name for _, body in level.prologue for name in type(body).__layout__.stored]
        raise UsageError(
            f"the header of {level.format.name} has no field `{operation.field}`",
            expected=either(known) if ranges else "none: nothing stands before its records",
            hint=did_you_mean(name, known),
        )

    def head(self, level: Level) -> bytes:
        size = HEAD_SIZE if level.bound is None else min(HEAD_SIZE, level.bound - level.offset)
        return bytes(self.source.at(level.offset, size))

    def check_headers(self, draft: ContainerDraft) -> None:
        """What stands before the records must still say how long it is itself.

        A length that follows from a value that was set is set too.
        """
        level = draft.level
        bodies: list[Body] = []
        order = level.format.byteorder(self.head(level))
        for number, (range, (_, old)) in enumerate(
            zip(draft.header_ranges(), level.prologue, strict=False)
        ):
            raw = draft.headers.get(number, bytes(self.source.at(range.offset, range.length)))
            step = level.format.prologue(bodies)
            if step is None or step != (type(old), len(raw)):
                follows = None if step is None else self.length_field(draft, bodies, len(raw))
                if follows is not None:
                    self.set_header(draft, follows)
                    self.check_headers(draft)
                    return
                raise ImageError(
                    f"the header of {level.format.name} would not agree with itself",
                    errno=Errno.EINVAL,
                    offset=range.offset,
                    expected=f"{type(old).__name__} of"
                    f" {'no' if step is None else step[1]} bytes, as the fields before it say",
                    actual=f"{len(raw)} bytes",
                )
            body = type(old).inspect(raw, order).body
            if body is None:
                return
            bodies.append(body)

    def length_field(
        self, draft: ContainerDraft, bodies: Sequence[Body], length: int
    ) -> SetHeader | None:
        """Set the integer in `bodies` so that the next one is `length` bytes long.

        None where no integer is that, or it was set by the user.
        """
        prologue = draft.level.format.prologue
        announced = prologue(bodies)
        for number, body in enumerate(bodies):
            for name in type(body).__layout__.stored:
                value = getattr(body, name)
                if type(value) is not int or announced is None or value != announced[1]:
                    continue
                changed = [*bodies]
                changed[number] = body.replace(**{name: length})
                if prologue(changed) == (announced[0], length):
                    given = {told.change.field for told in self.told if told.where is draft}
                    if name not in given:
                        return SetHeader(draft.level.path, name, str(length))
        return None

    def remove(self, operations: Iterable[EditOperation]) -> None:
        dropped: dict[int, RecordDraft] = {}
        kept: dict[int, RecordDraft] = {}
        for each in operations:
            if isinstance(each, Drop):
                dropped |= {id(item): item for item in self.selection.select(each.records)}
            elif isinstance(each, Keep):
                kept |= {id(item): item for item in self.selection.select(each.records)}
        both = [item for key, item in kept.items() if key in dropped]
        if both:
            raise UsageError(f"{both[0].label} is to be kept and to be dropped")
        holders = {id(h): h for item in kept.values() for h in item.container.holders()}
        for item in [*holders.values()]:
            if id(item) in dropped:
                raise UsageError(f"{item.label} is to be dropped, and holds what is to be kept")
        thinned = {id(item.container.level) for item in kept.values()}
        stay = kept.keys() | holders.keys()
        for draft in self.selection.drafts:
            format = draft.level.format
            gone = {
                id(item)
                for item in draft.items
                if id(item) in dropped
                or (
                    id(draft.level) in thinned
                    and id(item) not in stay
                    and item.code not in (format.first, format.last)
                )
            }
            if gone:
                for item in draft.items:
                    if id(item) in gone:
                        self.drop(item)
                draft.items = [item for item in draft.items if id(item) not in gone]
                draft.rearranged = True

    def drop(self, item: RecordDraft) -> None:
        inner = item.inner
        if item.body is not None or (inner is not None and inner.touched):
            raise UsageError(f"{item.label}, or what it holds, is to be set and to be dropped")
        self.tell(item, EditChange("dropped", ()), item.record.offset)

    def insert(self, operation: Insert) -> None:
        root = operation.image.root
        level = root.level
        if not root.recognised or root.unframed is not None or level.format.header is None:
            raise ImageError(
                f"{operation.name} gives no records to insert",
                errno=Errno.EINVAL,
                expected="a whole image of a format that has records",
                actual="no known format" if not root.recognised else level.format.name,
                hint="records are taken from what FILE itself is, and not from what it holds"
                if root.recognised and level.format.header is None
                else f"`domctx verify {operation.name}` says more",
            )
        draft = self.selection.container((level.format.name,))
        if draft.level.framing != level.framing:
            raise ImageError(
                f"the records of {operation.name} are laid out in another way",
                errno=Errno.EINVAL,
                expected=_framing(draft.level),
                actual=_framing(level),
            )
        format = level.format
        present = {(item.code, item.number): place for place, item in enumerate(draft.items)}
        ordinals: Counter[int] = Counter()
        new: list[RecordDraft] = []
        for node in root.nodes:
            record = node.record
            if record.type in (format.first, format.last):
                continue
            number = record.instance
            if number is None:
                number = ordinals[record.type]
                ordinals[record.type] += 1
            item = RecordDraft(node, draft, number, operation.image.source)
            place = present.get((record.type, number))
            if place is None or (record.instance is None and not operation.replaces):
                new.append(item)
                if record.instance is not None:
                    present[record.type, number] = -1
                continue
            if not operation.replaces or place < 0:
                raise ImageError(
                    f"{item.label} of {operation.name} is there already",
                    errno=Errno.EEXIST,
                    record=record.index,
                    type=record.type,
                    type_name=record.name,
                    instance=record.instance,
                    hint="--replace lets it take the other's place",
                )
            old = draft.items[place]
            if old.touched:
                raise UsageError(f"{old.label}, or what it holds, is to be set and to be replaced")
            draft.items[place] = item
            self.tell(item, EditChange("replaced", ()), old.record.offset, old.record.index)
        self.put(draft, new)
        draft.rearranged = True

    def put(self, draft: ContainerDraft, new: Sequence[RecordDraft]) -> None:
        """Put records in at their place by type and instance, or behind those of their type."""
        format = draft.level.format
        items = draft.items
        end = len(items)
        while end and items[end - 1].code == format.last:
            end -= 1
        floor = int(bool(items) and items[0].code == format.first)
        places: list[int]
        if format.ascending:
            highest = list(accumulate(((i.code, i.number) for i in items[:end]), max))
            places = [max(floor, bisect_right(highest, (i.code, i.number))) for i in new]
            order = sorted(range(len(new)), key=lambda n: (places[n], new[n].code, new[n].number))
        else:
            behind = {item.code: place + 1 for place, item in enumerate(items[:end])}
            places = [behind.get(item.code, end) for item in new]
            order = sorted(range(len(new)), key=lambda n: places[n])
        merged: list[RecordDraft] = []
        done = 0
        for number in order:
            merged += items[done : places[number]]
            merged.append(new[number])
            done = max(done, places[number])
        draft.items = merged + items[done:]
        for number in order:
            self.tell(new[number], EditChange("inserted", ()), None, None)

    def reorder(self, order: Order) -> None:
        drafts = self.selection.drafts
        if order == "ascending":
            drafts = [draft for draft in drafts if draft.level.format.ascending]
            if not drafts:
                raise ImageError(
                    "the image has no container whose records ascend",
                    errno=Errno.EINVAL,
                    hint="--reorder dependencies is for any format",
                )
        for draft in drafts:
            format, items = draft.level.format, draft.items
            first = [item for item in items if item.code == format.first]
            last = [item for item in items if item.code == format.last]
            rest = [item for item in items if item.code not in (format.first, format.last)]
            if order == "ascending":
                rest.sort(key=lambda item: (item.code, item.number))
            else:
                rest = by_dependencies(rest)
            new = [*first, *rest, *last]
            if new == items:
                continue
            before = {id(item): place for place, item in enumerate(items)}
            for item in moved(new, before):
                if item.source is None:
                    self.tell(item, EditChange("moved", ()), item.record.offset)
            draft.items = new
            draft.rearranged = True

    def tell(
        self, item: RecordDraft, change: EditChange, offset: int | None, index: int | None = -1
    ) -> None:
        record = item.record
        change = replace(
            change,
            container=item.container.level.path,
            type=record.type,
            name=record.name,
            instance=record.instance,
            record=record.index if index == -1 else index,
            offset=offset,
        )
        self.told.append(_Told(change, item))

    def placed(self, told: _Told) -> EditChange:
        """A change with its place in the outcome."""
        change, where = told.change, told.where
        if change.action == "dropped" or where is None or where.at is None:
            return change
        if change.field is None:
            return replace(change, new_offset=where.at)
        place: Place | Part | None
        if isinstance(where, ContainerDraft):
            ranges, at = where.header_ranges(), where.at
            for number, range in enumerate(ranges[: told.header]):
                at += len(where.headers.get(number, b"")) or range.length
            range, level = ranges[told.header], where.level
            raw = where.headers.get(told.header)
            if raw is None:
                raw = bytes(self.source.at(range.offset, range.length))
            cls = type(level.prologue[told.header][1])
            order = level.format.byteorder(self.head(level))
            place = find_in(cls, raw, order, change.field, None)
        else:
            record = where.record
            at = where.at + record.header_size
            raw = bytes(record.raw()) if where.body is None else where.body
            assert record.body_class is not None
            order = record.level.framing.byteorder
            place = find_in(record.body_class, raw, order, change.field, where)
        return replace(change, new_offset=None if place is None else at + place.offset)


def _framing(level: Level) -> str:
    framing = level.framing
    return f"{level.format.name} version {framing.version}, {framing.byteorder}-endian"
