"""Early domain context images, made by hand: recognised, decoded, judged."""

from __future__ import annotations

import itertools
import json
import random
import struct
from typing import Any

import pytest
from domctx_plugin_legacy_context.format import LegacyContext
from domctx_plugin_legacy_context.records import (
    EndRecord,
    Header,
    HeaderRecord,
    SharedInfo,
    SharedInfoRecord,
    TscInfo,
    TscInfoRecord,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from domctx_core import (
    BodyError,
    BufferSource,
    DomainContext,
    Formats,
    Opened,
    Provider,
    Record,
    Severity,
    diff_images,
    read_image,
    verify,
    walk,
)
from domctx_core.testing import RecordTypeConformance, Subject, subject_of

TYPES = [HeaderRecord, SharedInfoRecord, TscInfoRecord, EndRecord]
BODIES = [Header, SharedInfo, TscInfo]
HEADER = struct.Struct("<HHI")


def formats() -> Formats:
    made = Formats()
    provider = Provider("test", "0")
    made.add("domain-context", provider, DomainContext)
    made.add("legacy-context", provider, LegacyContext)
    for record_type in TYPES:
        made.registry("legacy-context").register(record_type, provider)
    return made


def record(type: int, body: bytes, order: str = "<", instance: int = 0) -> bytes:
    return struct.pack(order + "HHI", type, instance, len(body)) + body


def image(*records: bytes, order: str = "<", magic: int = 0x53415645, version: int = 1) -> bytes:
    start = struct.pack(order + "IHHI4x", magic, 4, 15, version)
    return record(1, start, order) + b"".join(records) + record(0, b"", order)


def tsc_info(order: str = "<", mode: int = 1, pad: int = 0) -> bytes:
    return record(3, struct.pack(order + "IIQII", mode, 7, 123456789, 2400000, pad), order)


def shared_info(size: int = 3136, flags: int = 0, order: str = "<", held: int = 3136) -> bytes:
    return record(2, struct.pack(order + "II", flags, size) + bytes(held), order)


def findings(data: bytes) -> list[tuple[str, int]]:
    verdict = verify(BufferSource(data), formats())
    return [(f.rule, f.offset) for f in verdict.findings if f.severity is not Severity.NOTE]


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_image_is_recognised_and_decoded(order: str) -> None:
    data = image(shared_info(order=order), tsc_info(order), order=order)
    events = list(walk(BufferSource(data), formats()))
    opened = events[0]
    assert isinstance(opened, Opened)
    assert (opened.level.path, opened.level.framing.version) == (("legacy-context",), 1)
    records = [event for event in events if isinstance(event, Record)]
    assert [each.name for each in records] == ["HEADER", "SHARED_INFO", "TSC_INFO", "END"]
    assert [each.padding for each in records] == [0, 0, 0, 0]
    header, shared, tsc = (each.decoded.body for each in records[:3] if each.decoded)  # type: ignore[union-attr]
    assert (header.xen_major, header.xen_minor) == (4, 15)
    assert (shared.buffer_size, shared.to_json()["info"]["layout"]) == (3136, "x86_64")
    assert (tsc.mode, tsc.incarnation, tsc.elapsed_nsec, tsc.khz) == (1, 7, 123456789, 2400000)
    assert findings(data) == []
    for each in records[:3]:
        assert each.decoded is not None
        assert each.decoded.body.to_bytes(each.level.framing.byteorder) == bytes(each.raw())


def test_none_of_it_can_be_loaded() -> None:
    verdict = verify(BufferSource(image(tsc_info())), formats())
    assert verdict.valid
    assert [finding.rule for finding in verdict.findings] == ["no-handler"] * 3


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\1\0\0\0\x10\0\0\0",
        image(magic=0x45564153)[:64],
        bytes.fromhex("0100000000000000 0800000000000000 040000000f000000"),
    ],
)
def test_what_is_something_else(head: bytes) -> None:
    assert not LegacyContext().recognises(head)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (image(version=2), ("field-out-of-range", 16)),
        (image(tsc_info(mode=3)), ("field-out-of-range", 32)),
        (image(tsc_info(pad=1)), ("reserved-not-zero", 52)),
        (image(shared_info(size=3135)), ("field-out-of-range", 36)),
        (image(shared_info(size=0xFFFFFFFF)), ("field-out-of-range", 36)),
        (image(shared_info(flags=1)), ("field-out-of-range", 32)),
        (image(shared_info(flags=2)), ("reserved-not-zero", 32)),
        (image(shared_info(size=2344, held=2344)), ("field-out-of-range", 32)),
        (image(shared_info(held=3144)[:-1] + b"\1"), ("body-not-consumed", 3176)),
        (image(shared_info(size=3144, held=3144)), ("body-not-consumed", 3176)),
        (image(record(2, bytes(7))), ("body-too-short", 36)),
        (image(record(3, bytes(31) + b"\1")), ("body-not-consumed", 56)),
        (image(record(3, bytes(8), instance=1)), ("instance-not-allowed", 26)),
        (image()[:-1], ("truncated-header", 24)),
        (image(record(9, b"")), ("unknown-type", 24)),
        (image(tsc_info(), shared_info()), ("order-not-ascending", 56)),
        (image(tsc_info(), tsc_info()), ("duplicate-record", 56)),
    ],
    ids=itertools.count(),
)
def test_a_rule_that_is_broken(data: bytes, expected: tuple[str, int]) -> None:
    assert expected in findings(data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("size", range(24))
def test_what_a_short_body_lacks_is_taken_for_zeros(size: int, order: str) -> None:
    whole = tsc_info(order)[8:]
    data = image(record(3, whole[:size], order), order=order)
    verdict = verify(BufferSource(data), formats())
    found = [f for f in verdict.findings if f.rule != "no-handler"]
    assert [(f.rule, f.severity, f.offset) for f in found] == [
        ("body-too-short", Severity.WARNING, 32 + size)
    ]
    records = [each for each in walk(BufferSource(data), formats()) if isinstance(each, Record)]
    assert records[1].decoded is not None
    body = records[1].decoded.body
    assert body is not None
    assert body.to_bytes("little" if order == "<" else "big") == whole[:size].ljust(24, b"\0")


def test_a_short_structure_is_as_long_as_the_body_says() -> None:
    for size, flags in ((3136, 0), (2344, 1)):
        data = image(shared_info(size=size, flags=flags, held=1000))
        assert findings(data) == [("body-too-short", 32 + 8 + 1000)]
        assert verify(BufferSource(data), formats()).valid


def test_a_short_body_is_compared_by_its_fields() -> None:
    short = read_image(BufferSource(image(shared_info(held=1000), record(3, bytes(4)))), formats())
    whole = read_image(BufferSource(image(shared_info(), tsc_info(mode=0))), formats())
    for images in ((short, whole), (whole, short)):
        (shared, tsc) = [change for _, change in diff_images(*images).records()]
        assert [(c.field, c.first, c.count) for c in shared.changes] == [(None, 1008, 3144 - 1008)]
        assert [change.field for change in tsc.changes] == ["incarnation", "elapsed_nsec", "khz"]
        khz = [value for value in (tsc.changes[-1].a, tsc.changes[-1].b) if value is not None]
        assert {(value.text, value.offset) for value in khz} == {
            ("0 kHz", None), ("2400000 kHz", 24 + 8 + 3144 + 8 + 16),
        }  # fmt: skip


def test_zeros_that_nobody_reads_are_only_a_warning() -> None:
    for body, end in ((record(3, tsc_info()[8:] + bytes(8)), 24), (shared_info(held=3144), 3144)):
        assert findings(image(body)) == [("body-not-consumed", 32 + end)]
        assert verify(BufferSource(image(body)), formats()).valid


def test_a_32_bit_guest() -> None:
    assert findings(image(shared_info(size=2344, held=2344, flags=1))) == []


def test_cut_at_every_byte_it_is_refused() -> None:
    data = image(tsc_info())
    assert findings(data) == []
    for size in range(24, len(data)):
        found = findings(data[:size])
        assert found
        assert all(offset <= size for _, offset in found)


@pytest.mark.parametrize("body", BODIES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), order=st.sampled_from(["little", "big"]))
def test_an_example_survives_bytes_and_json(body: Any, seed: int, order: str) -> None:
    made = body.example(random.Random(seed))
    raw = made.to_bytes(order, check=False)
    decoded = body.inspect(raw, order)
    assert decoded.body == made
    again = body.from_json(json.loads(json.dumps(made.to_json())))
    assert again.to_bytes(order, check=False) == raw


@pytest.mark.parametrize("body", BODIES)
@settings(max_examples=40, deadline=None)
@given(raw=st.binary(max_size=200), order=st.sampled_from(["little", "big"]))
def test_noise_is_decoded_or_refused_with_an_offset(body: Any, raw: bytes, order: str) -> None:
    decoded = body.inspect(raw, order)
    if decoded.body is None:
        with pytest.raises(BodyError) as caught:
            body.from_bytes(raw, order)
        assert caught.value.offset in range(len(raw) + 1)
    elif not decoded.problems:
        assert decoded.body.to_bytes(order) == raw


class TestLegacyContext(RecordTypeConformance):
    """The standard tests; those of saving and loading have nothing to do in this format."""

    @pytest.fixture(params=TYPES)
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Each record type."""
        return subject_of(
            request.param, format="legacy-context", dist="domctx-plugin-legacy-context"
        )
