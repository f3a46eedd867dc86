"""`domctx save`."""

from __future__ import annotations

from contextlib import closing

import click

from domctx_core.base.io import path_text, whole_file
from domctx_core.base.xen_version import XenVersion
from domctx_core.cli.app import App
from domctx_core.cli.options import cap_option, xen_option
from domctx_core.cli.outputs import domain_files, refuse_overwriting
from domctx_core.cli.progress import file_progress
from domctx_core.engine.ops import FileSaveOps
from domctx_core.engine.save import save_domain
from domctx_core.layout.kinds.base import ByteOrder

__all__ = ["command"]


@click.command(name="save", short_help="Save a domain to an image.")
@click.argument("domain")
@click.option(
    "-o",
    "--output",
    "image",
    required=True,
    metavar="IMAGE",
    help="The file to write; - for standard output.",
)
@xen_option("The version for START where the domain has none of its own.")
@click.option(
    "--byteorder",
    type=click.Choice(["little", "big"]),
    default="little",
    show_default=True,
    help="Byte order of the image.",
)
@cap_option("Most to buffer of one record on a pipe.")
@click.pass_obj
def command(
    app: App, domain: str, image: str, xen: XenVersion | None, byteorder: ByteOrder, cap: int
) -> None:
    """Save DOMAIN to an image.

    The file is whole or absent: a save that fails leaves what was there before.
    """
    refuse_overwriting(image, *domain_files(domain))
    registry = app.host.registry
    output = app.standard_output() if image == "-" else None
    opened = app.host.open_domain(domain, "save", standard_input=app.standard_input_if_open())
    with closing(opened), app.watch("save", domain) as watch:
        if output is not None:
            ops = FileSaveOps(_NoSeek(output), byteorder)
            count = save_domain(opened, ops, registry, xen_version=xen, cap=cap, watch=watch)
        else:
            with whole_file(image) as file, file_progress(app, f"saving {path_text(domain)}", file):
                ops = FileSaveOps(file, byteorder)
                count = save_domain(opened, ops, registry, xen_version=xen, cap=cap, watch=watch)
    app.err(f"saved {path_text(domain)}: {count} records, {ops.size} bytes")


class _NoSeek:
    """Standard output without `seek`: it may be a file that other processes write to as well."""

    def __init__(self, file: object) -> None:
        self.write = getattr(file, "write")  # noqa: B009  # any binary stream
        self.flush = getattr(file, "flush")  # noqa: B009
        self.fileno = getattr(file, "fileno", None)  # to wait for one that does not block
