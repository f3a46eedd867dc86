"""Set fields of bodies and of what precedes the records of a container."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from domctx_core.base.errors import Errno, ImageError, UsageError
from domctx_core.base.text import did_you_mean
from domctx_core.images.edit.change_log import ChangeLog
from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft
from domctx_core.images.edit.fields import find_in, refusal, set_value
from domctx_core.images.edit.operations import EditOperation, SetField, SetHeader
from domctx_core.images.edit.selection import Selection, either
from domctx_core.layout.body import Body
from domctx_core.reader.sources import Source

__all__ = ["FieldSetter"]


class FieldSetter:
    """Apply operations that set fields to the drafts of a selection."""

    def __init__(self, source: Source, selection: Selection, log: ChangeLog) -> None:
        self.source = source
        self.selection = selection
        self.log = log

    def set_all(self, operations: Iterable[EditOperation]) -> None:
        """Apply all operations that set a field."""
        seen: set[tuple[int, str]] = set()

        def once(what: object, operation: SetField | SetHeader) -> None:
            key = id(what), operation.field
            if key in seen and operation.value[:1] not in ("+", "-"):
                raise UsageError(f"`{operation.field}` of the same thing is set twice")
            seen.add(key)

        for operation in operations:
            if isinstance(operation, SetField):
                for item in self.selection.select_one(operation.records):
                    once(item, operation)
                    self.set_field(item, operation)
            elif isinstance(operation, SetHeader):
                draft = self.selection.container(operation.path)
                once(draft, operation)
                self.set_header(draft, operation)
        for draft in self.selection.drafts:
            if draft.headers:
                self.check_headers(draft)

    def set_field(self, item: RecordDraft, operation: SetField) -> None:
        """Set a field of the body of one record."""
        record = item.record
        cls, size = _settable(item)
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
            self.log.add(item, change, None if place is None else record.body_offset + place.offset)

    def set_header(self, draft: ContainerDraft, operation: SetHeader) -> None:
        """Set a field of what precedes the records of one container."""
        level, ranges = draft.level, draft.header_ranges()
        name = re.split(r"[.\[]", operation.field, maxsplit=1)[0]
        for number, (range, (_, body)) in enumerate(zip(ranges, level.prologue, strict=False)):
            if name not in type(body).__layout__.by_name:
                continue
            order = draft.header_order(self.source)
            original = bytes(self.source.at(range.offset, range.length))
            raw = draft.headers.get(number, original)
            new, change = set_value(type(body), raw, order, operation, None)
            if new != original:
                draft.headers[number] = new
            else:
                draft.headers.pop(number, None)
            if new != raw:
                place = find_in(type(body), original, order, operation.field, None)
                offset = None if place is None else range.offset + place.offset
                self.log.add_header(draft, number, change, offset)
            return
        known = [name for _, body in level.prologue for name in type(body).__layout__.stored]
        raise UsageError(
            f"the header of {level.format.name} has no field `{operation.field}`",
            expected=either(known) if ranges else "none: nothing stands before its records",
            hint=did_you_mean(name, known),
        )

    def check_headers(self, draft: ContainerDraft) -> None:
        """Check that what precedes the records still gives its own lengths.

        A length that follows from a value that was set is set too. Raises `ImageError` if the
        lengths do not agree.
        """
        level = draft.level
        bodies: list[Body] = []
        order = draft.header_order(self.source)
        for number, (range, (_, old)) in enumerate(
            zip(draft.header_ranges(), level.prologue, strict=False)
        ):
            raw = draft.header(number, self.source)
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
        """Return what sets the integer in `bodies` that makes the next body `length` bytes long.

        None if no integer does that, or the user has set it.
        """
        prologue = draft.level.format.prologue
        announced = prologue(bodies)
        given = self.log.header_fields(draft)
        for number, body in enumerate(bodies):
            for name in type(body).__layout__.stored:
                value = getattr(body, name)
                if type(value) is not int or announced is None or value != announced[1]:
                    continue
                changed = [*bodies]
                changed[number] = body.replace(**{name: length})
                if prologue(changed) == (announced[0], length) and name not in given:
                    return SetHeader(draft.level.path, name, str(length))
        return None


def _settable(item: RecordDraft) -> tuple[type[Body], int]:
    """Return the class of a record's body and how many bytes of it have fields that can be set."""
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
    return cls, size
