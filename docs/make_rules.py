"""Writes `reference/rules.md` from the rule catalogue: `python docs/make_rules.py`."""

from __future__ import annotations

from pathlib import Path

from domctx_core.rules import CORE_RULES, Rule

PAGE = Path(__file__).parent / "reference" / "rules.md"

_HEAD = """\
# Rules

For whoever reads a finding of `verify`. A rule's id never changes. An *error* is what a load
refuses, with that errno; a *warning* is odd and may still load; a *note* is worth knowing. A record
type may give its own errno or severity, and a finding says which. `domctx explain RULE` prints the
same text, for the rules of plugins too: their ids begin with the plugin's name and a slash.

This page is made by `python docs/make_rules.py` from `domctx_core/rules.py`.

"""


def render() -> str:
    """The whole page."""
    rows = [
        f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {_errno(rule)} | {rule.summary} |\n"
        for rule in CORE_RULES.values()
    ]
    table = "| rule | severity | errno | in one line |\n|---|---|---|---|\n" + "".join(rows)
    return _HEAD + table + "".join(map(_section, CORE_RULES.values()))


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
