"""The record types of the libxl stream."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import ClassVar

from domctx_core import Body, Content, Empty, Problem, RecordType, blob, reserved, u32
from domctx_plugin_xen_streams.key_values import key_values, split_pairs

__all__ = [
    "CheckpointControl",
    "CheckpointEndRecord",
    "CheckpointState",
    "CheckpointStateRecord",
    "Emulator",
    "EmulatorContext",
    "EmulatorContextRecord",
    "EmulatorXenstoreData",
    "EmulatorXenstoreDataRecord",
    "EndRecord",
    "LibxcContextRecord",
]


class Emulator(IntEnum):
    """Which device model a record is about."""

    UNKNOWN = 0
    QEMU_TRADITIONAL = 1
    QEMU_UPSTREAM = 2


class CheckpointControl(IntEnum):
    """What one side of a COLO pair tells the other."""

    NEW = 0
    SVM_SUSPENDED = 1
    SVM_READY = 2
    SVM_RESUMED = 3


class EmulatorXenstoreData(Body):
    """What an emulator keeps in xenstore: keys and values in turn, each ended by a NUL."""

    emulator_id: Emulator = u32(doc="kind of emulator")
    index: int = u32(doc="tells emulators of one kind apart")
    data: str = key_values(doc="relative paths and their values")

    def pairs(self) -> list[tuple[str, str]]:
        """Return the relative paths and their values, in the order of the record."""
        return split_pairs(self.data)

    def check(self) -> Iterable[Problem]:
        """Check that each path has a value, and that both end with a NUL."""
        ended = self.data.count("\0")
        if (self.data and not self.data.endswith("\0")) or ended % 2:
            yield Problem(
                "field-out-of-range",
                "`data` is not a row of paths and values, each ended by a NUL",
                field="data",
                expected="an even number of NULs, the last one at the end",
                actual=f"{ended} NULs, {'one' if self.data.endswith(chr(0)) else 'none'} at the end",
            )

    def summary(self) -> Mapping[str, str]:
        """Return one line per key."""
        return dict(self.pairs())

    @classmethod
    def example(cls, rng: random.Random) -> EmulatorXenstoreData:
        """Return a few made-up keys."""
        keys = "".join(f"physmap/{n:x}/name\0vga.{n}\0" for n in range(rng.randrange(4)))
        return cls(emulator_id=rng.choice(list(Emulator)), index=rng.randrange(4), data=keys)


class EmulatorContext(Body):
    """An emulator's own saved state, which only it can read."""

    emulator_id: Emulator = u32(doc="kind of emulator")
    index: int = u32(doc="tells emulators of one kind apart")
    context: bytes = blob(doc="the emulator's save file")


class CheckpointState(Body):
    """A step of a COLO checkpoint."""

    control_id: CheckpointControl = u32(doc="which step")
    pad = reserved(4)


class EndRecord(RecordType[Empty]):
    """The last record of the stream."""

    code, name, body = 0, "END", Empty


class LibxcContextRecord(RecordType[Empty]):
    """A whole libxc stream follows."""

    code, name, body = 1, "LIBXC_CONTEXT", Empty
    content: ClassVar[Content | None] = Content("libxc", inline=True)


class EmulatorXenstoreDataRecord(RecordType[EmulatorXenstoreData]):
    """The keys of an emulator in xenstore."""

    code, name, body = 2, "EMULATOR_XENSTORE_DATA", EmulatorXenstoreData
    identity: ClassVar[tuple[str, ...]] = ("emulator_id", "index")


class EmulatorContextRecord(RecordType[EmulatorContext]):
    """The state of an emulator."""

    code, name, body = 3, "EMULATOR_CONTEXT", EmulatorContext
    opaque: ClassVar[bool] = True
    identity: ClassVar[tuple[str, ...]] = ("emulator_id", "index")


class CheckpointEndRecord(RecordType[Empty]):
    """A checkpoint is complete; the libxc stream goes on where CHECKPOINT suspended it."""

    code, name, body = 4, "CHECKPOINT_END", Empty
    content: ClassVar[Content | None] = Content("libxc", inline=True, resumes=True)


class CheckpointStateRecord(RecordType[CheckpointState]):
    """A message between the two sides of a COLO pair."""

    code, name, body = 5, "CHECKPOINT_STATE", CheckpointState
