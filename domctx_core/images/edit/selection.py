"""Select the records and containers of an image that a user means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from domctx_core.base.errors import Errno, ImageError, UsageError
from domctx_core.base.text import did_you_mean, ranges_of, ranges_text
from domctx_core.images.edit.drafts import ContainerDraft, RecordDraft
from domctx_core.images.edit.operations import ALL, Selector
from domctx_core.images.tree import ContainerNode, Image
from domctx_core.model.formats import Formats
from domctx_core.model.registry import Registry
from domctx_core.reader.record import OpenContainer

__all__ = ["Selection", "either"]


class Selection:
    """A draft of a whole image, in which records and containers are selected.

    `drafts` are all containers, `root` is the outermost. What an edit does to the drafts later
    changes nothing about what is selected.
    """

    def __init__(self, image: Image, formats: Formats) -> None:
        self._formats = formats
        self._numbers: Counter[tuple[int, int]] = Counter()
        #: Records by the path of formats and type code.
        self._groups: dict[tuple[tuple[str, ...], int], list[RecordDraft]] = {}
        self.drafts: list[ContainerDraft] = []
        self.root = self._draft(image.root, None, None)

    def _draft(
        self, node: ContainerNode, holder: RecordDraft | None, outer: ContainerDraft | None
    ) -> ContainerDraft:
        draft = ContainerDraft(node, holder, outer)
        self.drafts.append(draft)
        level = node.level
        for child in node.nodes:
            record = child.record
            number = record.instance
            if number is None:
                number = self._numbers[id(level), record.type]
                self._numbers[id(level), record.type] += 1
            item = RecordDraft(child, draft, number)
            draft.items.append(item)
            self._groups.setdefault((level.path, record.type), []).append(item)
            if child.content is not None:
                item.inner = self._draft(child.content, item, draft)
        if node.follows is not None:
            draft.follows = self._draft(node.follows, None, draft)
        return draft

    def select(self, selector: Selector) -> list[RecordDraft]:
        """Return the records of the input that a selector means: at least one, all of one type."""
        groups = self._matching(selector)
        if len(groups) > 1:
            raise UsageError(
                f"{selector} is in more than one format",
                expected=" or ".join(str(replace(selector, path=path[-1:])) for path, _ in groups),
            )
        (group,) = groups.values()
        items = group
        if selector.index is not None:
            items = [item for item in items if item.record.index == selector.index]
        if selector.numbers is not None:
            ranges = selector.numbers
            items = [item for item in items if any(a <= item.number <= b for a, b in ranges)]
        if not items:
            raise ImageError(
                f"the image has no {selector}",
                errno=Errno.ENOENT,
                expected=which(group),
            )
        return items

    def select_one(self, selector: Selector) -> list[RecordDraft]:
        """Return what `select` does; raise if a selector for one record fits several."""
        items = self.select(selector)
        if len(items) == 1 or not selector.one:
            return items
        if selector.numbers is None:
            choices = [replace(selector, numbers=((item.number,) * 2,)) for item in items]
            more = f", or {replace(selector, numbers=(ALL,))} for all of them"
        else:
            choices = [replace(selector, index=item.record.index) for item in items]
            more = ""
        shown = ", ".join(map(str, choices[:4])) + (", ..." if len(choices) > 4 else "")
        raise UsageError(f"{selector} means {len(items)} records", expected=shown + more)

    def _matching(self, selector: Selector) -> dict[tuple[tuple[str, ...], int], list[RecordDraft]]:
        """Return the groups of records whose path and type fit; raise if there are none."""
        size = len(selector.path)
        levels = [draft.level for draft in self.drafts]
        levels = [
            level for level in levels if level.path[len(level.path) - size :] == selector.path
        ]
        if not levels:
            raise self._no_container(selector.path)
        paths = {level.path for level in levels}
        groups = {
            (path, code): items
            for (path, code), items in self._groups.items()
            if path in paths and selector.type in (code, (items[0].record.name or "").upper())
        }
        if groups:
            return groups
        names = sorted({entry.name for registry in self._registries(levels) for entry in registry})
        if isinstance(selector.type, int) or selector.type in (name.upper() for name in names):
            raise ImageError(
                f"the image has no {selector}",
                errno=Errno.ENOENT,
                hint="`domctx show` lists what it has",
            )
        raise UsageError(
            f"no record type of {either({level.format.name for level in levels})} is called"
            f" {selector.type!s:.80}",
            hint=did_you_mean(selector.type, names) or "see `domctx types`",
        )

    def container(self, path: tuple[str, ...]) -> ContainerDraft:
        """Return the container that a path means."""
        by_level = {
            id(draft.level): draft
            for draft in self.drafts
            if draft.level.path[len(draft.level.path) - len(path) :] == path
            and not draft.node.resumed
        }
        if not by_level:
            raise self._no_container(path)
        drafts = list(by_level.values())
        if len(drafts) > 1:
            raise ImageError(
                f"the image has {len(drafts)} containers {'/'.join(path)}, and none is told apart",
                expected="one",
                actual=len(drafts),
            )
        return drafts[0]

    def _registries(self, levels: Iterable[OpenContainer]) -> list[Registry]:
        return [self._formats.registry(name) for name in sorted({lv.format.name for lv in levels})]

    def _no_container(self, path: tuple[str, ...]) -> UsageError:
        known = sorted({draft.level.format.name for draft in self.drafts})
        return UsageError(
            f"the image has no {'/'.join(path)}",
            expected=either(known),
            hint=did_you_mean(path[-1], known),
        )


def which(items: Sequence[RecordDraft]) -> str:
    """Describe which records of a type there are."""
    name = items[0].record.name or f"{items[0].code:#x}"
    ranges = ranges_of(sorted({item.number for item in items}))
    return f"{name}[{ranges_text(ranges, most=8, separator=',')}]"


def either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "none"
