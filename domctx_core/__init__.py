"""domctx: save, load, read and check the domain context of Xen domains.

This is the public interface, for authors of plugins and for programs that use domctx as a library;
`domctx_core.cli.kit` is that for verbs of plugins, and `domctx_core.testing` that for tests. Each
name is imported from its home when it is first used, so that a plugin or a command pays for what it
needs and for nothing else. `__init__.pyi` has the same names for type checkers.
"""

from __future__ import annotations

#: The module in which each name is defined.
_HOMES = {
    # For authors of plugins: bodies and their fields
    "Body": "layout.body",
    "Empty": "layout.body",
    "Decoded": "layout.body",
    "ByteOrder": "layout.kinds.base",
    "Bits": "layout.kinds.bits",
    "u8": "layout.specifiers",
    "u16": "layout.specifiers",
    "u32": "layout.specifiers",
    "u64": "layout.specifiers",
    "i8": "layout.specifiers",
    "i16": "layout.specifiers",
    "i32": "layout.specifiers",
    "i64": "layout.specifiers",
    "count_of": "layout.specifiers",
    "reserved": "layout.specifiers",
    "blob": "layout.specifiers",
    "text": "layout.specifiers",
    "bitmap": "layout.specifiers",
    "nested": "layout.specifiers",
    "array": "layout.specifiers",
    "optional": "layout.specifiers",
    "by_size": "layout.specifiers",
    "switch": "layout.specifiers",
    "Columns": "layout.columns.columns",
    "spans": "layout.spans",
    # kinds of field of one's own
    "Field": "layout.field",
    "Kind": "layout.kinds.base",
    "Int": "layout.kinds.scalars",
    "Text": "layout.kinds.binary",
    "Reader": "layout.kinds.base",
    "Checker": "layout.kinds.base",
    "JsonError": "layout.kinds.base",
    "parse_integer": "layout.kinds.base",
    # record types and what their handlers see
    "RecordType": "model.record_type",
    "Instances": "model.attributes",
    "ANY": "model.attributes",
    "PER_VCPU": "model.attributes",
    "SINGLE": "model.attributes",
    "Content": "model.attributes",
    "Part": "model.attributes",
    "Tally": "model.attributes",
    "Amount": "model.visuals",
    "Link": "model.visuals",
    "SaveContext": "model.record_type",
    "LoadContext": "model.record_type",
    "Extent": "model.ops",
    # formats
    "Format": "model.format",
    "Framing": "model.format",
    "HEAD_SIZE": "model.format",
    # checks across records
    "Check": "model.check",
    "Container": "model.check",
    "Run": "model.check_run",
    "RecordView": "model.record_view",
    "Problem": "base.problems",
    "Rule": "base.problems",
    "Rules": "base.rules",
    "Severity": "base.problems",
    # domains
    "Domain": "model.domain",
    "DomainRequest": "model.declarations",
    "Guest": "model.domain",
    "XenVersion": "base.xen_version",
    # observers
    "Observer": "model.observer",
    "Operation": "model.observer",
    "RecordEvent": "model.observer",
    # declarations, which hooks return
    "CheckDeclaration": "model.declarations",
    "CommandDeclaration": "model.declarations",
    "DomainDeclaration": "model.declarations",
    "FormatDeclaration": "model.declarations",
    "ObserverDeclaration": "model.declarations",
    "RecordTypeDeclaration": "model.declarations",
    "hookimpl": "host.hookspecs",
    # For programs: plugins, formats and registries
    "Host": "host.host",
    "Plugin": "host.plugin",
    "Status": "host.plugin",
    "PluginFilter": "host.plugin_filter",
    "DomainContext": "model.format",
    "EndRecord": "model.builtin",
    "Entry": "model.registry",
    "Formats": "model.formats",
    "Provider": "model.registry",
    "Registry": "model.registry",
    "Start": "model.builtin",
    "StartRecord": "model.builtin",
    # reading
    "BufferSource": "reader.sources",
    "CopySource": "reader.copying",
    "FileSource": "reader.sources",
    "PassingSource": "reader.passing",
    "Source": "reader.sources",
    "open_source": "reader.sources",
    "Closed": "reader.events",
    "Event": "reader.events",
    "Fault": "reader.events",
    "OpenContainer": "reader.record",
    "Opened": "reader.events",
    "Record": "reader.record",
    "Trailing": "reader.events",
    "walk": "reader.walker",
    # verifying
    "Finding": "base.problems",
    "Verdict": "verification.verdict",
    "Verifier": "verification.verifier",
    "verify": "verification.verdict",
    # documents: JSON both ways
    "decode_image": "document.decode",
    "decode_lines": "document.decode",
    "decode_text": "document.decode",
    "encode_image": "document.encode.encode",
    "encode_lines": "document.encode.encode",
    "write_chunks": "reader.splice",
    "parse_document": "document.encode.parse",
    "parse_lines": "document.encode.parse",
    "image_schema": "document.schema",
    "line_schema": "document.schema",
    "record_schema": "document.schema",
    # images: trees, comparing, changing
    "Image": "images.tree",
    "read_image": "images.tree",
    "Diff": "images.diff.model",
    "diff_images": "images.diff.compare",
    "Drop": "images.edit.operations",
    "Edit": "images.edit.outcome",
    "Insert": "images.edit.operations",
    "Keep": "images.edit.operations",
    "Reorder": "images.edit.operations",
    "Selector": "images.edit.operations",
    "SetField": "images.edit.operations",
    "SetHeader": "images.edit.operations",
    "edit_image": "images.edit.editor",
    # the engine
    "FileLoadOps": "engine.ops",
    "FileSaveOps": "engine.ops",
    "LoadOps": "model.ops",
    "LoadResult": "engine.load",
    "MemoryLoadOps": "engine.ops",
    "MemorySaveOps": "engine.ops",
    "SaveOps": "model.ops",
    "SimDomain": "engine.sim_domain",
    "Watch": "model.observer",
    "load_domain": "engine.load",
    "save_domain": "engine.save",
    "save_image": "engine.save",
    "size_domain": "engine.save",
    # files and messages, for both
    "io_error": "base.errors",
    "suggestion": "base.text",
    "whole_file": "base.io",
    "write_all": "base.io",
    # the report
    "Report": "report.model",
    "render_report": "report.page",
    # Errors, of both
    "DomctxError": "base.errors",
    "BodyError": "base.errors",
    "ConflictError": "base.errors",
    "DeclarationError": "base.errors",
    "DocumentError": "base.errors",
    "DomainError": "base.errors",
    "ImageError": "base.errors",
    "InputOutputError": "base.errors",
    "MisuseError": "base.errors",
    "NoState": "base.errors",
    "PluginError": "base.errors",
    "UsageError": "base.errors",
    "Errno": "base.errors",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
