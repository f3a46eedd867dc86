"""domctx: save, load, read and check the domain context of Xen domains.

What is exported here is the public interface: record types and bodies for plugin authors, the
engine and its ops, registries, formats and images for programs that use domctx as a library.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domctx_core.builtin import EndRecord, Start, StartRecord
    from domctx_core.checks import Check, Seen
    from domctx_core.context import LoadContext, SaveContext
    from domctx_core.declarations import (
        CheckDeclaration,
        DomainDeclaration,
        DomainRequest,
        FormatDeclaration,
        RecordTypeDeclaration,
    )
    from domctx_core.domains import Domain, Guest, StagedDomain, XenVersion
    from domctx_core.engine import LoadResult, load_domain, save_domain, save_image, size_domain
    from domctx_core.errors import (
        BodyError,
        ConflictError,
        DeclarationError,
        DomainError,
        DomctxError,
        Errno,
        ImageError,
        InputOutputError,
        MisuseError,
        NoState,
        PluginError,
        UsageError,
    )
    from domctx_core.formats import DomainContext, Format, Formats, Framing
    from domctx_core.host.hookspecs import hookimpl
    from domctx_core.layout import (
        Bits,
        Body,
        Decoded,
        Empty,
        Field,
        array,
        bitmap,
        blob,
        by_size,
        count_of,
        i8,
        i16,
        i32,
        i64,
        nested,
        optional,
        reserved,
        switch,
        text,
        u8,
        u16,
        u32,
        u64,
    )
    from domctx_core.ops import (
        Extent,
        FileLoadOps,
        FileSaveOps,
        LoadOps,
        MemoryLoadOps,
        MemorySaveOps,
        SaveOps,
        SizingSaveOps,
    )
    from domctx_core.records import ANY, PER_VCPU, SINGLE, Content, Instances, RecordType
    from domctx_core.registry import DOMAIN_CONTEXT, Entry, Provider, Registry
    from domctx_core.rules import Finding, Problem, Rule, Severity
    from domctx_core.sources import BufferSource, FileSource, Source, open_source
    from domctx_core.verify import Verdict, Verifier, verify
    from domctx_core.walk import Closed, Event, Fault, Level, Opened, Record, Trailing, walk

__all__ = [
    "ANY",
    "DOMAIN_CONTEXT",
    "PER_VCPU",
    "SINGLE",
    "Bits",
    "Body",
    "BodyError",
    "BufferSource",
    "Check",
    "CheckDeclaration",
    "Closed",
    "ConflictError",
    "Content",
    "DeclarationError",
    "Decoded",
    "Domain",
    "DomainContext",
    "DomainDeclaration",
    "DomainError",
    "DomainRequest",
    "DomctxError",
    "Empty",
    "EndRecord",
    "Entry",
    "Errno",
    "Event",
    "Extent",
    "Fault",
    "Field",
    "FileLoadOps",
    "FileSaveOps",
    "FileSource",
    "Finding",
    "Format",
    "FormatDeclaration",
    "Formats",
    "Framing",
    "Guest",
    "ImageError",
    "InputOutputError",
    "Instances",
    "Level",
    "LoadContext",
    "LoadOps",
    "LoadResult",
    "MemoryLoadOps",
    "MemorySaveOps",
    "MisuseError",
    "NoState",
    "Opened",
    "PluginError",
    "Problem",
    "Provider",
    "Record",
    "RecordType",
    "RecordTypeDeclaration",
    "Registry",
    "Rule",
    "SaveContext",
    "SaveOps",
    "Seen",
    "Severity",
    "SizingSaveOps",
    "Source",
    "StagedDomain",
    "Start",
    "StartRecord",
    "Trailing",
    "UsageError",
    "Verdict",
    "Verifier",
    "XenVersion",
    "array",
    "bitmap",
    "blob",
    "by_size",
    "count_of",
    "hookimpl",
    "i8",
    "i16",
    "i32",
    "i64",
    "load_domain",
    "nested",
    "open_source",
    "optional",
    "reserved",
    "save_domain",
    "save_image",
    "size_domain",
    "switch",
    "text",
    "u8",
    "u16",
    "u32",
    "u64",
    "verify",
    "walk",
]

#: Where each name is defined. A name is imported when it is first used, so that a plugin or a
#: command pays for what it needs and for nothing else.
_HOMES = {
    "EndRecord": "builtin",
    "Start": "builtin",
    "StartRecord": "builtin",
    "Check": "checks",
    "Seen": "checks",
    "LoadContext": "context",
    "SaveContext": "context",
    "CheckDeclaration": "declarations",
    "DomainDeclaration": "declarations",
    "DomainRequest": "declarations",
    "FormatDeclaration": "declarations",
    "RecordTypeDeclaration": "declarations",
    "Domain": "domains",
    "Guest": "domains",
    "StagedDomain": "domains",
    "XenVersion": "domains",
    "LoadResult": "engine",
    "load_domain": "engine",
    "save_domain": "engine",
    "save_image": "engine",
    "size_domain": "engine",
    "BodyError": "errors",
    "ConflictError": "errors",
    "DeclarationError": "errors",
    "DomainError": "errors",
    "DomctxError": "errors",
    "Errno": "errors",
    "ImageError": "errors",
    "InputOutputError": "errors",
    "MisuseError": "errors",
    "NoState": "errors",
    "PluginError": "errors",
    "UsageError": "errors",
    "DomainContext": "formats",
    "Format": "formats",
    "Formats": "formats",
    "Framing": "formats",
    "hookimpl": "host.hookspecs",
    "Bits": "layout",
    "Body": "layout",
    "Decoded": "layout",
    "Empty": "layout",
    "Field": "layout",
    "array": "layout",
    "bitmap": "layout",
    "blob": "layout",
    "by_size": "layout",
    "count_of": "layout",
    "i16": "layout",
    "i32": "layout",
    "i64": "layout",
    "i8": "layout",
    "nested": "layout",
    "optional": "layout",
    "reserved": "layout",
    "switch": "layout",
    "text": "layout",
    "u16": "layout",
    "u32": "layout",
    "u64": "layout",
    "u8": "layout",
    "Extent": "ops",
    "FileLoadOps": "ops",
    "FileSaveOps": "ops",
    "LoadOps": "ops",
    "MemoryLoadOps": "ops",
    "MemorySaveOps": "ops",
    "SaveOps": "ops",
    "SizingSaveOps": "ops",
    "ANY": "records",
    "Content": "records",
    "Instances": "records",
    "PER_VCPU": "records",
    "RecordType": "records",
    "SINGLE": "records",
    "DOMAIN_CONTEXT": "registry",
    "Entry": "registry",
    "Provider": "registry",
    "Registry": "registry",
    "Finding": "rules",
    "Problem": "rules",
    "Rule": "rules",
    "Severity": "rules",
    "BufferSource": "sources",
    "FileSource": "sources",
    "Source": "sources",
    "open_source": "sources",
    "Verdict": "verify",
    "Verifier": "verify",
    "verify": "verify",
    "Closed": "walk",
    "Event": "walk",
    "Fault": "walk",
    "Level": "walk",
    "Opened": "walk",
    "Record": "walk",
    "Trailing": "walk",
    "walk": "walk",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps the functions `walk` and `verify` from being hidden by the modules they live in."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
