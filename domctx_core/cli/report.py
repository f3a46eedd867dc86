"""`domctx report`."""

from __future__ import annotations

import os
from contextlib import ExitStack

import click

from domctx_core.base.xen_version import XenVersion
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name, open_seekable
from domctx_core.cli.options import cap_option, target_option
from domctx_core.cli.outputs import open_output, refuse_overwriting
from domctx_core.cli.progress import progress
from domctx_core.cli.selection import chosen_records, selection_options
from domctx_core.images.diff.compare import diff_images
from domctx_core.images.tree import read_image
from domctx_core.reader.splice import write_chunks
from domctx_core.report.model import LIMIT, Report
from domctx_core.report.page import render_report
from domctx_core.verification.verifier import Verifier

__all__ = ["command"]


@click.command(name="report", short_help="One HTML page that shows all of an image.")
@click.argument("image", shell_complete=complete_files)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    help="The page to write; - for standard output.",
)
@selection_options
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=LIMIT,
    show_default=True,
    help="Records in full; ten times as many are rows of a table, the others only counted.",
)
@click.option("--against", metavar="OTHER", help="Another image, to be compared side by side.")
@target_option
@cap_option()
@click.pass_obj
def command(
    app: App,
    image: str,
    output: str,
    types: tuple[str, ...],
    instances: tuple[int, ...],
    limit: int,
    against: str | None,
    target: XenVersion | None,
    cap: int,
) -> None:
    """Write one HTML page that shows all of IMAGE, for a browser without a network.

    It has a map of the image, the fields of each record beside their bytes, and findings at their
    place. The exit status says whether anything was wrong with the image.
    """
    refuse_overwriting(output, image, against)
    keep = chosen_records(app, types, instances) if types or instances else None
    with ExitStack() as stack:
        source = stack.enter_context(open_seekable(app, image))
        stack.enter_context(progress(app, f"reading {_name(image)}", source))
        verifier = Verifier(checks=app.host.checks(), receiver=target)
        tree = read_image(source, app.host.formats, verifier=verifier, cap=cap)
        differs = None
        if against is not None:
            other = stack.enter_context(open_seekable(app, against))
            diff = diff_images(tree, read_image(other, app.host.formats, cap=cap), keep=keep)
            differs = _name(against), diff
        report = Report(
            tree,
            _name(image),
            rules=app.host.formats.rules,
            keep=keep,
            limit=limit,
            against=differs,
        )
        page = (part.encode("utf-8", "replace") for part in render_report(report))
        with open_output(app, output, text=True) as file:
            write_chunks(page, None, file)
    for warning in report.warnings:
        app.err(f"warning: {warning}")
    app.raise_status(4 if verifier.needs_plugin or report.warnings else int(not report.valid))


def _name(path: str) -> str:
    return input_name(path if path == "-" else os.path.basename(path))
