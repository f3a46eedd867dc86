"""Connections and amounts as pictures: where each box, line and bar is drawn.

What is drawn comes from record types as data (`Link`, `Amount`); nothing here knows of a
particular one. Many links become one thick line with a number.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from domctx_core.model.visuals import Amount, Link
from domctx_core.report.bands import TIMES

__all__ = ["Bar", "Box", "Chart", "Chip", "Graph", "LinkCounter", "make_chart"]

MANY = 40
"""Links that are drawn one by one; more are drawn by kind and number."""

_ENDS = 12
"""Ends on either side of an aggregated graph; the rarest share one."""

_LISTED = 500
"""Links that are listed as a table beside the graph."""

WIDTH = 584.0
_LEFT, _CHIP, _CHIP_WIDTH, _RIGHT = 104.0, 144.0, 168.0, 396.0
_ROW = 40.0
_LINE = 20.0
_HEAD = 26.0
_SPACE = 12.0


@dataclass(frozen=True, slots=True)
class Box:
    """One end that links meet at; `lines` are the texts inside with their baselines."""

    x: float
    y: float
    width: float
    height: float
    title: str
    lines: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """One link, or many alike: two lines of text between the ends, and the lines to them."""

    y: float
    title: str
    detail: str
    path: str
    thickness: float
    full: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph of `count` links in three columns: sources, links, targets.

    `links` are those that are listed in words, `left_out` how many are not.
    """

    title: str
    count: int
    aggregated: bool
    height: float
    sources: tuple[Box, ...]
    chips: tuple[Chip, ...]
    targets: tuple[Box, ...]
    links: tuple[Link, ...]
    left_out: int
    width: float = WIDTH
    chip_x: float = _CHIP
    chip_width: float = _CHIP_WIDTH


class LinkCounter:
    """Counts any number of links, and keeps what a graph needs."""

    def __init__(self) -> None:
        self.links: list[Link] = []
        self.count = 0
        self.alike: Counter[tuple[str, str, str]] = Counter()

    def add(self, link: Link) -> None:
        """Count one link."""
        self.count += 1
        self.alike[link.source, link.kind, link.target] += 1
        if len(self.links) < _LISTED:
            self.links.append(link)

    def graph(self, title: str) -> Graph:
        """Return the graph of the links counted so far."""
        if self.count <= MANY:
            rows = [
                (link.source, link.target, link.here or link.kind, _detail(link), link.there, 1)
                for link in sorted(self.links, key=lambda link: _natural(link.source))
            ]
        else:
            rows = [
                (source, target, f"{count:,} {TIMES}", kind, "", count)
                for (source, kind, target), count in _few(self.alike)
            ]
        sources, chips, targets, height = _drawn(rows)
        return Graph(
            title, self.count, self.count > MANY, height, sources, chips, targets,
            tuple(self.links), self.count - len(self.links),
        )  # fmt: skip


def _detail(link: Link) -> str:
    kind = link.kind if link.here else ""
    return ", ".join(part for part in (kind, link.note) if part)


def _few(alike: Counter[tuple[str, str, str]]) -> list[tuple[tuple[str, str, str], int]]:
    """Merge counts to at most `_ENDS` sources and targets, and few lines in all."""
    sources: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for (source, _, target), count in alike.items():
        sources[source] += count
        targets[target] += count
    common = {name for name, _ in sources.most_common(_ENDS)}
    reached = {name for name, _ in targets.most_common(_ENDS)}
    merged: Counter[tuple[str, str, str]] = Counter()
    for (source, kind, target), count in alike.items():
        left = source if source in common else f"{len(sources) - len(common)} others"
        right = target if target in reached else f"{len(targets) - len(reached)} others"
        merged[left, kind, right] += count
    if len(merged) > MANY:  # who is notified matters less than by what
        everyone: Counter[tuple[str, str, str]] = Counter()
        for (_, kind, target), count in merged.items():
            everyone[f"{len(sources)} sources", kind, target] += count
        merged = everyone
    if len(merged) > MANY:
        rest = merged.most_common()[MANY - 1 :]
        merged = Counter(dict(merged.most_common(MANY - 1)))
        merged[rest[0][0][0], "other kinds", "other ends"] += sum(count for _, count in rest)
    return sorted(merged.items(), key=lambda item: (_natural(item[0][0]), -item[1]))


