"""xenstore streams, made by hand: recognised, decoded, judged."""

from __future__ import annotations

import itertools
import json
import random
import struct
from typing import Any

import pytest
from domctx_plugin_xenstore_stream.checks import XenstoreCheck, domctx_checks
from domctx_plugin_xenstore_stream.connections import ConnectionData, WatchData
from domctx_plugin_xenstore_stream.format import StreamHeader
from domctx_plugin_xenstore_stream.globals import GlobalQuotaData
from domctx_plugin_xenstore_stream.nodes import NodeData
from hypothesis import given, settings
from hypothesis import strategies as st
from xenstore_stream_support import (
    BODIES,
    TYPES,
    domain,
    extended,
    formats,
    node,
    quotas,
    record,
    ring,
    stream,
    transaction,
    watch,
)  # fmt: skip

from domctx_core import BodyError, BufferSource, Opened, Record, Severity, verify, walk
from domctx_core.testing import RecordTypeConformance, Subject, subject_of


def records_of(data: bytes) -> list[Record]:
    return [event for event in walk(BufferSource(data), formats()) if isinstance(event, Record)]


def findings(data: bytes) -> list[tuple[str, int | None]]:
    verdict = verify(BufferSource(data), formats(), checks=[XenstoreCheck])
    return [(f.rule, f.offset) for f in verdict.findings]


WHOLE = [
    record(1, struct.pack("<ii", 4, -1)), quotas(), domain(), ring(), ring(2, unique=2**60, data=b"abc"),
    watch(), watch(2, inside=True), transaction(), node(), node(1, 5),
]  # fmt: skip


def test_a_whole_stream() -> None:
    data = stream(*WHOLE, extended(), version=2)
    opened = next(iter(walk(BufferSource(data), formats())))
    assert isinstance(opened, Opened)
    assert (opened.level.path, opened.level.framing.version) == (("xenstore",), 2)
    found = [record.decoded for record in records_of(data)]
    bodies: list[Any] = [each.body for each in found if each is not None]
    assert (bodies[0].socket_fd, bodies[0].evtchn_fd) == (4, -1)
    assert bodies[1].quotas == [("nodes", 100), ("watches", 0), ("total", 7)]
    assert (bodies[2].domid, bodies[2].quotas) == (5, [("nodes", 3)])
    assert (bodies[3].conn_id, bodies[3].spec.domid, bodies[3].spec.evtchn) == (1, 5, 9)
    assert (bodies[4].in_data, bodies[4].unique_id) == (b"abc", 2**60)
    assert (bodies[5].wpath, bodies[5].token, bodies[5].pad) == ("@releaseDomain\0", "tok\0", b"")
    assert bodies[6].pad == bytes(5)
    assert bodies[8].path == "/tool\0"
    assert bodies[8].summary()["permissions"] == "n0, r5"
    assert bodies[10].summary() == {"looks at": "all levels"}
    assert findings(data) == []
    for each in records_of(data):
        assert each.decoded is not None
        assert each.decoded.body.to_bytes() == bytes(each.raw())
        assert type(each.decoded.body).from_json(each.decoded.body.to_json()).to_bytes() == bytes(
            each.raw()
        )


def test_a_big_endian_stream() -> None:
    data = stream(
        ring(order=">", unique=7), watch(order=">"), node(order=">", perms=b"b\0\0\1"), order=">"
    )
    assert findings(data) == []
    connection, _, held, _ = (each.decoded for each in records_of(data))
    assert connection is not None
    assert (connection.body.conn_id, connection.body.unique_id) == (1, 7)
    assert held is not None
    assert held.body.perms[0].domid == 1
    assert held.body.to_bytes("big") == bytes(records_of(data)[2].raw())


AT = 16 + 8
"""Where the first body starts."""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (stream(watch()), ("xenstore-stream/connection-missing", AT)),
        (stream(watch(), ring()), ("xenstore-stream/connection-missing", AT)),
        (stream(extended(), version=2), ("xenstore-stream/connection-missing", AT)),
        (stream(transaction()), ("xenstore-stream/connection-missing", AT)),
        (stream(node(3, 4)), ("xenstore-stream/connection-missing", AT)),
        (stream(ring(), node(1, 5)), ("xenstore-stream/transaction-missing", AT + 24 + 8 + 4)),
        (
            stream(ring(), node(1, 5), transaction()),
            ("xenstore-stream/transaction-missing", AT + 24 + 8 + 4),
        ),
        (stream(ring(), ring()), ("xenstore-stream/number-taken", AT + 24 + 8)),
        (
            stream(ring(), transaction(), transaction()),
            ("xenstore-stream/number-taken", AT + 24 + 8 + 8 + 8 + 4),
        ),
        (stream(domain(), domain()), ("xenstore-stream/number-taken", AT + 24 + 8)),
        (stream(ring(), extended()), ("xenstore-stream/version", AT + 24)),
        (stream(domain(features=1)), ("xenstore-stream/version", AT + 4)),
        (stream(version=3), ("field-out-of-range", 8)),
        (stream()[:12] + b"\0\0\0\2" + stream()[16:], ("reserved-not-zero", 12)),
        (stream(ring(0)), ("field-out-of-range", AT)),
        (stream(record(9)), ("unknown-type", 16)),
        (stream(record(3, bytes(8))), ("field-out-of-range", AT + 8)),
        (stream(record(5, bytes(16))), ("field-out-of-range", AT + 14)),
        (stream(record(6, b"\1\0\0\0\0\0\0\0abc")), ("body-too-short", AT + 8)),
        (stream(record(6, b"\xff\xff\xff\xff")), ("body-too-short", AT + 4)),
        (stream() + b"x", ("trailing-bytes", 24)),
    ],
    ids=itertools.count(),
)
def test_a_rule_that_is_broken(data: bytes, expected: tuple[str, int]) -> None:
    assert expected in findings(data)


