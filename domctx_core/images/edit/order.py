"""Sort records by what they depend on."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence

from domctx_core.base.errors import Errno, ImageError, PluginError
from domctx_core.images.edit.drafts import RecordDraft

__all__ = ["by_dependencies"]


def by_dependencies(items: Sequence[RecordDraft]) -> list[RecordDraft]:
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
