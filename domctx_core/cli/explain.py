"""`domctx explain`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import click

from domctx_core.base.errors import Errno, UsageError
from domctx_core.base.problems import Rule
from domctx_core.base.rules import CORE_RULES
from domctx_core.base.text import did_you_mean
from domctx_core.cli.app import App

__all__ = ["command"]


@click.command(
    name="explain",
    short_help="What a finding means and what to do about it.",
    context_settings={"ignore_unknown_options": True},  # -22 is an errno
)
@click.argument("rule", required=False, metavar="[RULE|ERRNO]")
@click.pass_obj
def command(app: App, rule: str | None) -> None:
    """What RULE means, what to do about it, and an example.

    With an errno, such as 22, -22 or EINVAL, a list of the rules that a load refuses with it;
    with nothing, of all rules.
    """
    rules = dict(CORE_RULES)
    if rule not in rules:
        for check in app.host.checks():
            rules |= {own.id: own for own in check.rules}
    if rule is None:
        _list(app, rules.values())
    elif rule in rules:
        app.out(_page(app, rules[rule]))
    else:
        _list(app, _of_errno(rule, rules))


def _of_errno(text: str, rules: Mapping[str, Rule]) -> list[Rule]:
    """Return the rules of an errno, given by name or number; raise `UsageError` for any other text."""
    name = text.removeprefix("-").upper()
    known = {each.name: each for each in Errno} | {str(int(each)): each for each in Errno}
    if name not in known:
        raise UsageError(
            f"there is no rule {text!r}",
            hint=did_you_mean(text, rules) or "`domctx explain` lists all",
        )
    errno = known[name]
    matching = [rule for rule in rules.values() if rule.errno is errno]
    if not matching:
        raise UsageError(
            f"no rule has errno {int(errno)} ({errno.name}): it comes from a domain or a file",
            hint="`domctx explain` lists all rules",
        )
    return matching


def _list(app: App, rules: Collection[Rule]) -> None:
    width = max(len(rule.id) for rule in rules)
    for each in rules:
        app.out(f"{app.style(each.id.ljust(width), bold=True)}  {each.summary}")


def _page(app: App, rule: Rule) -> str:
    errno = "none" if rule.errno is None else f"{rule.errno.name} ({int(rule.errno)})"
    paragraphs = [
        f"{app.style(rule.id, bold=True)}: {rule.summary}",
        f"severity: {rule.severity}    errno: {errno}",
        rule.meaning,
        f"What to do: {rule.advice}",
        f"Example: {rule.example}",
    ]
    return "\n\n".join(click.wrap_text(text, 80) for text in paragraphs)
