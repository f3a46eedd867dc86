"""Take records out of containers, put others in, and bring them into order."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from domctx_core.base.errors import Errno, ImageError, PluginError, UsageError
from domctx_core.images.edit.change_log import ChangeLog
from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft
from domctx_core.images.edit.operations import Drop, EditOperation, Insert, Keep, Order
from domctx_core.images.edit.outcome import EditChange
from domctx_core.images.edit.selection import Selection
from domctx_core.images.moves import moved_places
from domctx_core.reader.record import OpenContainer

__all__ = ["insert_records", "remove_records", "reorder_records"]


def remove_records(
    selection: Selection, log: ChangeLog, operations: Iterable[EditOperation]
) -> None:
    """Apply the `Drop` and `Keep` operations, which select among the records of the input."""
    dropped: dict[int, RecordDraft] = {}
    kept: dict[int, RecordDraft] = {}
    for operation in operations:
        if isinstance(operation, Drop):
            dropped |= {id(item): item for item in selection.select(operation.records)}
        elif isinstance(operation, Keep):
            kept |= {id(item): item for item in selection.select(operation.records)}
    both = [item for key, item in kept.items() if key in dropped]
    if both:
        raise UsageError(f"{both[0].label} is to be kept and to be dropped")
    holders = {id(h): h for item in kept.values() for h in item.container.holders()}
    for item in [*holders.values()]:
        if id(item) in dropped:
            raise UsageError(f"{item.label} is to be dropped, and holds what is to be kept")
    thinned = {id(item.container.level) for item in kept.values()}
    stay = kept.keys() | holders.keys()
    for draft in selection.drafts:
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
                    _drop(log, item)
            draft.items = [item for item in draft.items if id(item) not in gone]
            draft.rearranged = True


def _drop(log: ChangeLog, item: RecordDraft) -> None:
    inner = item.inner
    if item.body is not None or (inner is not None and inner.touched):
        raise UsageError(f"{item.label}, or what it holds, is to be set and to be dropped")
    log.add(item, EditChange("dropped", ()), item.record.offset)


def insert_records(selection: Selection, log: ChangeLog, operation: Insert) -> None:
    """Put the records of another image into the container of their format."""
    draft = _target(selection, operation)
    format = draft.level.format
    present = {(item.code, item.number): place for place, item in enumerate(draft.items)}
    ordinals: Counter[int] = Counter()
    new: list[RecordDraft] = []
    for node in operation.image.root.nodes:
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
        log.add(item, EditChange("replaced", ()), old.record.offset, old.record.index)
    _put(log, draft, new)
    draft.rearranged = True


def _target(selection: Selection, operation: Insert) -> ContainerDraft:
    """Return the container that takes another image's records; raise if they do not fit."""
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
    draft = selection.container((level.format.name,))
    if draft.level.framing != level.framing:
        raise ImageError(
            f"the records of {operation.name} are laid out in another way",
            errno=Errno.EINVAL,
            expected=_framing(draft.level),
            actual=_framing(level),
        )
    return draft


def _put(log: ChangeLog, draft: ContainerDraft, new: Sequence[RecordDraft]) -> None:
    """Put each record where its type and instance sort it, or after those of its type."""
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
        log.add(new[number], EditChange("inserted", ()), None, None)


def reorder_records(selection: Selection, log: ChangeLog, order: Order) -> None:
    """Sort the records of all containers."""
    drafts = selection.drafts
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
            rest = _by_dependencies(rest)
        new = [*first, *rest, *last]
        if new == items:
            continue
        before = {id(item): place for place, item in enumerate(items)}
        for place in sorted(moved_places(before[id(item)] for item in new)):
            item = new[place]
            if item.source is None:
                log.add(item, EditChange("moved", ()), item.record.offset)
        draft.items = new
        draft.rearranged = True


def _framing(level: OpenContainer) -> str:
    framing = level.framing
    return f"{level.format.name} version {framing.version}, {framing.byteorder}-endian"


def _by_dependencies(items: Sequence[RecordDraft]) -> list[RecordDraft]:
    """Return the records with each after those that its type names in `after`, and no other move."""
    needs = {item.code: _needs(item) for item in items}
    left = Counter(item.code for item in items)
    by_name = {item.record.name: item.code for item in items}
    waits = {
        code: {by_name[name] for name in names if name in by_name} for code, names in needs.items()
    }
    ready: list[int] = []
    held: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        if waits[item.code]:
            held.setdefault(item.code, []).append(place)
        else:
            ready.append(place)
    ordered: list[RecordDraft] = []
    while ready:
        item = items[heapq.heappop(ready)]
        ordered.append(item)
        left[item.code] -= 1
        if left[item.code]:
            continue
        for code in [code for code in held if item.code in waits[code]]:
            waits[code].discard(item.code)
            if not waits[code]:
                for place in held.pop(code):
                    heapq.heappush(ready, place)
    if held:
        names = sorted({items[places[0]].record.name or "" for places in held.values()})
        raise ImageError(
            f"{' and '.join(names)} are each to come after the other", errno=Errno.EINVAL
        )
    return ordered


def _needs(item: RecordDraft) -> tuple[str, ...]:
    try:
        entry = item.record.entry
        return () if entry is None else entry.record_type.after
    except PluginError:  # its dependencies are unknown, so it stays
        return ()
