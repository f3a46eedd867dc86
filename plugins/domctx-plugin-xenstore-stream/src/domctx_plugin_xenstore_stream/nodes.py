"""Nodes of xenstore: path, value and permissions."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag
from typing import ClassVar, Self

from domctx_core import (
    Body,
    Problem,
    RecordType,
    array,
    blob,
    count_of,
    text,
    u8,
    u16,
    u32,
)
from domctx_plugin_xenstore_stream.parts import aligned, ignored, not_a_string

__all__ = ["NodeAccess", "NodeData", "NodeDataRecord", "Permission", "Permissions"]


class Permission(IntEnum):
    """What a domain may do with a node; the letters are those of xenstore's permissions."""

    NONE = ord("n")
    READ = ord("r")
    WRITE = ord("w")
    BOTH = ord("b")


class NodeAccess(IntFlag):
    """What a transaction has done with a node."""

    READ = 1
    WRITTEN = 2


class Permissions(Body):
    """A permission of one domain; the first of a node names its owner and the rest of the world's."""

    perm: Permission = u8(doc="what is allowed")
    flags: int = u8(doc="bit 0: the domain is gone, and the entry means nothing", show="hex")
    domid: int = u16(doc="the domain")


class NodeData(Body):
    """One node: visible to all where `conn_id` is 0, else as a transaction sees it."""

    conn_id: int = u32(doc="connection of the transaction; 0: the node is committed")
    tx_id: int = u32(doc="number of the transaction; means nothing where `conn_id` is 0")
    path_len: int = count_of("path", size=2, doc="length of `path`, NUL included", init=False)
    value_len: int = count_of("value", size=2, doc="length of `value`", init=False)
    access: NodeAccess = u16(doc="what the transaction did; 0: it deleted the node")
    perm_count: int = count_of("perms", size=2, doc="number of permissions", init=False)
    perms: list[Permissions] = array(Permissions, "perm_count", doc="the owner's first")
    path: str = text(count="path_len", doc="absolute path, and a NUL")
    value: bytes = blob(count="value_len", doc="the node's value")
    pad: bytes = aligned()

    def check(self) -> Iterable[Problem]:
        """Check that the path ends with its only NUL; a committed node has an owner."""
        yield from not_a_string("path", self.path)
        if not self.conn_id and not self.perms:
            yield Problem(
                "field-out-of-range",
                "a committed node without permissions has no owner",
                field="perm_count",
                expected="at least 1",
                actual=0,
            )
        yield from ignored("pad", self.pad)

    def summary(self) -> Mapping[str, str]:
        """Return the value if it is text; permissions as xenstore's tools write them."""
        shown = {}
        if self.value and all(0x20 <= byte < 0x7F for byte in self.value):
            shown["text"] = repr(self.value.decode("ascii"))
        if self.perms:
            shown["permissions"] = ", ".join(f"{chr(p.perm)}{p.domid}" for p in self.perms)
        return shown

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a made-up committed node."""
        return cls(
            conn_id=0,
            tx_id=0,
            access=NodeAccess(0),
            perms=[
                Permissions(perm=rng.choice(list(Permission)), flags=0, domid=rng.randrange(9))
                for _ in range(rng.randint(1, 3))
            ],
            path=f"/local/domain/{rng.randrange(9)}/name\0",
            value=rng.randbytes(rng.randrange(12)),
        )


class NodeDataRecord(RecordType[NodeData]):
    """A node."""

    code, name, body = 5, "NODE_DATA", NodeData
    identity: ClassVar[tuple[str, ...]] = ("path", "conn_id", "tx_id")
