"""Reading the records of an image: which are refused, and with which rule and errno."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from number_records import Number, NumberRecord, PairRecord, numbers_image, registry_of
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
from word_records import WordType, fresh, load, refused, word

from domctx_core import (
    SINGLE,
    BufferSource,
    Errno,
    Instances,
    MemoryLoadOps,
    PluginError,
    RecordType,
    Severity,
    XenVersion,
    load_domain,
    verify,
)
from domctx_core.engine.sim_domain import SimDomain

GOOD = tsc()


ROWS: dict[str, tuple[bytes, str, Errno, int]] = {
    "input ends in a header": (start() + b"\3", "truncated-header", Errno.ENODATA, 24),
    "input ends in a body": (start() + rec(3, 0, GOOD)[:30], "truncated-body", Errno.ENODATA, 40),
    "input ends in padding": (
        start() + rec(3, 0, GOOD)[:-1], "truncated-padding", Errno.ENODATA, 60,
    ),
    "first is not START": (rec(3, 0, GOOD) + end(), "first-not-start", Errno.EINVAL, 0),
    "first is END": (end(), "first-not-start", Errno.EINVAL, 0),
    "START instance": (
        rec(1, 1, start()[16:]) + end(), "start-instance", Errno.EINVAL, 4,
    ),
    "END instance": (start() + rec(0, 1, b""), "end-instance", Errno.EINVAL, 28),
    "START too short": (rec(1, 0, start()[16:], length=7) + end(), "body-too-short", Errno.ENODATA, 20),
    "START too long": (rec(1, 0, start()[16:] + b"\0") + end(), "body-not-consumed", Errno.EINVAL, 24),
    "newer major": (start(5, 0) + end(), "newer-version", Errno.EOPNOTSUPP, 16),
    "newer minor": (start(4, 16) + end(), "newer-version", Errno.EOPNOTSUPP, 20),
    "type unknown": (image(rec(77, 0, b"")), "unknown-type", Errno.EINVAL, 24),
    "type beyond any table": (image(rec(2**32 - 1, 0, b"")), "unknown-type", Errno.EINVAL, 24),
    "body too short": (image(rec(3, 0, GOOD[:19])), "body-too-short", Errno.ENODATA, 56),
    "body empty": (image(rec(3, 0, b"")), "body-too-short", Errno.ENODATA, 40),
    "body not consumed": (image(rec(3, 0, GOOD + bytes(4))), "body-not-consumed", Errno.EINVAL, 60),
    "padding": (
        start() + rec(3, 0, GOOD)[:-2] + b"\1\0" + end(), "padding-not-zero", Errno.EINVAL, 62,
    ),
    "TSC_INFO instance": (image(rec(3, 1, GOOD)), "instance-not-allowed", Errno.ENXIO, 28),
    "SHARED_INFO instance": (
        image(rec(2, 5, bytes(4100))), "instance-not-allowed", Errno.ENXIO, 28,
    ),
    "VCPU instance": (image(rec(5, 128, bytes(8))), "instance-not-allowed", Errno.EINVAL, 28),
    "second START": (start() + start() + end(), "start-repeated", Errno.EINVAL, 24),
    "duplicate": (image(port(3), port(4), port(3)), "duplicate-record", Errno.EEXIST, 88),
    "END length": (start() + rec(0, 0, bytes(8)), "end-length", Errno.EINVAL, 40),
    "no END": (start() + rec(3, 0, GOOD), "end-missing", Errno.ENODATA, 64),
    "nothing at all": (b"", "end-missing", Errno.ENODATA, 0),
    "unknown flag bits": (image(rec(2, 0, b"\2" + bytes(4099))), "reserved-not-zero", Errno.EINVAL, 40),
    "value out of range": (image(rec(3, 0, tsc(mode=3))), "field-out-of-range", Errno.EINVAL, 40),
    "length near 2**64": (
        start() + rec(3, 0, b"", length=2**64 - 8), "length-overflow", Errno.ENODATA, 32,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_errno_table(name: str) -> None:
    data, rule, errno, offset = ROWS[name]
    error = refused(LoggedDomain(registry()), data)
    assert (error.rule, error.errno, error.offset) == (rule, errno, offset)
    assert error.message
    # verify says the same
    verdict = verify(BufferSource(data), formats(), receiver=XenVersion(4, 15))
    assert (rule, errno) in {
        (f.rule, f.errno) for f in verdict.findings if f.severity is Severity.ERROR
    }


def test_errors_of_a_record_say_which_one() -> None:
    error = refused(LoggedDomain(registry()), image(port(1), port(2, state=7), port(3)))
    assert (error.record, error.type, error.type_name, error.instance) == (2, 4, "EVTCHN", 2)
    assert (error.field, error.actual) == ("state", 7)
    assert error.provider is THIRD


@pytest.mark.parametrize(
    ("data", "consumed"),
    [
        (image() + b"after", 40),
        (start(4, 15) + end(), 40),
        (start(4, 14) + end(), 40),
        (start(3, 99) + end(), 40),
        (image(port(9), port(3)), 104),
        (image(port(2**32 - 1)), 72),
        (image(rec(5, 127, bytes(8)), rec(3, 0, GOOD)), 104),
    ],
)
def test_what_is_not_refused(data: bytes, consumed: int) -> None:
    domain = LoggedDomain(registry())
    assert load(domain, data).consumed == consumed


def test_no_handler() -> None:
    class Looked(WordType):
        loadable = False

    error = refused(fresh(Looked), image(word(0, 1)))
    assert (error.rule, error.errno, error.type_name) == ("no-handler", Errno.EINVAL, "WORD")
    assert error.provider is THIRD


def test_a_plugin_that_cannot_be_used() -> None:
    known = registry([])

    def import_it() -> RecordType[Any]:
        raise PluginError("needs libxl")

    known.declare(0x100, "WORD", THIRD, import_it)
    domain = LoggedDomain(known)
    with pytest.raises(PluginError, match="needs libxl") as caught:
        load(domain, image(word(0, 1)))
    assert (caught.value.type, caught.value.provider) == (0x100, THIRD)
    assert domain.log == []
    load(domain, image())


def test_own_instance_limits() -> None:
    class Few(WordType):
        instances = Instances(limit=3, errno=Errno.ENOENT)

    assert load(fresh(Few), image(word(2, 1))).records == 1
    error = refused(fresh(Few), image(word(3, 1)))
    assert (error.errno, error.expected, error.actual) == (Errno.ENOENT, "0 to 2", 3)


def test_single_types_stay_single() -> None:
    class Lone(WordType):
        instances = SINGLE

    assert refused(fresh(Lone), image(word(1, 1))).errno is Errno.ENXIO


def test_types_that_take_turns_are_all_loaded() -> None:
    known = registry_of(PairRecord, NumberRecord)
    rows = []
    for n in range(500):
        rows.append(struct.pack("<IIQIxBxx", 0x110, n, 6, n, 1))
        rows += [struct.pack("<IIQBB6x", 0x100, n, 2, n % 200, 255)] * (n % 3 == 0)
    tail = [struct.pack("<IIQIxBxx", 0x110, 500 + n, 6, n, 1) for n in range(900)]
    data = numbers_image(0)[:24] + b"".join(rows + tail) + bytes(16)
    domain = SimDomain(known)
    assert load_domain(domain, MemoryLoadOps(data), known).records == len(rows) + 900
    assert len(list(domain.instances(Number))) == 1400
    assert domain.read(Number, 1399).number == 899
