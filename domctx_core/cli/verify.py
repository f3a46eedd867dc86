"""`domctx verify`."""

from __future__ import annotations

import json
from typing import Any

import click

from domctx_core.cli.app import App
from domctx_core.cli.inputs import open_input, parse_size
from domctx_core.cli.report import finding_text, report
from domctx_core.domains import XenVersion
from domctx_core.errors import DomctxError, InputOutputError
from domctx_core.ops import DEFAULT_CAP
from domctx_core.rules import Severity
from domctx_core.verifier import Verdict, verify

__all__ = ["command"]


@click.command(name="verify", short_help="Everything that is wrong with images.")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document for all images.")
@click.option(
    "--target-xen",
    "target",
    type=XenVersion.parse,
    metavar="MAJOR.MINOR",
    help="The Xen that is to load the image.",
)
@click.option(
    "--cap",
    type=parse_size,
    default=str(DEFAULT_CAP),
    metavar="SIZE",
    help="Largest body to hold in memory.",
)
@click.pass_obj
def command(
    app: App, images: tuple[str, ...], as_json: bool, target: XenVersion | None, cap: int
) -> None:
    """Everything that is wrong with each IMAGE, with rule, errno and offset.

    An image is valid when no finding is an error, that is when a load would not refuse it.
    """
    documents = []
    for path in images:
        try:
            with open_input(app, path) as source, app.watch("verify", path) as watch:
                checks = app.host.checks()
                verdict = verify(
                    source, app.host.formats, checks=checks, receiver=target, cap=cap, watch=watch
                )
        except InputOutputError as error:
            app.worst(report(app, error))
            documents.append(_unread(path, error))
            continue
        except DomctxError as error:
            app.worst(report(app, error, None if path == "-" else path))
            documents.append(_unread(path, error))
            continue
        app.worst(4 if verdict.needs_plugin else int(not verdict.valid))
        if as_json:
            documents.append(_to_json(path, verdict))
        else:
            _print(app, path, verdict)
    if as_json:
        app.out(json.dumps({"schema": "domctx.verify/1", "images": documents}, indent=2))


def _to_json(path: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "path": path,
        "format": verdict.format,
        "valid": verdict.valid,
        "findings": [finding.to_json() for finding in verdict.findings],
    }


def _unread(path: str, error: DomctxError) -> dict[str, Any]:
    return {"path": path, "format": None, "valid": False, "findings": [], "error": error.message}


def _print(app: App, path: str, verdict: Verdict) -> None:
    for finding in verdict.findings:
        app.out(finding_text(app, finding, None if path == "-" else path) + "\n")
    counts = []
    for severity in Severity:
        number = sum(finding.severity is severity for finding in verdict.findings)
        if number:
            counts.append(f"{number} {severity}{'s' * (number > 1)}")
    word = (
        app.style("valid", fg="green", bold=True)
        if verdict.valid
        else app.style("not valid", fg="red", bold=True)
    )
    name = "standard input" if path == "-" else path
    extra = f" ({', '.join(counts)})" if counts else ""
    app.out(f"{name}: {word} {verdict.format}{extra}")
