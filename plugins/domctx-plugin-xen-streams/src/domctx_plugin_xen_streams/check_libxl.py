"""Checks of the xl header, of libxl streams and of the legacy stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from domctx_core import (
    Check,
    Container,
    Problem,
    RecordView,
    Rule,
    Severity,
)
from domctx_plugin_xen_streams.config import config_problem
from domctx_plugin_xen_streams.formats import Xl
from domctx_plugin_xen_streams.headers import (
    GuestType,
    XlHeader,
    XlMandatoryFlags,
    XlOptionalData,
)
from domctx_plugin_xen_streams.legacy import LEGACY_RULE, LibxcLegacy
from domctx_plugin_xen_streams.libxl import EmulatorContext, EmulatorXenstoreData
from domctx_plugin_xen_streams.rules import RULES

__all__ = ["BIG_ENDIAN", "LegacyCheck", "LibxlCheck", "XlCheck", "missing_problem"]

BIG_ENDIAN = "xen-streams/big-endian"

_CONFIG_OFFSET, _LIBXL_OPTIONS = 4, 12

_MAX_EMULATORS = 64
"""Emulators that are told apart; a guest has one."""


def missing_problem(message: str, what: str, severity: Severity | None) -> Problem:
    """Return the problem of a record that the stream lacks."""
    return Problem(
        "xen-streams/missing-record", message, expected=what, actual="none", severity=severity
    )


class XlCheck(Check):
    """The domain's configuration, where the flags say that it is JSON."""

    format: ClassVar[str] = Xl.name
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def begin(self, container: Container) -> Iterable[Problem]:
        """Look at the optional data, which a file need not have."""
        match container.prologue:
            case (XlHeader() as header, XlOptionalData(config=config)):
                if header.mandatory_flags & XlMandatoryFlags.JSON_CONFIG:
                    problem = config_problem(config)
                    if problem is not None:
                        at = header.size() + _CONFIG_OFFSET + (problem.offset or 0)
                        yield problem._replace(offset=at)


class LibxlCheck(Check):
    """One libxc stream, and emulators for HVM guests only."""

    format: ClassVar[str] = "libxl"
    codes: ClassVar[frozenset[int]] = frozenset({0, 1, 2, 3, 4})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        #: The kind of guest, once the libxc stream inside has told.
        self.guest: GuestType | None = None
        self._has_libxc = False
        self._emulators: set[tuple[int, int, int]] = set()
        self._reported: set[tuple[str, int]] = set()

    def begin(self, container: Container) -> Iterable[Problem]:
        """Look at the byte order."""
        if container.byteorder == "big":
            yield Problem(
                BIG_ENDIAN, "the libxl stream is big-endian, and libxl refuses it", _LIBXL_OPTIONS
            )

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Judge one record against those before it."""
        match seen.code:
            case 0 if not self._has_libxc:
                yield missing_problem(
                    "the libxl stream ends without LIBXC_CONTEXT", "LIBXC_CONTEXT", None
                )
            case 1:
                if self._has_libxc:
                    yield Problem(
                        "xen-streams/duplicate-record",
                        "LIBXC_CONTEXT stands in the stream a second time",
                    )
                self._has_libxc = True
            case 2 | 3:
                yield from self._emulator(seen)
            case 4:
                self._emulators.clear()

    def _emulator(self, seen: RecordView) -> Iterator[Problem]:
        if not self._has_libxc and ("order", seen.code) not in self._reported:
            self._reported.add(("order", seen.code))
            yield Problem(
                "xen-streams/record-order",
                f"{seen.name} comes before LIBXC_CONTEXT",
                expected="LIBXC_CONTEXT first",
                actual=seen.name,
                severity=Severity.WARNING,
            )
        if self.guest is GuestType.X86_PV and ("guest", seen.code) not in self._reported:
            self._reported.add(("guest", seen.code))
            yield Problem(
                "xen-streams/wrong-guest",
                f"{seen.name} stands in the stream of a PV guest, which has no emulator",
                expected="type X86_HVM in the libxc domain header",
                actual=self.guest.name,
            )
        if isinstance(seen.body, EmulatorXenstoreData | EmulatorContext):
            key = seen.code, int(seen.body.emulator_id), seen.body.index
            if key in self._emulators:
                yield Problem(
                    "xen-streams/duplicate-record",
                    f"{seen.name} stands in the stream a second time for emulator {key[1]},"
                    f" index {key[2]}",
                )
            elif len(self._emulators) < _MAX_EMULATORS:
                self._emulators.add(key)


class LegacyCheck(Check):
    """A legacy stream is named as one; nothing in it is judged."""

    format: ClassVar[str] = LibxcLegacy.name
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def begin(self, container: Container) -> Iterable[Problem]:
        """Report a legacy stream, and what to do with it."""
        yield Problem(
            LEGACY_RULE,
            "a legacy stream (of Xen before 4.6) has no records and is not decoded;"
            " convert-legacy-stream, a tool of Xen, rewrites it",
            0,
            expected="a libxl stream, or a libxc stream of version 2 or higher",
        )
