"""Judging records: every rule, its offset and severity, and faults of plugins."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from typing import Any

import pytest
from support import (
    THIRD,
    LoggedDomain,
    end,
    formats,
    image,
    port,
    rec,
    registry,
    start,
    tsc,
)
from verdict_records import findings

from domctx_core import (
    Body,
    BufferSource,
    DeclarationError,
    Errno,
    ImageError,
    MemoryLoadOps,
    PluginError,
    Problem,
    Record,
    RecordType,
    Severity,
    XenVersion,
    load_domain,
    u32,
    verify,
    walk,
)


def places(data: bytes, **options: Any) -> list[tuple[str, int, int | None]]:
    return [(f.rule, f.offset, f.record) for f in findings(data, **options)]


E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE


RULES: dict[str, tuple[bytes, int, int | None, Severity, Errno | None]] = {
    "truncated-header": (start() + b"\3\0", 24, 1, E, Errno.ENODATA),
    "truncated-body": (start() + rec(3, 0, tsc())[:20], 40, 1, E, Errno.ENODATA),
    "truncated-padding": (start() + rec(3, 0, tsc())[:-3], 60, 1, E, Errno.ENODATA),
    "length-overflow": (start() + rec(3, 0, b"", length=2**64 - 1), 32, 1, E, Errno.ENODATA),
    "start-repeated": (start() + start() + end(), 24, 1, E, Errno.EINVAL),
    "start-instance": (rec(1, 2, start()[16:]) + end(), 4, 0, E, Errno.EINVAL),
    "end-instance": (start() + rec(0, 7, b""), 28, 1, E, Errno.EINVAL),
    "end-length": (start() + rec(0, 0, bytes(8)), 40, 1, E, Errno.EINVAL),
    "end-missing": (start() + port(1), 56, 2, E, Errno.ENODATA),
    "trailing-bytes": (image() + b"abc", 40, None, W, None),
    "unknown-type": (image(rec(0x40, 9, b"abc")), 24, 1, E, Errno.EINVAL),
    "body-too-short": (image(rec(3, 0, tsc()[:16])), 56, 1, E, Errno.ENODATA),
    "body-not-consumed": (image(rec(3, 0, tsc() + bytes(8))), 60, 1, E, Errno.EINVAL),
    "padding-not-zero": (start() + rec(3, 0, tsc())[:-1] + b"\x80" + end(), 63, 1, E, Errno.EINVAL),
    "instance-not-allowed": (image(rec(3, 4, tsc())), 28, 1, E, Errno.ENXIO),
    "duplicate-record": (image(port(1), port(1)), 56, 2, E, Errno.EEXIST),
    "order-not-ascending": (image(port(1), rec(3, 0, tsc()), port(2)), 56, 2, W, None),
    "newer-version": (start(9, 0) + end(), 16, 0, N, Errno.EOPNOTSUPP),
    "reserved-not-zero": (image(rec(2, 0, b"\x04" + bytes(4099))), 40, 1, E, Errno.EINVAL),
    "field-out-of-range": (image(rec(3, 0, tsc(mode=3))), 40, 1, E, Errno.EINVAL),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    data, offset, record, severity, errno = RULES[rule]
    (finding,) = findings(data)
    assert (finding.rule, finding.offset, finding.record) == (rule, offset, record)
    assert (finding.severity, finding.errno) == (severity, errno)
    assert finding.container == ("domain-context",)
    assert finding.message
    shown = finding.to_json()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["severity"] == str(severity)
    assert shown["errno"] == (errno and errno.name)
    # what verify calls an error is what load refuses, and only that
    domain = LoggedDomain(registry(), xen_version=None)
    if severity is Severity.ERROR:
        with pytest.raises(ImageError) as caught:
            load_domain(domain, MemoryLoadOps(data), domain.registry)
        assert (caught.value.rule, caught.value.errno) == (rule, errno)
    else:
        load_domain(domain, MemoryLoadOps(data), domain.registry)


def test_first_not_start() -> None:
    found = findings(port(1) + end())
    assert (found[0].rule, found[0].offset, found[0].expected) == ("first-not-start", 0, "type 1")
    assert [f.rule for f in found] == ["first-not-start"]
    # what comes first is then not judged for coming late
    assert places(rec(3, 0, tsc()) + start() + end())[:2] == [
        ("first-not-start", 0, 0), ("start-repeated", 40, 1),
    ]  # fmt: skip


def test_length_over_cap() -> None:
    data = image(port(1), rec(5, 0, struct.pack("<II", 0, 1000) + bytes(1000)))
    (finding,) = findings(data, cap=900)
    assert (finding.rule, finding.errno, finding.offset) == ("length-over-cap", Errno.E2BIG, 56)
    assert (finding.expected, finding.actual) == ("at most 900 bytes", "1008 bytes")
    assert findings(data, cap=1100) == []


def test_verify_goes_on_after_a_fault() -> None:
    data = image(
        port(1, state=9), rec(0x40, 0, b""), rec(3, 7, tsc(mode=4)), port(1),
        rec(3, 0, tsc() + b"!"),
    )  # fmt: skip
    assert places(data) == [
        ("field-out-of-range", 40, 1),
        ("unknown-type", 56, 2),
        ("order-not-ascending", 72, 3),
        ("instance-not-allowed", 76, 3),
        ("field-out-of-range", 88, 3),
        ("duplicate-record", 112, 4),
        ("body-not-consumed", 144 + 16 + 20, 5),
    ]


def test_all_problems_of_one_body() -> None:
    data = image(rec(5, 0, struct.pack("<II", 2, 3) + b"ab"))
    assert [f.rule for f in findings(data)] == ["body-too-short"]
    data = image(rec(5, 0, struct.pack("<II", 2, 3) + b"abcd"))
    assert [f.rule for f in findings(data)] == ["field-out-of-range", "body-not-consumed"]


def test_a_length_that_is_wrong_whatever_follows() -> None:
    data = start() + rec(3, 0, tsc(), length=1 << 40)
    assert [f.rule for f in findings(data)] == ["body-not-consumed", "truncated-body"]


def test_a_truncated_padding_does_not_hide_the_body() -> None:
    data = start() + rec(3, 0, tsc(mode=3))[:-1]
    assert [f.rule for f in findings(data)] == ["field-out-of-range", "truncated-padding"]


def test_target_version() -> None:
    data = start(4, 17) + end()
    assert findings(data) == []
    (finding,) = findings(data, receiver=XenVersion(4, 15))
    assert (finding.severity, finding.errno) == (Severity.ERROR, Errno.EOPNOTSUPP)
    assert (finding.expected, finding.actual, finding.field) == (
        "at most 4.15",
        "4.17",
        "xen_minor",
    )
    assert findings(data, receiver=XenVersion(4, 17)) == []
    assert findings(data, receiver=XenVersion(5, 0)) == []


def test_needs_plugin() -> None:
    known = formats()
    into = known.registry("domain-context")

    def load() -> RecordType[Any]:
        raise PluginError("`third-party` is disabled")

    into.declare(0x100, "OFF", THIRD, load)
    into.declare(3, "RIVAL", THIRD, load)
    data = image(rec(3, 0, tsc()), rec(0x100, 0, b"abc"))
    verdict = verify(BufferSource(data), known)
    assert verdict.needs_plugin
    assert [(f.rule, f.severity, f.offset) for f in verdict.findings] == [
        ("needs-plugin", Severity.ERROR, 24),
        ("needs-plugin", Severity.ERROR, 64),
    ]
    assert "third-party 2.5" in verdict.findings[0].message
    assert "is disabled" in verdict.findings[1].message
    assert not verify(BufferSource(image()), known).needs_plugin


class Word(Body):
    value: int = u32()


class Raising(Word):
    def check(self) -> Iterable[Problem]:
        raise ArithmeticError("oops")


def test_a_body_with_a_bug() -> None:
    class RaisingType(RecordType[Raising]):
        code, name, body = 0x100, "RAISING", Raising

    known = formats([RaisingType])
    data = image(rec(0x100, 3, b"abcd"), rec(0x101, 0, b""))
    verdict = verify(BufferSource(data), known)
    assert verdict.needs_plugin
    assert [(f.rule, f.record, f.instance) for f in verdict.findings] == [
        ("needs-plugin", 1, 3), ("unknown-type", 2, 0),
    ]  # fmt: skip
    assert "ArithmeticError: oops" in verdict.findings[0].message
    (record,) = [e for e in walk(BufferSource(data), known) if isinstance(e, Record)][1:2]
    with pytest.raises(PluginError) as caught:
        _ = record.decoded
    assert caught.value.provider is THIRD


def test_no_handler_is_a_note() -> None:
    class Shown(RecordType[Word]):
        code, name, body, loadable = 0x100, "SHOWN", Word, False

    verdict = verify(BufferSource(image(rec(0x100, 0, b"abcd"))), formats([Shown]))
    assert verdict.valid
    assert [(f.rule, f.severity) for f in verdict.findings] == [("no-handler", Severity.NOTE)]


def test_a_rule_that_nobody_declares() -> None:
    class Judging(RecordType[Word]):
        code, name, body = 0x100, "JUDGING", Word

        def judge(self, instance: int | None, body: Word, receiver: Any) -> Iterable[Problem]:
            yield Problem("nowhere/declared", "so")

    with pytest.raises(DeclarationError, match="nowhere/declared"):
        verify(BufferSource(image(rec(0x100, 0, b"abcd"))), formats([Judging]))
