"""`domctx verify`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click

from domctx_core.base.errors import DomctxError, InputOutputError, UsageError, io_error
from domctx_core.base.io import whole_file
from domctx_core.base.problems import Finding, Severity
from domctx_core.base.xen_version import XenVersion
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name, open_input
from domctx_core.cli.messages import finding_text, report_error
from domctx_core.cli.options import cap_option, target_option
from domctx_core.cli.outputs import refuse_overwriting
from domctx_core.cli.progress import progress
from domctx_core.reader.copying import TeeSource
from domctx_core.reader.sources import Source
from domctx_core.verification.verdict import Verdict, judge

__all__ = ["command"]


@click.command(name="verify", short_help="Everything that is wrong with images.")
@click.argument(
    "images", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete_files
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document for all images.")
@click.option(
    "--tee",
    is_flag=True,
    help="Pass standard input (IMAGE is -) on to standard output, every byte at once and unchanged;"
    " findings go to standard error.",
)
@click.option(
    "--report",
    "report_to",
    metavar="FILE",
    help="Write the findings to FILE, whole or not at all.",
)
@target_option
@cap_option()
@click.pass_obj
def command(
    app: App,
    images: tuple[str, ...],
    as_json: bool,
    tee: bool,
    report_to: str | None,
    target: XenVersion | None,
    cap: int,
) -> None:
    """Everything that is wrong with each IMAGE, with rule, errno and offset.

    An image is valid when no finding is an error, that is when a load would not refuse it.
    """
    if tee and images != ("-",):
        raise UsageError(
            "--tee passes standard input on, and nothing else",
            expected="domctx verify --tee -",
            hint="a file comes in as `domctx verify --tee - < FILE`",
        )
    if images.count("-") > 1:
        raise UsageError(
            "standard input is named more than once, and can be read once only",
            expected="one - among the images",
            actual=f"{images.count('-')} of them",
        )
    refuse_overwriting(report_to, *images, hint="name another file with --report")
    with _output(app, report_to, tee=tee) as output:
        documents = []
        for path in images:
            findings: list[Finding] = []

            def tell(
                finding: Finding, path: str = path, findings: list[Finding] = findings
            ) -> None:
                findings.append(finding)
                if not as_json:
                    again = None if path == "-" else path
                    output.line(finding_text(app, finding, again, output.stream) + "\n")

            try:
                reading = f"reading {input_name(path)}"
                with (
                    _open(app, path, tee) as source,
                    app.watch("verify", path) as watch,
                    progress(app, reading, source),
                ):
                    verdict = judge(
                        source, app.host, receiver=target, cap=cap, watch=watch, tell=tell
                    )
            except DomctxError as error:
                again = None if isinstance(error, InputOutputError) or path == "-" else path
                app.raise_status(report_error(app, error, again))
                app.raise_status(
                    int(any(finding.severity is Severity.ERROR for finding in findings))
                )
                documents.append(_unread(path, error, findings))
                continue
            app.raise_status(4 if verdict.needs_plugin else int(not verdict.valid))
            if as_json:
                documents.append(_to_json(path, verdict))
            else:
                output.line(_summary(app, path, verdict, output.stream))
        if as_json:
            output.line(json.dumps({"schema": "domctx.verify/1", "images": documents}, indent=2))


class _Output:
    """Where the findings are written; `stream` decides about colours."""

    def __init__(self, stream: Any, line: Callable[[str], None]) -> None:
        self.stream = stream
        self.line = line


@contextmanager
def _output(app: App, report_to: str | None, *, tee: bool) -> Iterator[_Output]:
    """Open the file of `--report`, else standard output, or standard error with `--tee`."""
    if report_to is None:
        stream: TextIO | None = sys.stderr if tee else sys.stdout
        if stream is None and not tee:
            raise InputOutputError("standard output is closed")
        color = app.colored(stream)

        def line(text: str) -> None:
            if stream is None:  # click would take standard output, and that is the stream's
                return
            if app.live is not None and app.terminal(stream):
                app.live()
            click.echo(text, file=stream, color=color)

        try:
            yield _Output(stream, line)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise io_error("write the answer", error) from error
        return
    with whole_file(report_to) as file:
        yield _Output(_NO_TERMINAL, lambda text: _write(file, text))


_NO_TERMINAL = object()


def _write(file: Any, text: str) -> None:
    file.write(click.unstyle(text).encode("utf-8", "surrogateescape") + b"\n")


@contextmanager
def _open(app: App, path: str, tee: bool) -> Iterator[Source]:
    """Open the image; with `tee`, pass all of it on whatever happens."""
    if not tee:
        with open_input(app, path) as source:
            yield source
        return
    output = app.standard_output()
    passing = TeeSource(app.standard_input(), getattr(output, "raw", output))
    try:
        yield passing
    except InputOutputError:
        raise
    except Exception:  # what we cannot judge is still somebody's migration
        passing.end()
        raise


def _to_json(path: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "path": path,
        "format": verdict.format,
        "valid": verdict.valid,
        "findings": [finding.to_json() for finding in verdict.findings],
    }


def _unread(path: str, error: DomctxError, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "path": path,
        "format": None,
        "valid": False,
        "findings": [finding.to_json() for finding in findings],
        "error": error.message,
    }


def _summary(app: App, path: str, verdict: Verdict, stream: Any) -> str:
    """Return one line: the input, whether it is valid, its format, and the number of findings."""
    word = (
        app.style("valid", stream, fg="green", bold=True)
        if verdict.valid
        else app.style("not valid", stream, fg="red", bold=True)
    )
    return f"{input_name(path)}: {word} {verdict.format}{_count(verdict.findings)}"


def _count(findings: Iterable[Finding]) -> str:
    counts = []
    for severity in Severity:
        number = sum(finding.severity is severity for finding in findings)
        if number:
            counts.append(f"{number} {severity}{'s' * (number > 1)}")
    return f" ({', '.join(counts)})" if counts else ""
