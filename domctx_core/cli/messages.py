"""Errors and findings as text: what is wrong, where (with the bytes around it), whose code reported it, what to try."""

from __future__ import annotations

import os
import stat
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

from domctx_core.base.errors import (
    DomctxError,
    Errno,
    InputOutputError,
    PluginError,
    UsageError,
    describe,
)
from domctx_core.base.io import path_text
from domctx_core.base.problems import Finding, Severity

if TYPE_CHECKING:
    from domctx_core.cli.app import App

__all__ = ["ExitStatus", "finding_text", "report_error"]


class ExitStatus(IntEnum):
    """The exit statuses of `domctx`; with several inputs the gravest of 1, 3, 4, 5 wins."""

    FINE = 0
    FINDINGS = 1
    USAGE = 2
    INPUT_OUTPUT = 3
    PLUGIN = 4
    BUG = 5
    INTERRUPTED = 130


_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def report_error(app: App, error: Exception, path: str | None = None) -> ExitStatus:
    """Print an error on standard error; return its exit status."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return ExitStatus.USAGE
    if isinstance(error, click.ClickException):
        click.echo(_click_text(app, error), err=True)
        return ExitStatus.USAGE
    if not isinstance(error, DomctxError):
        return _bug(app, error)
    text = _text(
        app,
        sys.stderr,
        severity=Severity.ERROR,
        rule=error.rule,
        message=error.message,
        path=path,
        offset=error.offset,
        record=error.record,
        type=error.type,
        name=error.type_name,
        instance=error.instance,
        field=error.field,
        errno=None if isinstance(error, UsageError) else error.errno,
        expected=error.expected,
        actual=error.actual,
        notes=[("provider", error.provider), *(("note", n) for n in _notes(error))],
        hint=error.hint,
    )
    click.echo(text, err=True, color=app.colored(sys.stderr))
    if app.verbose:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, UsageError):
        return ExitStatus.USAGE
    if isinstance(error, InputOutputError):
        return ExitStatus.INPUT_OUTPUT
    return ExitStatus.PLUGIN if isinstance(error, PluginError) else ExitStatus.FINDINGS


def finding_text(app: App, finding: Finding, path: str | None, stream: Any = None) -> str:
    """Return a finding as text for `stream` (standard output by default).

    The bytes around it are read from `path`, if given.
    """
    return _text(
        app,
        stream or sys.stdout,
        severity=finding.severity,
        rule=finding.rule,
        message=finding.message,
        path=path,
        offset=finding.offset,
        record=finding.record,
        type=finding.type,
        name=finding.name,
        instance=finding.instance,
        field=finding.field,
        errno=finding.errno,
        expected=finding.expected,
        actual=finding.actual,
        notes=[("in", " > ".join(finding.container) if len(finding.container) > 1 else None)],
        hint=None,
    )


def _notes(error: DomctxError) -> list[str]:
    return list(getattr(error, "__notes__", ()))


def _text(
    app: App,
    stream: Any,
    *,
    severity: Severity,
    rule: str | None,
    message: str,
    path: str | None,
    offset: int | None,
    record: int | None,
    type: int | None,
    name: str | None,
    instance: int | None,
    field: str | None,
    errno: Errno | None,
    expected: Any,
    actual: Any,
    notes: list[tuple[str, Any]],
    hint: str | None,
) -> str:
    color = _COLORS[severity]
    head = f"{severity}[{rule}]" if rule else str(severity)
    lines = [app.style(head, stream, fg=color, bold=True) + f": {message}"]
    where = []
    if path is not None or offset is not None:
        at = "" if offset is None else f"offset {offset:#x} ({offset})"
        file = None if path is None else path_text(path)
        where.append(": ".join(part for part in (file, at) if part))
    if record is not None:
        where.append(f"record {record}")
    if name is not None or type is not None:
        label = name or f"type {type}"
        where.append(label if instance is None else f"{label}[{instance}]")
    if field:
        where.append(f"field {field}")
    if where:
        lines.append("  " + app.style("-->", stream, fg="blue", bold=True) + f" {', '.join(where)}")
    if path is not None and offset is not None:
        lines += _bytes_around(app, stream, path, offset, color)
    facts: list[tuple[str, Any]] = [("expected", expected), ("actual", actual)]
    facts += [("errno", None if errno is None else f"{errno.name} ({int(errno)})"), *notes]
    facts.append(("help", hint))
    for label, fact in facts:
        if fact is not None:
            lines.append("   " + app.style("=", stream, fg="blue", bold=True) + f" {label}: {fact}")
    return "\n".join(lines)


def _bytes_around(app: App, stream: Any, path: str, offset: int, color: str) -> list[str]:
    """Return two rows of hex that end with the byte at `offset`, marked; none if they cannot be read."""
    start = max(0, offset // 16 * 16 - 16)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return []  # a pipe is read once, and opening it again would wait for another writer
        with open(path, "rb") as file:
            file.seek(start)
            raw = file.read(offset // 16 * 16 + 16 - start)
    except OSError:
        return []
    bar = app.style("|", stream, fg="blue", bold=True)
    lines = [f"           {bar}"]
    for row in range(0, len(raw), 16):
        cells = raw[row : row + 16].hex(" ")
        lines.append(f"{start + row:#010x} {bar} {cells}")
    column = (offset - start) % 16
    if (offset - start) // 16 * 16 >= len(raw) and not column:
        lines.append(f"{offset:#010x} {bar} {app.style('(end)', stream, dim=True)}")
    mark = app.style("^^", stream, fg=color, bold=True)
    lines.append(f"           {bar} {'   ' * column}{mark}")
    return lines


def _click_text(app: App, error: click.ClickException) -> str:
    head = app.style("error", sys.stderr, fg="red", bold=True)
    text = f"{head}: {error.format_message()}"
    context = getattr(error, "ctx", None)
    if context is not None:
        text += f"\n   = help: see `{context.command_path} --help`"
    return text


def _bug(app: App, error: Exception) -> ExitStatus:
    head = app.style("bug in domctx", sys.stderr, fg="red", bold=True)
    click.echo(f"{head}: {describe(error)}", err=True)
    if app.verbose:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
    else:
        click.echo("   = help: this is ours, not your input's; `domctx -v` shows where", err=True)
    return ExitStatus.BUG
