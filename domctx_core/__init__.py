"""domctx: save, load, read and check the domain context of Xen domains.

What is exported here is the public interface: record types and bodies for plugin authors, the
engine and its ops, registries, formats and images for programs that use domctx as a library.
"""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from domctx_core.hookspecs import hookimpl

__all__ = [
    "ANY",
    "Bits",
    "Body",
    "BodyError",
    "BufferSource",
    "Check",
    "CheckDeclaration",
    "Closed",
    "ConflictError",
    "Content",
    "DOMAIN_CONTEXT",
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
    "PER_VCPU",
    "PluginError",
    "Problem",
    "Provider",
    "Record",
    "RecordType",
    "RecordTypeDeclaration",
    "Registry",
    "Rule",
    "SINGLE",
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
    "i16",
    "i32",
    "i64",
    "i8",
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
    "u16",
    "u32",
    "u64",
    "u8",
    "verify",
    "walk",
]


def __getattr__(name: str) -> object:
    """`hookimpl` brings pluggy with it, which only a pluggy module needs."""
    if name == "hookimpl":
        from domctx_core.hookspecs import hookimpl

        return hookimpl
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
