"""`domctx explain`."""

from __future__ import annotations

import click

from domctx_core.cli.app import App
from domctx_core.errors import UsageError
from domctx_core.rules import CORE_RULES, Rule
from domctx_core.spelling import did_you_mean

__all__ = ["command"]


@click.command(name="explain", short_help="What a finding means and what to do about it.")
@click.argument("rule", required=False)
@click.pass_obj
def command(app: App, rule: str | None) -> None:
    """What RULE means, what to do about it, and an example; without RULE, a list of all rules."""
    rules = dict(CORE_RULES)
    if rule not in rules:
        for check in app.host.checks():
            rules |= {own.id: own for own in check.rules}
    if rule is None:
        width = max(map(len, rules))
        for each in rules.values():
            app.out(f"{app.style(each.id.ljust(width), bold=True)}  {each.summary}")
        return
    if rule not in rules:
        raise UsageError(
            f"there is no rule {rule!r}",
            hint=did_you_mean(rule, rules) or "`domctx explain` lists all",
        )
    app.out(_page(app, rules[rule]))


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
