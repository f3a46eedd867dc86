"""Writes `reference/rules.md` from the rules of core and plugins: `python docs/make_rules.py`."""

from __future__ import annotations

from pathlib import Path

from domctx_core import Host, Rule
from domctx_core.base.rules import CORE_RULES

PLUGINS = Path(__file__).parent.parent / "plugins"
PAGE = Path(__file__).parent / "reference" / "rules.md"

_HEAD = """\
# Rules

For whoever reads a finding of `verify`. A rule's id never changes. An *error* is what a load
refuses, with that errno; a *warning* is odd and may still load; a *note* is worth knowing. A record
type may give its own errno or severity, and a finding says which.

Behind the rules of the core come those of [the plugins that ship](plugins.md), whose ids begin with the plugin's
name and a slash. `domctx explain RULE` prints the same text, and that of any other plugin's rules.

This page is made by `python docs/make_rules.py` from what core and plugins declare.

"""


def render() -> str:
    """The whole page."""
    rules = [*CORE_RULES.values(), *(rule for own in rules_of_plugins().values() for rule in own)]
    rows = [
        f"| [`{rule.id}`](#{rule.id.replace('/', '')}) | {rule.severity} | {_errno(rule)}"
        f" | {rule.summary} |\n"
        for rule in rules
    ]
    table = "| rule | severity | errno | in one line |\n|---|---|---|---|\n" + "".join(rows)
    return _HEAD + table + "".join(map(_section, rules))


def rules_of_plugins() -> dict[str, list[Rule]]:
    """The rules of each plugin in this checkout that has any, by its name."""
    host = Host()
    host.checks()
    found = {path.name: {} for path in sorted(PLUGINS.glob("domctx-plugin-*"))}
    for plugin in host.plugins:
        if plugin.entry_point.dist in found:
            for check in host.checks_of(plugin):
                found[plugin.entry_point.dist] |= {rule.id: rule for rule in check.rules}
    return {name: list(rules.values()) for name, rules in found.items() if rules}


def _errno(rule: Rule) -> str:
    return "none" if rule.errno is None else f"{rule.errno.name} ({int(rule.errno)})"


def _section(rule: Rule) -> str:
    return (
        f"\n## {rule.id}\n\n{rule.summary[0].upper()}{rule.summary[1:]}."
        f" Severity {rule.severity}, errno {_errno(rule)}.\n\n{rule.meaning}\n\n"
        f"* What to do: {rule.advice}\n* Example: {rule.example}\n"
    )


if __name__ == "__main__":
    PAGE.write_text(render())
