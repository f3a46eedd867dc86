"""Connections, and the watches and transactions that belong to them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag
from typing import ClassVar, Self

from domctx_core import (
    Body,
    Problem,
    RecordType,
    blob,
    count_of,
    i32,
    optional,
    switch,
    text,
    u16,
    u32,
    u64,
)
from domctx_plugin_xenstore_stream.parts import aligned, filling, ignored, not_a_string

__all__ = [
    "UNLIMITED_DEPTH",
    "ConnectionData",
    "ConnectionDataRecord",
    "ConnectionFields",
    "ConnectionType",
    "Ring",
    "Socket",
    "TransactionData",
    "TransactionDataRecord",
    "WatchData",
    "WatchDataExtended",
    "WatchDataExtendedRecord",
    "WatchDataRecord",
]

UNLIMITED_DEPTH = 0xFFFF
"""Depth of a watch that looks at everything below its path."""

_DATA = 24


class ConnectionType(IntEnum):
    """How a client talks to xenstored."""

    RING = 0
    SOCKET = 1


class ConnectionFields(IntFlag):
    """Which fields stand at the end of the record."""

    UNIQUE_ID = 1


class Ring(Body):
    """A page that is shared with a domain."""

    domid: int = u16(doc="domain that owns the page")
    tdomid: int = u16(doc="domain that it acts for; 32756 (DOMID_INVALID): none")
    evtchn: int = u32(doc="port of the interdomain channel to xenstored")


class Socket(Body):
    """A local socket; in a live update only."""

    socket_fd: int = i32(doc="descriptor of the socket")
    pad: bytes = blob(4, default=bytes(4), doc="ignored")


class ConnectionData(Body):
    """One connection to xenstored, with what is still in its buffers."""

    conn_id: int = u32(doc="number that later records refer to; not 0")
    type: ConnectionType = u16(doc="ring or socket")
    fields: ConnectionFields = u16(doc="fields at the end of the record")
    spec: Ring | Socket | bytes = switch(
        "type", {ConnectionType.RING: Ring, ConnectionType.SOCKET: Socket}, size=8, doc="the peer"
    )
    in_data_len: int = count_of("in_data", size=2, doc="bytes read, not processed", init=False)
    out_resp_len: int = u16(doc="of `out_data`, what is left of an answer begun", unit="bytes")
    out_data_len: int = count_of("out_data", doc="bytes not yet written", init=False)
    in_data: bytes = blob(count="in_data_len", doc="what was read and not yet processed")
    out_data: bytes = blob(count="out_data_len", doc="what has yet to be written")
    pad: bytes = aligned()
    unique_id: int | None = optional(u64(show="hex"), doc="tells domains of one domid apart")

    def check(self) -> Iterable[Problem]:
        """Check that the number is not 0; the fields at the end are those announced; filling is zero."""
        if not self.conn_id:
            yield Problem(
                "field-out-of-range", "`conn_id` is 0", field="conn_id", expected="any other number"
            )
        if isinstance(self.spec, Socket) and self.spec.pad.strip(b"\0"):
            yield from ignored("spec", self.spec.pad)
        yield from ignored("pad", self.pad)
        announced = bool(self.fields & ConnectionFields.UNIQUE_ID)
        if announced != (self.unique_id is not None):
            yield Problem(
                "body-too-short" if announced else "body-not-consumed",
                "`unique_id` is announced and not there"
                if announced
                else "`unique_id` is there and not announced",
                field="unique_id",
                expected="8 bytes" if announced else "UNIQUE_ID (0x1) in `fields`",
                actual="nothing" if announced else f"{int(self.fields):#x}",
            )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a connection of either type."""
        kind = rng.choice(list(ConnectionType))
        read, write = rng.randbytes(rng.randrange(12)), rng.randbytes(rng.randrange(12))
        unique = rng.getrandbits(64) if rng.random() < 0.5 else None
        return cls(
            conn_id=rng.randint(1, 2**32 - 1),
            type=kind,
            fields=ConnectionFields(unique is not None),
            spec=Ring.example(rng) if kind is ConnectionType.RING else Socket(socket_fd=7),
            out_resp_len=0,
            in_data=read,
            out_data=write,
            pad=bytes(filling(_DATA + len(read) + len(write))) if unique is not None else b"",
            unique_id=unique,
        )


