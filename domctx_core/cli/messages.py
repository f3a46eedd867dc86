"""Errors and findings as text: what is wrong, where (with the bytes around it), whose code reported it, what to try."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
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

__all__ = ["ExitStatus", "finding_text", "message_text", "report_error"]


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
        app, error, sys.stderr, path, Severity.ERROR, error.type_name,
        errno=None if isinstance(error, UsageError) else error.errno,
        notes=[("provider", error.provider), *(("note", n) for n in getattr(error, "__notes__", ()))],
        hint=error.hint,
    )  # fmt: skip
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
    path_of_formats = " > ".join(finding.container) if len(finding.container) > 1 else None
    return _text(
        app, finding, stream or sys.stdout, path, finding.severity, finding.name,
        errno=finding.errno, notes=[("in", path_of_formats)],
    )  # fmt: skip


def _text(
    app: App,
    shown: DomctxError | Finding,
    stream: Any,
    path: str | None,
    severity: Severity,
    name: str | None,
    *,
    errno: Errno | None,
    notes: list[tuple[str, Any]],
    hint: str | None = None,
) -> str:
    offset, color, where = shown.offset, _COLORS[severity], []
    if path is not None or offset is not None:
        at = "" if offset is None else f"offset {offset:#x} ({offset})"
        file = None if path is None else path_text(path)
        where.append(": ".join(part for part in (file, at) if part))
    if shown.record is not None:
        where.append(f"record {shown.record}")
    if name is not None or shown.type is not None:
        label = name or f"type {shown.type}"
        where.append(label if shown.instance is None else f"{label}[{shown.instance}]")
    if shown.field:
        where.append(f"field {shown.field}")
    rows: list[str] = []
    if path is not None and offset is not None:
        rows = _bytes_around(app, stream, path, offset, color)
    facts: list[tuple[str, Any]] = [("expected", shown.expected), ("actual", shown.actual)]
    facts += [("errno", None if errno is None else f"{errno.name} ({int(errno)})"), *notes]
    facts.append(("help", hint))
    head = f"{severity}[{shown.rule}]" if shown.rule else str(severity)
    head = f"{app.style(head, stream, fg=color, bold=True)}: {shown.message}"
    return message_text(app, stream, head, ", ".join(where), facts, rows)


def message_text(
    app: App,
    stream: Any,
    head: str,
    where: str,
    facts: Iterable[tuple[str, Any]],
    rows: Iterable[str] = (),
) -> str:
    """Lay a message out: a head, its place, rows of bytes, and those facts that are not None."""
    arrow, bar = (app.style(mark, stream, fg="blue", bold=True) for mark in ("-->", "="))
    lines = [head, *([f"  {arrow} {where}"] if where else ()), *rows]
    return "\n".join(
        lines + [f"   {bar} {name}: {fact}" for name, fact in facts if fact is not None]
    )


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
