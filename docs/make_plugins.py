"""Writes `reference/plugins.md` from the plugins of this checkout: `python docs/make_plugins.py`."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

from make_rules import PLUGINS, rules_of_plugins

PAGE = Path(__file__).parent / "reference" / "plugins.md"

_HEAD = """\
# The plugins

For whoever wants to know what is read, and by what. The core has the domain context with START and END, and
`sim:`; all else comes with plugins, of which these ship with domctx. `domctx plugins list` says which of them are
installed, `domctx types` lists all record types with their codes.

| plugin | formats | record types | scheme | verb | rules |
|---|---|---|---|---|---|
"""

_FOOT = """
Below are their own `README.md`. This page is made by `python docs/make_plugins.py`.
"""


def render() -> str:
    """The whole page."""
    names = [path.name for path in sorted(PLUGINS.glob("domctx-plugin-*"))]
    return _HEAD + "".join(map(_row, names)) + _FOOT + "".join(map(_section, names))


def _row(name: str) -> str:
    project = tomllib.loads((PLUGINS / name / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]
    cells = [
        f"[{name.removeprefix('domctx-plugin-')}](#{name})",
        ", ".join(f"`{each}`" for each in points.get("domctx.formats", ())),
        _types(points.get("domctx.record_types", ())),
        ", ".join(f"`{each}:`" for each in points.get("domctx.domains", ())),
        ", ".join(f"`{each}`" for each in points.get("domctx.commands", ())),
        _rules(name),
    ]
    return f"| {' | '.join(cells)} |\n"


def _types(points: list[str]) -> str:
    """Those of the domain context by name and code, of others only how many there are."""
    own = [point.split(".") for point in points if "/" not in point]
    others = Counter(point.split("/")[0] for point in points if "/" in point)
    named = [f"{type} ({int(code, 0)})" for code, type in own]
    return ", ".join(named + [f"{count} of `{format}`" for format, count in others.items()])


def _rules(name: str) -> str:
    """A link to the first of the plugin's rules."""
    rules = rules_of_plugins().get(name)
    if rules is None:
        return ""
    prefix, _, rest = rules[0].id.partition("/")
    return f"[`{prefix}/`](rules.md#{prefix}{rest})"


def _section(name: str) -> str:
    return f"""
## {name}

```{{include}} ../../plugins/{name}/README.md
:start-line: 1
:heading-offset: 1
```
"""


if __name__ == "__main__":
    PAGE.write_text(render())
