"""The domain scheme `stream:`: a saved domain that an image is saved from or loaded into.

`stream:PATH` reads an xl save file, a libxl stream or a libxc stream; `stream:-` reads it from
standard input. Guest memory is passed over and never held. What the stream says of the domain is
offered as state to save. A load, `stream:PATH,out=COPY`, leaves PATH as it is and writes a copy
with other state.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress

from domctx_core import (
    Body,
    Check,
    DomainError,
    DomainRequest,
    Errno,
    FileSource,
    Formats,
    PluginError,
    Source,
    UsageError,
    XenVersion,
    open_source,
    save_image,
    whole_file,
)
from domctx_plugin_xen_streams.stream import (
    StreamDomain,
    StreamReader,
    read_stream,
)

__all__ = ["open_stream"]


def open_stream(request: DomainRequest) -> StreamDomain:
    """Return the domain in the xl, libxl or libxc file at `request.rest`.

    To be saved it is `PATH`, `-` being standard input. To be loaded it is `PATH,out=COPY`: the file
    at COPY is written when the domain is closed, whole or not at all, and PATH is left as it is
    unless it is the same file.

    Raises `UsageError` for another form, `InputOutputError` for a file that cannot be read or
    written, `PluginError` where a container's format is in no usable plugin, and `ImageError` with
    offset and record for a file that is no such stream, is cut short, or breaks a rule of its
    format.
    """
    path, out = request.rest, ""
    if request.purpose == "load":
        path, _, out = path.rpartition(",out=")
        if not path or not out or path == "-":
            raise UsageError(
                "a load into a stream writes a copy of it", expected="stream:PATH,out=COPY"
            )
    if not path:
        raise UsageError(
            "the scheme stream needs a file", expected="stream:PATH, or stream:- for standard input"
        )
    with ExitStack() as stack:
        if path != "-":
            source: Source = stack.enter_context(open_source(path))
        elif request.standard_input is not None:
            source = FileSource(request.standard_input)
        else:
            raise UsageError("standard input cannot be read here", expected="stream:PATH")
        if out:
            return _open_copy(path, out, source, request.formats, request.checks())
        return read_stream(source, request.formats, request.checks())


def _open_copy(
    path: str, out: str, source: Source, formats: Formats, checks: Iterable[type[Check]]
) -> StreamDomain:
    """Return the domain in `source` for a load that writes `out`."""
    reader = StreamReader.of(source, formats, checks)
    registry = formats.registry("domain-context")

    def code_of(body: type[Body]) -> int:
        for entry in registry:
            if reader.context is None and entry.code not in reader.codes:
                continue
            with suppress(PluginError):  # one that is broken did not bring this body
                if entry.record_type.body is body:
                    return entry.code
        raise DomainError(
            f"the stream has no record for {body.__name__}",
            errno=Errno.EOPNOTSUPP,
            hint=None
            if reader.context is not None
            else "`domctx convert --to 4` makes a stream that has room for every type",
        )

    def keep(domain: StreamDomain) -> None:
        # a save needs neither
        from domctx_plugin_xen_streams.insert import Insert
        from domctx_plugin_xen_streams.rewrite import rewrite

        image = save_image(
            domain, registry, byteorder=reader.byteorder, xen_version=XenVersion(0, 0)
        )
        change = Insert(image, formats)
        with open(path, "rb", buffering=0) as file, whole_file(out) as target:
            rewrite(file, target, formats, change)

    return reader.domain(code_of, keep)
