"""`domctx load`."""

from __future__ import annotations

from contextlib import closing, suppress

import click

from domctx_core.base.errors import DomctxError
from domctx_core.base.io import cannot_read, path_text
from domctx_core.base.xen_version import XenVersion
from domctx_core.cli.app import App
from domctx_core.cli.inputs import complete_files, input_name
from domctx_core.cli.messages import report_error
from domctx_core.cli.options import cap_option, xen_option
from domctx_core.cli.outputs import domain_files, refuse_overwriting
from domctx_core.cli.progress import file_progress
from domctx_core.engine.load import load_domain
from domctx_core.engine.ops import FileLoadOps
from domctx_core.model.check import make_check
from domctx_core.model.format import HEAD_SIZE
from domctx_core.model.wire import DOMAIN_CONTEXT
from domctx_core.reader.sources import open_source

__all__ = ["command"]


@click.command(name="load", short_help="Load an image into a domain.")
@click.argument("image", shell_complete=complete_files)
@click.argument("domain")
@xen_option("The version of the target where it has none of its own.")
@click.option("--allow-newer", is_flag=True, help="Load an image of a newer Xen too.")
@click.option(
    "--no-validate",
    is_flag=True,
    help="Apply records as they come, without checking all of them first.",
)
@cap_option()
@click.pass_obj
def command(
    app: App,
    image: str,
    domain: str,
    xen: XenVersion | None,
    allow_newer: bool,
    no_validate: bool,
    cap: int,
) -> None:
    """Load IMAGE into DOMAIN.

    The whole image is checked before the domain is paused or changed; one that is refused costs
    the domain nothing.
    """
    for each in domain_files(domain):
        refuse_overwriting(each, image, hint="name another file for the domain")
    try:
        file = app.standard_input() if image == "-" else open(image, "rb")  # noqa: SIM115
    except OSError as error:
        raise cannot_read(image, error) from error
    taken = False
    with closing(file):
        target = app.host.open_domain(domain, "load")
        try:
            with (
                app.watch("load", image) as watch,
                file_progress(app, f"loading {input_name(image)}", file),
            ):
                result = load_domain(
                    target,
                    FileLoadOps(file),
                    app.host.registry,
                    validate=not no_validate,
                    allow_newer=allow_newer,
                    xen_version=xen,
                    checks=[make_check(check) for check in app.host.checks()],
                    cap=cap,
                    watch=watch,
                )
                taken = True
                target.close()  # some domains keep what they took only now, and may fail to
        except DomctxError as error:
            if error.rule == "first-not-start" and image != "-":
                error.hint = error.hint or _other_format(app, image)
            app.raise_status(report_error(app, error, None if taken or image == "-" else image))
            if not taken:
                # what was applied as it came is applied; a load in two phases leaves no half
                (target.close if no_validate else target.abandon)()
            return
    app.err(
        f"loaded {input_name(image)} into {path_text(domain)}: {_count(result.records, 'record')},"
        f" {result.consumed} bytes, {_count(len(result.changes), 'change')}"
    )


def _other_format(app: App, image: str) -> str | None:
    """Return a hint for a file that is no domain context image; None if its format is unknown."""
    format = None
    with suppress(DomctxError), open_source(image) as source:
        format = app.host.formats.recognise(bytes(source.at(0, HEAD_SIZE)))
    if format is None or format.name == DOMAIN_CONTEXT:
        return None
    return (
        f"the format of the file is {format.title or format.name}: `domctx show` reads it, and of a"
        " saved guest `domctx save stream:FILE -o IMAGE` makes an image"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
