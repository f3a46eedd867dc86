"""The check across the records of a libxc stream.

It tells that of the libxl stream around it which kind of guest the stream holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from domctx_core import (
    Check,
    Container,
    Problem,
    RecordView,
    Rule,
    Severity,
    XenVersion,
)
from domctx_plugin_xen_streams.check_libxl import BIG_ENDIAN, LibxlCheck, missing_problem
from domctx_plugin_xen_streams.headers import LIBXC_VERSIONS, GuestType, LibxcDomainHeader
from domctx_plugin_xen_streams.libxc import X86PvInfo
from domctx_plugin_xen_streams.pv_vcpu import (
    VcpuGuestContext32,
    VcpuGuestContext64,
    X86PvVcpu,
    X86PvVcpuBasic,
)
from domctx_plugin_xen_streams.rules import RULES

__all__ = ["LibxcCheck"]

END, PAGE_DATA, PV_INFO, P2M_FRAMES, VCPU_BASIC = 0, 1, 2, 3, 4
VCPU_EXTENDED, VCPU_XSAVE, SHARED_INFO, TSC_INFO, HVM_CONTEXT = 5, 6, 7, 8, 9
HVM_PARAMS, TOOLSTACK, VCPU_MSRS, VERIFY, CHECKPOINT = 10, 11, 12, 13, 14
DIRTY_PFN_LIST, STATIC_DATA_END, CPUID_POLICY, MSR_POLICY, DOMAIN_CONTEXT = 15, 16, 17, 18, 19

_NAMES = {
    PV_INFO: "X86_PV_INFO",
    P2M_FRAMES: "X86_PV_P2M_FRAMES",
    SHARED_INFO: "SHARED_INFO",
    TSC_INFO: "X86_TSC_INFO",
    HVM_CONTEXT: "HVM_CONTEXT",
    HVM_PARAMS: "HVM_PARAMS",
    DOMAIN_CONTEXT: "DOMAIN_CONTEXT",
}

_VCPU = frozenset({VCPU_BASIC, VCPU_EXTENDED, VCPU_XSAVE, VCPU_MSRS})
_OF_PV = _VCPU | {PV_INFO, P2M_FRAMES, SHARED_INFO}
_OF_HVM = frozenset({HVM_CONTEXT, HVM_PARAMS})
_STATIC = frozenset({PV_INFO, CPUID_POLICY, MSR_POLICY})
_BEFORE_STATIC_DATA_END = _STATIC | {STATIC_DATA_END}

_ONCE_PER_STREAM = _STATIC | {STATIC_DATA_END}
_ONCE_PER_CHECKPOINT = _OF_HVM | {SHARED_INFO, TSC_INFO, DOMAIN_CONTEXT}

_SINCE = {STATIC_DATA_END: 3, CPUID_POLICY: 3, MSR_POLICY: 3, DOMAIN_CONTEXT: 4}
_UNTIL = {SHARED_INFO: 3, TSC_INFO: 3}

#: A record depends on those of a lower rank. SHARED_INFO and X86_TSC_INFO may stand anywhere.
_RANKS = {PV_INFO: 0, P2M_FRAMES: 1, PAGE_DATA: 2, DOMAIN_CONTEXT: 3} | dict.fromkeys(
    _VCPU | _OF_HVM, 4
)

_CONTEXT_WIDTHS: dict[type[Any], int] = {VcpuGuestContext64: 8, VcpuGuestContext32: 4}
_CONTEXT_OFFSET = 8

_MAX_VCPUS = 8192
"""More vCPUs than any x86 guest of Xen has; so the memory that they take here is bounded."""

_LIBXC_OPTIONS = 16


class LibxcCheck(Check):
    """Presence, order and number of the records of a libxc stream, by version and kind of guest."""

    format: ClassVar[str] = "libxc"
    codes: ClassVar[frozenset[int]] = frozenset(range(DOMAIN_CONTEXT + 1))
    first_of_row: ClassVar[frozenset[int]] = frozenset({PAGE_DATA})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __init__(self) -> None:
        #: What the domain header says; None where it says nothing that is known.
        self.guest: GuestType | None = None
        self.xen_version: XenVersion | None = None
        #: Size of a PV guest's words in bytes, once X86_PV_INFO has told.
        self.guest_width: int | None = None
        self._context_widths: set[int] = set()
        self._version = 0
        self._ever: set[int] = set()
        self._now: set[int] = set()
        self._vcpus: dict[int, int] = {}
        self._unreadable_vcpu = False
        self._reported: set[tuple[str, int]] = set()
        self._highest_ever: RecordView | None = None
        self._highest: RecordView | None = None
        self._settled = False

    def begin(self, container: Container) -> Iterable[Problem]:
        """Take over what the headers say, and tell the libxl stream around it."""
        self._version = container.version
        header = next((b for b in container.prologue if isinstance(b, LibxcDomainHeader)), None)
        if header is not None:
            if header.type in tuple(GuestType):
                self.guest = GuestType(header.type)
            if header.xen_major:
                self.xen_version = XenVersion(header.xen_major, header.xen_minor)
        if container.outer is not None:
            around = container.outer.find(LibxlCheck)
            if around is not None:
                around.guest = self.guest
        if container.byteorder == "big":
            yield Problem(
                BIG_ENDIAN, "the libxc stream is big-endian, and libxc refuses it", _LIBXC_OPTIONS
            )

    def record(self, seen: RecordView) -> Iterable[Problem]:
        """Judge one record against those before it."""
        if seen.code != PAGE_DATA:
            self._settled = False
        elif self._settled:  # right after another one: what there is to say has been said
            return ()
        else:
            self._settled = True
        return self._judge(seen)

    def _judge(self, seen: RecordView) -> Iterator[Problem]:
        code = seen.code
        if self._version not in LIBXC_VERSIONS:
            return  # the header's own finding says all there is to say
        if code in (END, CHECKPOINT):
            yield from self._complete(seen)
        else:
            yield from self._allowed(seen)
            yield from self._duplicate(seen)
            yield from self._order(seen)
        yield from self._static_data(seen)
        if isinstance(seen.body, X86PvInfo):
            yield from self._pv_info(seen.body)
        elif isinstance(seen.body, X86PvVcpuBasic):
            yield from self._vcpu_context(seen.body, seen.length)
        self._ever.add(code)
        self._now.add(code)
        if code == CHECKPOINT:
            self._now.clear()
            self._vcpus.clear()
            self._unreadable_vcpu = False
            self._highest = None

    def _alien(self, code: int) -> bool:
        """Return True if records of that type belong to the other kind of guest."""
        if self.guest is None:
            return False
        return code in (_OF_HVM if self.guest is GuestType.X86_PV else _OF_PV)

    def _once(self, what: str, code: int) -> bool:
        """Return True if this is reported for the first time: a thousand such records are one mistake."""
        new = (what, code) not in self._reported
        self._reported.add((what, code))
        return new

    def _allowed(self, seen: RecordView) -> Iterator[Problem]:
        code, version = seen.code, self._version
        if code in (TOOLSTACK, DIRTY_PFN_LIST) and self._once("refused", code):
            yield Problem("xen-streams/refused-record", f"no receiver takes {seen.name}")
        first, last = _SINCE.get(code, 0), _UNTIL.get(code, version)
        if not first <= version <= last and self._once("version", code):
            yield Problem(
                "xen-streams/wrong-version",
                f"{seen.name} has no place in version {version} of the libxc stream",
                expected=f"version {first} or higher" if first else f"version {last} or lower",
                actual=f"version {version}",
            )
        if self.guest is not None and self._alien(code) and self._once("guest", code):
            other = GuestType.X86_PV if self.guest is GuestType.X86_HVM else GuestType.X86_HVM
            kind = "a PV guest" if self.guest is GuestType.X86_PV else "an HVM guest"
            yield Problem(
                "xen-streams/wrong-guest",
                f"{seen.name} stands in the stream of {kind}",
                expected=f"type {other.name} in the domain header",
                actual=self.guest.name,
            )

    def _duplicate(self, seen: RecordView) -> Iterator[Problem]:
        code, where = seen.code, None
        if code in _ONCE_PER_STREAM and code in self._ever:
            where = "in the stream"
        elif code in _ONCE_PER_CHECKPOINT and code in self._now:
            where = "in one checkpoint" if CHECKPOINT in self._ever else "in the stream"
        elif code in _VCPU and seen.body is None:
            self._unreadable_vcpu |= code == VCPU_BASIC
        elif code in _VCPU and isinstance(seen.body, X86PvVcpu):
            vcpu = seen.body.vcpu_id
            if vcpu >= _MAX_VCPUS:
                yield Problem(
                    "field-out-of-range",
                    "`vcpu_id` is higher than any guest's",
                    0,
                    "vcpu_id",
                    expected=f"at most {_MAX_VCPUS - 1}",
                    actual=vcpu,
                )
                return
            known = self._vcpus.get(code, 0)
            if known >> vcpu & 1:
                where = f"for vCPU {vcpu}"
            self._vcpus[code] = known | 1 << vcpu
        if where is not None:
            yield Problem(
                "xen-streams/duplicate-record", f"{seen.name} stands {where} a second time"
            )

    def _order(self, seen: RecordView) -> Iterator[Problem]:
        code = seen.code
        rank = _RANKS.get(code)
        if rank is None or self._alien(code):
            return
        if code == HVM_PARAMS and HVM_CONTEXT in self._now and self._once("params", code):
            yield Problem(
                "xen-streams/params-order",
                "HVM_PARAMS comes after HVM_CONTEXT, as Xen writes it and against the"
                " specification",
                expected="HVM_PARAMS, HVM_CONTEXT",
                actual="HVM_CONTEXT, HVM_PARAMS",
            )
        # once for all checkpoints, and what comes again depends on nothing before it
        of_stream = code in (PV_INFO, P2M_FRAMES)
        if of_stream and code in self._ever:
            return
        highest = self._highest_ever if of_stream else self._highest
        if highest is not None and rank < _RANKS[highest.code] and self._once("order", code):
            yield Problem(
                "xen-streams/record-order",
                f"{seen.name} comes after {highest.name} (record {highest.index}), which depends"
                " on it",
                expected=f"{seen.name} before {highest.name}",
                actual=f"after record {highest.index} at offset {highest.offset:#x}",
            )
        # only code, index and offset are needed later: a body is not kept for them
        mark = RecordView(seen.index, seen.offset, code, seen.name, None, seen.length, None)
        if self._highest is None or rank > _RANKS[self._highest.code]:
            self._highest = mark
        if self._highest_ever is None or rank > _RANKS[self._highest_ever.code]:
            self._highest_ever = mark

    def _static_data(self, seen: RecordView) -> Iterator[Problem]:
        if self._version < 3:
            return
        code, rule = seen.code, "xen-streams/static-data-end"
        if STATIC_DATA_END in self._ever:
            if code in _STATIC and self._once("static", code):
                yield Problem(
                    rule,
                    f"{seen.name} is static data, and comes after STATIC_DATA_END",
                    expected=f"{seen.name} before STATIC_DATA_END",
                    actual="after it",
                )
        elif code not in _BEFORE_STATIC_DATA_END and self._once("static", STATIC_DATA_END):
            yield Problem(
                rule,
                f"{seen.name} comes without a STATIC_DATA_END before it",
                expected="STATIC_DATA_END (type 16), required from version 3 on",
                actual=f"{seen.name} (type {code})",
            )

    def _pv_info(self, info: X86PvInfo) -> Iterator[Problem]:
        expected = {4: 3, 8: 4}.get(info.guest_width)
        if expected is None:
            return
        self.guest_width = info.guest_width
        if info.pt_levels in (3, 4) and info.pt_levels != expected:
            yield Problem(
                "xen-streams/guest-width",
                f"a guest with words of {info.guest_width} bytes has page tables of"
                f" {info.pt_levels} levels",
                1,
                "pt_levels",
                expected=expected,
                actual=info.pt_levels,
            )
        for width in self._context_widths:
            yield from self._width(width, info.guest_width, 0, "guest_width")

    def _vcpu_context(self, vcpu: X86PvVcpuBasic, length: int) -> Iterator[Problem]:
        width = _CONTEXT_WIDTHS.get(type(vcpu.context))
        # of another length it is damaged, and which of the two it was nobody can say
        if width is not None and length == vcpu.size():
            self._context_widths.add(width)
            yield from self._width(self.guest_width, width, _CONTEXT_OFFSET, "context")

    def _width(
        self, expected: int | None, actual: int, offset: int, field: str
    ) -> Iterator[Problem]:
        """Compare the word width of vCPU registers with X86_PV_INFO, which may come later."""
        if expected not in (None, actual) and self._once("width", VCPU_BASIC):
            yield Problem(
                "xen-streams/guest-width",
                "X86_PV_INFO and the registers of the vCPU are of guests with different words",
                offset,
                field,
                expected=f"words of {expected} bytes",
                actual=f"words of {actual} bytes",
            )

    def _complete(self, seen: RecordView) -> Iterator[Problem]:
        """Yield what is missing from the checkpoint, or the stream, that ends with this record."""
        last = seen.code == END
        if last and PAGE_DATA not in self._ever:
            yield Problem(
                "xen-streams/no-page-data", "the stream has no PAGE_DATA: guest memory is left out"
            )
        if last and not self._now and CHECKPOINT in self._ever:
            return
        what = "the stream" if CHECKPOINT not in self._ever and last else "the checkpoint"
        for code, severity in self._needed():
            have = self._ever if code in (PV_INFO, P2M_FRAMES) else self._now
            if code not in have and self._once("missing", code):
                yield missing_problem(f"{what} ends without {_NAMES[code]}", _NAMES[code], severity)
        if self.guest is not GuestType.X86_PV or self._unreadable_vcpu:
            return
        if not self._vcpus.get(VCPU_BASIC, 0) & 1 and self._once("missing", VCPU_BASIC):
            name = "X86_PV_VCPU_BASIC of vCPU 0"
            yield missing_problem(f"{what} ends without {name}", name, None)

    def _needed(self) -> Iterator[tuple[int, Severity | None]]:
        """Yield type codes that the stream needs; with a severity where a receiver can do without."""
        if self.guest is GuestType.X86_PV:
            yield PV_INFO, None
            yield P2M_FRAMES, None
        elif self.guest is GuestType.X86_HVM:
            yield HVM_CONTEXT, None
            yield HVM_PARAMS, Severity.WARNING
        if self._version >= 4:
            yield DOMAIN_CONTEXT, None
            return
        yield TSC_INFO, Severity.WARNING
        if self.guest is GuestType.X86_PV:
            yield SHARED_INFO, Severity.WARNING