def _path(rng: random.Random) -> str:
    return f"/local/domain/{rng.randrange(9)}/name\0"


class WatchData(Body):
    """A watch of a connection."""

    conn_id: int = u32(doc="connection that set the watch")
    wpath_len: int = count_of("wpath", size=2, doc="length of `wpath`, NUL included", init=False)
    token_len: int = count_of("token", size=2, doc="length of `token`, NUL included", init=False)
    wpath: str = text(count="wpath_len", doc="path that is watched, and a NUL")
    token: str = text(count="token_len", doc="token of the watch, and a NUL")
    pad: bytes = aligned()

    def check(self) -> Iterable[Problem]:
        """Check that both strings end with their only NUL."""
        yield from not_a_string("wpath", self.wpath)
        yield from not_a_string("token", self.token)
        yield from ignored("pad", self.pad)

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a made-up watch."""
        token = f"{rng.randrange(10**6)}\0"
        return cls(conn_id=rng.randint(1, 99), wpath=_path(rng), token=token)


class WatchDataExtended(Body):
    """A watch of a connection, with the depth to which it looks; since version 2."""

    conn_id: int = u32(doc="connection that set the watch")
    wpath_len: int = count_of("wpath", size=2, doc="length of `wpath`, NUL included", init=False)
    token_len: int = count_of("token", size=2, doc="length of `token`, NUL included", init=False)
    depth: int = u16(doc="levels below the path that count; 65535: all")
    unused: bytes = blob(2, default=bytes(2), doc="ignored")
    wpath: str = text(count="wpath_len", doc="path that is watched, and a NUL")
    token: str = text(count="token_len", doc="token of the watch, and a NUL")
    pad: bytes = aligned()

    def check(self) -> Iterable[Problem]:
        """Check that both strings end with their only NUL."""
        yield from ignored("unused", self.unused)
        yield from not_a_string("wpath", self.wpath)
        yield from not_a_string("token", self.token)
        yield from ignored("pad", self.pad)

    def summary(self) -> Mapping[str, str]:
        """Return the depth, if it is no number."""
        return {"looks at": "all levels"} if self.depth == UNLIMITED_DEPTH else {}

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a made-up watch."""
        return cls(
            conn_id=rng.randint(1, 99),
            depth=rng.choice([0, 1, UNLIMITED_DEPTH]),
            wpath=_path(rng),
            token=f"{rng.randrange(10**6)}\0",
        )


class TransactionData(Body):
    """A transaction that a connection has begun and not ended."""

    conn_id: int = u32(doc="connection that began it")
    tx_id: int = u32(doc="its number")


class ConnectionDataRecord(RecordType[ConnectionData]):
    """A connection; watches, transactions and pending nodes refer to it."""

    code, name, body = 2, "CONNECTION_DATA", ConnectionData
    identity: ClassVar[tuple[str, ...]] = ("conn_id",)


class WatchDataRecord(RecordType[WatchData]):
    """A watch."""

    code, name, body = 3, "WATCH_DATA", WatchData
    identity: ClassVar[tuple[str, ...]] = ("conn_id", "wpath", "token")


class TransactionDataRecord(RecordType[TransactionData]):
    """A pending transaction."""

    code, name, body = 4, "TRANSACTION_DATA", TransactionData
    identity: ClassVar[tuple[str, ...]] = ("conn_id", "tx_id")


class WatchDataExtendedRecord(RecordType[WatchDataExtended]):
    """A watch with a depth; since version 2."""

    code, name, body = 8, "WATCH_DATA_EXTENDED", WatchDataExtended
    identity: ClassVar[tuple[str, ...]] = ("conn_id", "wpath", "token")