def _natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Return a key that sorts `vCPU 10` after `vCPU 9`."""
    return tuple(
        (word.isdecimal(), int(word) if word.isascii() and word.isdecimal() else 0, word)
        for word in text.split(" ")
    )


def _drawn(
    rows: list[tuple[str, str, str, str, str, int]],
) -> tuple[tuple[Box, ...], tuple[Chip, ...], tuple[Box, ...], float]:
    """Lay out boxes and lines; `rows` are source, target, title, detail, name at the target and count."""
    tops: list[float] = []
    spans: dict[str, list[int]] = {}
    at, previous = 0.0, None
    for number, row in enumerate(rows):
        if previous is not None and row[0] != previous:
            at += _SPACE
        tops.append(at)
        at += _ROW
        previous = row[0]
        spans.setdefault(row[0], []).append(number)
    left_height = at
    members: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        members.setdefault(row[1], []).append(number)
    order = sorted(members, key=lambda name: sum(members[name]) / len(members[name]))
    right_height = sum(_box_height(len(members[name])) + _SPACE for name in order) - _SPACE
    height = max(left_height, right_height)
    left_start, right_at = (height - left_height) / 2, (height - right_height) / 2
    sources = []
    for name, numbers in spans.items():
        top = left_start + tops[numbers[0]] + 2
        bottom = left_start + tops[numbers[-1]] + _ROW - 6
        sources.append(Box(0, top, _LEFT, bottom - top, name, ()))
    targets, ends = [], {}
    for name in order:
        lines = []
        for place, number in enumerate(members[name]):
            y = right_at + _HEAD + _LINE * place + _LINE / 2
            ends[number] = y
            lines.append((y + 4, rows[number][4]))
        size = _box_height(len(members[name]))
        targets.append(Box(_RIGHT, right_at, WIDTH - _RIGHT, size, name, tuple(lines)))
        right_at += size + _SPACE
    chips = []
    for number, (source, target, title, detail, there, count) in enumerate(rows):
        y = left_start + tops[number] + 2
        middle, end = y + (_ROW - 8) / 2, ends[number]
        start = _CHIP + _CHIP_WIDTH
        bend = (start + _RIGHT) / 2
        path = (
            f"M{_LEFT:.0f} {middle:.1f}H{_CHIP:.0f}M{start:.0f} {middle:.1f}"
            f"C{bend:.0f} {middle:.1f} {bend:.0f} {end:.1f} {_RIGHT:.0f} {end:.1f}"
        )
        full = ", ".join(part for part in (title, detail) if part)
        words = f"{source}, {full}, to {target}{f' {there}' if there else ''}"
        chips.append(Chip(y, title, detail, path, 1.5 + 1.5 * math.log10(count), words))
    return tuple(sources), tuple(chips), tuple(targets), height


def _box_height(lines: int) -> float:
    return _HEAD + _LINE * lines + 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount; `width` is in per cent of the longest."""

    label: str
    count: int
    size: int
    share: float
    width: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Amounts of one unit, the largest first."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    count: int
    size: int


def make_chart(title: str, amounts: Iterable[Amount]) -> list[Chart]:
    """Return a chart for each unit; amounts with the same label are added up."""
    units: dict[str, dict[str, tuple[int, int]]] = {}
    for amount in amounts:
        rows = units.setdefault(amount.unit, {})
        count, size = rows.get(amount.label, (0, 0))
        rows[amount.label] = count + amount.count, size + amount.size
    charts = []
    for unit, rows in units.items():
        total = sum(count for count, _ in rows.values())
        most = max(count for count, _ in rows.values()) or 1
        bars = tuple(
            Bar(label, count, size, 100 * count / total if total else 0.0, 100 * count / most)
            for label, (count, size) in sorted(rows.items(), key=lambda row: -row[1][0])
        )
        charts.append(Chart(title, unit, bars, total, sum(size for _, size in rows.values())))
    return charts
