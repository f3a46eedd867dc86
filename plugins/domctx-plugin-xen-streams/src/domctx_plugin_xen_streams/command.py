"""`domctx convert`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from domctx_core import (
    FileSource,
    ImageError,
    UsageError,
    XenVersion,
    io_error,
    whole_file,
    write_all,
)
from domctx_core.cli.kit import (
    App,
    file_progress,
    input_name,
    open_file,
    refuse_overwriting,
    report_error,
    xen_option,
)
from domctx_plugin_xen_streams.convert import ToVersion3, ToVersion4
from domctx_plugin_xen_streams.formats import Libxc
from domctx_plugin_xen_streams.insert import ContextKind, Insert, extract
from domctx_plugin_xen_streams.rewrite import Change, rewrite

__all__ = ["command"]


@click.command(name="convert", short_help="Rewrite a saved domain's stream.")
@click.argument("stream")
@click.option("-o", "--output", required=True, metavar="FILE", help="- for standard output.")
@click.option(
    "--to",
    "version",
    type=click.Choice(["3", "4"]),
    help="The libxc stream in this version; from 4 to 3 or from 3 to 4.",
)
@click.option(
    "--extract",
    "kind",
    type=click.Choice(["domain-context", "hvm-context"]),
    help="Only this, taken out of the stream.",
)
@click.option(
    "--insert",
    "image",
    metavar="IMAGE",
    help="The stream with this domain context or HVM context in place of its own.",
)
@xen_option("The version for START where the stream names none.")
@click.option("--lossy", is_flag=True, help="Leave out what the outcome has no place for.")
@click.pass_obj
def command(
    app: App,
    stream: str,
    output: str,
    version: str | None,
    kind: ContextKind | None,
    image: str | None,
    xen: XenVersion | None,
    lossy: bool,
) -> None:
    """Rewrite STREAM, an xl save file, a libxl or a libxc stream.

    One of --to, --extract and --insert says how. Guest memory is passed through and never held.
    The file is whole or absent: what is refused leaves what was there before.
    """
    if sum(choice is not None for choice in (version, kind, image)) != 1:
        raise UsageError("convert does one thing", expected="one of --to, --extract and --insert")
    if stream == image == "-":
        raise UsageError("standard input cannot be both the stream and the image")
    refuse_overwriting(output, stream, image)
    formats = app.host.formats
    change: Change | None = None
    if version is not None:
        old = version == "3"
        change = ToVersion3(lossy=lossy) if old else ToVersion4(xen_version=xen, lossy=lossy)
    elif image is not None:
        with open_file(app, image) as file:
            data = _whole(file)
        with _reported(app, image):
            change = Insert(data, formats)
        if change is None:
            return
    with (
        _reported(app, stream),
        open_file(app, stream) as file,
        _output(app, output) as target,
        file_progress(app, f"converting {input_name(stream)}", file),
    ):
        if change is not None:
            size = rewrite(file, target, formats, change)
        else:
            assert kind is not None
            context = extract(FileSource(file), formats, kind, xen_version=xen)
            _write(target, context)
            size = len(context)
        for note in dict.fromkeys(change.notes if change else ()):
            app.err(f"note: {note}")
        app.err(f"converted {input_name(stream)}: {size} bytes")


@contextmanager
def _reported(app: App, path: str) -> Iterator[None]:
    """Report what is wrong with an input, with the bytes around it if it is a file."""
    try:
        yield
    except ImageError as error:
        app.raise_status(report_error(app, error, None if path == "-" else path))


@contextmanager
def _output(app: App, path: str) -> Iterator[Any]:
    if path != "-":
        with whole_file(os.fspath(path)) as file:
            yield file
        return
    output = app.standard_output()
    yield getattr(output, "raw", output)


def _whole(file: Any) -> bytes:
    """Return all of a file; raise `ImageError` early if no libxc record can hold it."""
    source = FileSource(file)
    data = bytes(source.at(0, Libxc.max_length + 1))
    if len(data) > Libxc.max_length:
        raise ImageError(
            "the image is longer than a libxc record can be",
            rule="length-over-cap",
            expected=f"at most {Libxc.max_length} bytes",
        )
    return data


def _write(target: Any, data: bytes) -> None:
    try:
        write_all(target, data)
    except OSError as error:
        raise io_error("write the output", error) from error