def test_a_unique_id_stands_where_the_fields_say() -> None:
    whole = bytes(records_of(stream(ring(unique=7)))[0].raw())
    missing = ConnectionData.inspect(whole[:-8]).problems
    assert [problem.rule for problem in missing] == ["body-too-short"]
    unannounced = ConnectionData.inspect(whole[:6] + b"\0\0" + whole[8:]).problems
    assert [problem.rule for problem in unannounced] == ["body-not-consumed"]


def test_filling_that_is_not_zero_is_only_a_warning() -> None:
    raw = bytearray(records_of(stream(ring(), watch(inside=True)))[1].raw())
    raw[-1] = 1
    (problem,) = WatchData.inspect(bytes(raw)).problems
    assert (problem.rule, problem.severity) == ("reserved-not-zero", Severity.WARNING)
    assert WatchData.from_bytes(raw).to_bytes() == bytes(raw)


def test_filling_outside_of_the_length_is_only_a_warning_too() -> None:
    data = bytearray(stream(ring(), watch()))
    data[-9] = 1  # the last byte before END
    verdict = verify(BufferSource(bytes(data)), formats(), checks=[XenstoreCheck])
    (found,) = verdict.findings
    assert (found.rule, found.severity) == ("padding-not-zero", Severity.WARNING)
    assert found.offset == len(data) - 9
    assert verdict.valid


def test_filling_of_another_length_is_refused() -> None:
    body = WatchData(conn_id=1, wpath="/\0", token="t\0", pad=bytes(3))
    assert [problem.rule for problem in body.problems()] == ["field-out-of-range"]


def test_quotas_that_do_not_add_up() -> None:
    body = GlobalQuotaData(n_dom_quota=1, n_glob_quota=1, quotas=[("a", 1)])
    assert [problem.rule for problem in body.problems()] == ["field-out-of-range"]
    with pytest.raises(BodyError, match=r"quotas\[0\]"):
        GlobalQuotaData.from_json({"n_dom_quota": 1, "n_glob_quota": 0, "quotas": [{"name": "a"}]})


@pytest.mark.parametrize(
    ("quota", "culprit"),
    [
        ({"name": "a\0", "value": 1}, r"quotas\[1\]\.name"),
        ({"name": "a", "value": 1 << 32}, r"quotas\[1\]\.value"),
        ({"name": "a", "value": -1}, r"quotas\[1\]\.value"),
    ],
)
def test_a_quota_that_no_record_can_hold(quota: dict[str, Any], culprit: str) -> None:
    rows = [{"name": "b", "value": 2}, quota]
    with pytest.raises(BodyError, match=culprit):
        GlobalQuotaData.from_json({"n_dom_quota": 1, "n_glob_quota": 1, "quotas": rows})


def test_a_deleted_node_has_neither_value_nor_permissions() -> None:
    body = NodeData(conn_id=1, tx_id=2, access=0, perms=[], path="/a\0", value=b"")  # type: ignore[arg-type]
    assert body.problems() == []


def test_cut_at_every_byte_it_is_refused() -> None:
    data = stream(*WHOLE)
    assert findings(data) == []
    for size in range(16, len(data)):
        found = findings(data[:size])
        assert found, size
        assert all(offset is not None and offset <= size for _, offset in found)


def test_the_hook_brings_the_check() -> None:
    assert [declared.check for declared in domctx_checks()] == [XenstoreCheck]


@pytest.mark.parametrize("body", BODIES)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), order=st.sampled_from(["little", "big"]))
def test_an_example_survives_bytes_and_json(body: Any, seed: int, order: str) -> None:
    made = body.example(random.Random(seed))
    raw = made.to_bytes(order, check=False)
    assert len(raw) == made.size()
    decoded = body.inspect(raw, order)
    assert decoded.body == made
    if body is not StreamHeader:
        assert decoded.problems == ()
    again = body.from_json(json.loads(json.dumps(made.to_json())))
    assert again.to_bytes(order, check=False) == raw


@pytest.mark.parametrize("body", BODIES)
@settings(max_examples=80, deadline=None)
@given(raw=st.binary(max_size=80), order=st.sampled_from(["little", "big"]))
def test_noise_is_decoded_or_refused_with_an_offset(body: Any, raw: bytes, order: str) -> None:
    decoded = body.inspect(raw, order)
    if decoded.body is None:
        with pytest.raises(BodyError) as caught:
            body.from_bytes(raw, order)
        assert caught.value.offset in range(len(raw) + 1)
    elif not decoded.problems:
        assert decoded.body.to_bytes(order) == raw
    if decoded.body is not None:
        assert json.dumps(decoded.body.to_json())


class TestXenstoreStream(RecordTypeConformance):
    """The standard tests; those of saving and loading have nothing to do in this format."""

    @pytest.fixture(params=TYPES.values(), ids=TYPES)
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Each record type."""
        return subject_of(request.param, format="xenstore", dist="domctx-plugin-xenstore-stream")
