"""domctx: save, load, read and check the domain context of Xen domains.

What is exported here is the public interface: record types and bodies for plugin authors, the
engine and its ops, registries, formats and images for programs that use domctx as a library.
"""

from domctx_core.builtin import EndRecord, Start, StartRecord
from domctx_core.checks import Check, Seen
from domctx_core.context import LoadContext, SaveContext
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
