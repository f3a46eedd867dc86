"""Draws the rooms of domctx_core from its imports: `python docs/make_rooms.py`.

`images/rooms.svg` has the rooms on their floors, and the arrows that no other arrows imply;
`images/rooms-imports.svg` has every arrow, as a table. Both are drawn from what tests/architecture.py
measures, by hand-written SVG: a program that lays out graphs would be one more to install.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
IMAGES = Path(__file__).parent / "images"
sys.path.insert(0, str(ROOT / "tests"))

from architecture import FACE, House, imports_in  # noqa: E402

PLUGINS = "plugins"
LEFT_OUT = ("_version", "__main__")

#: The rooms of each floor from left to right, so that few arrows cross.
ROWS = (
    ("base",),
    ("layout",),
    ("model",),
    ("reader", "host"),
    ("verification", "engine"),
    ("document", "images", "authoring"),
    ("report",),
    ("cli", FACE),
    ("testing", PLUGINS),
)

WIDTH, MARGIN = 920, 24
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 276, 82, 22, 40
PITCH = BOX_HEIGHT + GAP_Y

_STYLE = """\
:root { --page: #ffffff; --box: #eef3f8; --edge: #8aa0b5; --bar: #9db8d2; --text: #1a2733;
  --soft: #55677a; --arrow: #46627d; --outside: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181d; --box: #202a35; --edge: #5d7287; --bar: #46627d; --text: #e8edf2;
    --soft: #a3b3c2; --arrow: #9db8d2; --outside: #14181d; } }
text { font-family: system-ui, "DejaVu Sans", sans-serif; fill: var(--text); font-size: 12.5px; }
.page { fill: var(--page); }
.box { fill: var(--box); stroke: var(--edge); }
.outside { fill: var(--outside); stroke: var(--edge); stroke-dasharray: 5 4; }
.floor { fill: none; stroke: var(--edge); stroke-width: 0.6; opacity: 0.5; }
.bar { fill: var(--bar); }
.name { font-weight: 600; font-size: 15.5px; }
.soft { fill: var(--soft); }
.arrow { fill: none; stroke: var(--arrow); stroke-width: 1.6; }
.far { stroke-width: 1; stroke-dasharray: 2 3; opacity: 0.75; }
.head, .dot { fill: var(--arrow); }
.grid { stroke: var(--edge); stroke-width: 0.4; }
.none { fill: var(--box); }
"""


_HEAD = """\
<marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="8" markerHeight="8"
  markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0,0.5 L8,4 L0,7.5 z"/></marker>
"""


class Room(NamedTuple):
    """What the picture writes into a room."""

    modules: int
    lines: int
    purpose: str


class Place(NamedTuple):
    """Where a room is drawn: its left and right edge, and its top."""

    left: float
    right: float
    top: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def rooms(house: House, lines: Mapping[str, int] | None = None) -> dict[str, Room]:
    """Return the rooms of the house, and the plugins; `lines` replaces what is counted."""
    found = {}
    for name in house.rooms:
        own = [module for module in house.modules.values() if module.room == name]
        init = house.modules.get("domctx_core" if name == FACE else f"domctx_core.{name}")
        docstring = ast.get_docstring(init.tree) if init else None
        purpose = (docstring or "").split("\n\n")[0].replace("`", "").rstrip(".")
        found[name] = Room(len(own), sum(module.lines for module in own), purpose)
    paths = _plugins(house)
    size = sum(path.read_text().count("\n") for path in paths)
    count = len({path.relative_to(house.root).parts[1] for path in paths})
    found[PLUGINS] = Room(len(paths), size, f"{count} distributions of their own, outside the core")
    return {
        name: room._replace(lines=(lines or {}).get(name, room.lines))
        for name, room in found.items()
    }


def _plugins(house: House) -> list[Path]:
    return sorted((house.root / "plugins").glob("*/src/**/*.py"))


def arrows(house: House) -> dict[tuple[str, str], int]:
    """Return the arrows between rooms, and from the plugins, with the number of imports behind each."""
    found = {pair: len(imports) for pair, imports in house.arrows.items()}
    known = house.modules
    for path in _plugins(house):
        for each in imports_in(ast.parse(path.read_text()), path.stem, package=False, known=known):
            if each.target in known:
                pair = PLUGINS, known[each.target].room
                found[pair] = found.get(pair, 0) + 1
    return {pair: count for pair, count in found.items() if not {*pair} & {*LEFT_OUT}}


def necessary(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the arrows that no other arrows imply (the transitive reduction)."""
    graph: dict[str, set[str]] = {}
    for source, target in pairs:
        graph.setdefault(source, set()).add(target)

    def reached(room: str, without: str) -> set[str]:
        seen: set[str] = set()
        left = [target for target in graph.get(room, ()) if target != without]
        while left:
            at = left.pop()
            if at not in seen:
                seen.add(at)
                left += graph.get(at, ())
        return seen

    return [pair for pair in pairs if pair[1] not in reached(*pair)]


# ------------------------------------------------------------------------------------- the floors


def places() -> dict[str, Place]:
    """Return where each room is drawn; the ground is the lowest row."""
    found = {}
    for floor, row in enumerate(ROWS):
        top = MARGIN + (len(ROWS) - 1 - floor) * PITCH
        left = (WIDTH - len(row) * BOX_WIDTH - (len(row) - 1) * GAP_X) / 2
        for room in row:
            found[room] = Place(left, left + BOX_WIDTH, top)
            left += BOX_WIDTH + GAP_X
    return found


def picture(house: House, lines: Mapping[str, int] | None = None) -> str:
    """Return the picture of the rooms on their floors."""
    shown, at = rooms(house, lines), places()
    height = 2 * MARGIN + len(ROWS) * PITCH - GAP_Y + 30
    body = [
        f'<path class="floor" d="M12,{at[row[0]].top + BOX_HEIGHT + 10:g} h{WIDTH - 24}"/>'
        for row in ROWS
    ]
    body += _paths(necessary(list(arrows(house))), at)
    largest = max(room.lines for name, room in shown.items() if name != PLUGINS)
    for name, place in at.items():
        body += _box(name, shown[name], place, min(1, shown[name].lines / largest))
    body.append(f'<text class="soft" x="14" y="{height - 14:g}">{_LEGEND}</text>')
    title = "The rooms of domctx_core on their floors, and the imports between them"
    return _svg(height, title, body)


_LEGEND = (
    "An arrow is an import; dotted, it passes floors by. Arrows that others imply are left out."
    " Bars compare lines."
)


def _box(name: str, room: Room, place: Place, share: float) -> Iterator[str]:
    kind = "outside" if name == PLUGINS else "box"
    left, top = place.left + 12, place.top
    yield (
        f'<rect class="{kind}" x="{place.left:g}" y="{top:g}" width="{BOX_WIDTH}"'
        f' height="{BOX_HEIGHT}" rx="6"/>'
    )
    yield f'<text class="name" x="{left:g}" y="{top + 22:g}">{_title(name)}</text>'
    modules = f"{room.modules} module{'s' * (room.modules != 1)}"
    yield (
        f'<text class="soft" x="{place.right - 12:g}" y="{top + 22:g}" text-anchor="end">'
        f"{modules}, {room.lines:,} lines</text>"
    )
    for number, line in enumerate(wrap(room.purpose, 38)[:2]):
        yield f'<text x="{left:g}" y="{top + 42 + 16 * number:g}">{escape(line)}</text>'
    if name != PLUGINS:
        width = round(share * (BOX_WIDTH - 24))
        yield f'<rect class="bar" x="{left:g}" y="{top + 70:g}" width="{width}" height="4" rx="2"/>'


def _title(room: str) -> str:
    return "the face" if room == FACE else room


def _paths(pairs: list[tuple[str, str]], at: Mapping[str, Place]) -> Iterator[str]:
    """Yield the arrows: each leaves below its room and ends above the other, beside its neighbours."""
    starts = _ports(pairs, at, end=0)
    ends = _ports(pairs, at, end=1)
    floors = {room: floor for floor, row in enumerate(ROWS) for room in row}
    lanes: list[float] = []
    for pair in sorted(pairs, key=lambda pair: floors[pair[1]] - floors[pair[0]]):
        source, target = pair
        x, y = starts[pair], at[source].top + BOX_HEIGHT
        to_x, to_y = ends[pair], at[target].top - 2
        rows = ROWS[floors[target] + 1 : floors[source]]
        if rows:
            lane = _lane(x, to_x, [[at[room] for room in row] for row in rows], lanes)
            lanes.append(lane)
            upper, lower = y + GAP_Y, to_y + 2 - GAP_Y
            path = f"M{x:g},{y:g} {_curve(x, y, lane, upper)} L{lane:g},{lower:g} "
            path += _curve(lane, lower, to_x, to_y)
        else:
            path = f"M{x:g},{y:g} L{to_x:g},{to_y:g}"
        kind = "arrow far" if rows else "arrow"
        yield f'<path class="{kind}" d="{path}" marker-end="url(#head)"><title>{source} imports {target}</title></path>'


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (y + to_y) / 2
    return f"C{x:g},{middle:g} {to_x:g},{middle:g} {to_x:g},{to_y:g}"


def _ports(
    pairs: list[tuple[str, str]], at: Mapping[str, Place], *, end: int
) -> dict[tuple[str, str], float]:
    """Return where on the edge of a room each arrow begins or ends, in the order of its other end."""
    found = {}
    for room, place in at.items():
        own = sorted((p for p in pairs if p[end] == room), key=lambda p: at[p[1 - end]].middle)
        for number, pair in enumerate(own, 1):
            found[pair] = place.left + BOX_WIDTH * number / (len(own) + 1)
    return found


def _lane(x: float, to_x: float, rows: list[list[Place]], used: list[float]) -> float:
    """Return where an arrow can pass these rows beside rooms and other arrows, with the least detour."""
    outside = [MARGIN / 2, WIDTH - MARGIN / 2]
    edges = {place.left - GAP_X / 2 for row in rows for place in row}
    edges |= {place.right + GAP_X / 2 for row in rows for place in row}
    free = [
        lane
        for edge in sorted({x, to_x, *outside, *edges})
        for lane in (edge, edge - 6, edge + 6)
        if all(lane < p.left - 4 or lane > p.right + 4 for row in rows for p in row)
        and all(abs(lane - other) > 5 for other in used)
    ]
    return min(free, key=lambda lane: abs(lane - x) + abs(lane - to_x))


# -------------------------------------------------------------------------------------- the table

CELL, LABEL = 40, 110


def matrix(house: House) -> str:
    """Return every arrow as a table: the rooms of a row import those of its dots."""
    found = arrows(house)
    names = [room for row in reversed(ROWS) for room in row]
    left, top = (WIDTH - len(names) * CELL + LABEL) / 2, LABEL
    body = []
    for row, source in enumerate(names):
        y = top + row * CELL
        body.append(
            f'<text x="{left - 10:g}" y="{y + CELL / 2 + 4:g}" text-anchor="end">{source}</text>'
        )
        x = left + (row + 0.5) * CELL
        body.append(
            f'<text x="{x:g}" y="{top - 10}" transform="rotate(-45 {x:g} {top - 10})">{source}</text>'
        )
        for column, target in enumerate(names):
            x = left + column * CELL
            kind = "none" if column == row else "page"
            body.append(
                f'<rect class="grid {kind}" x="{x:g}" y="{y:g}" width="{CELL}" height="{CELL}"/>'
            )
            count = found.get((source, target), 0)
            if count:
                size = 4 if count < 4 else 8 if count < 16 else 13
                body.append(
                    f'<circle class="dot" cx="{x + CELL / 2:g}" cy="{y + CELL / 2:g}" r="{size}">'
                    f"<title>{source} imports {target}</title></circle>"
                )
    return _svg(top + len(names) * CELL + MARGIN, "Which room imports which", body)


def _svg(height: float, title: str, body: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}"'
        f' width="{WIDTH}" height="{height:g}" role="img">\n<title>{title}</title>\n'
        f"<style>\n{_STYLE}</style>\n{_HEAD}"
        f'<rect class="page" width="{WIDTH}" height="{height:g}" rx="8"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def lines_shown(svg: str) -> dict[str, int]:
    """Return the lines of each room that a picture shows."""
    found = re.findall(
        r'class="name"[^>]*>([^<]*)</text>\n<text class="soft"[^>]*>\d+ modules?, ([\d,]+) lines',
        svg,
    )
    return {
        next(room for row in ROWS for room in row if _title(room) == title): int(
            lines.replace(",", "")
        )
        for title, lines in found
    }


if __name__ == "__main__":
    (IMAGES / "rooms.svg").write_text(picture(House()))
    (IMAGES / "rooms-imports.svg").write_text(matrix(House()))
