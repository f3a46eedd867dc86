"""Records: what is held of their bodies, their types, and where their findings are."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Iterator

import pytest
from box_records import LAST, Number, box, box_type, brec, known, outline, outline_with_cap
from support import (
    THIRD,
    Drip,
    image,
    pipe_from,
    port,
    rec,
    tsc,
)

from domctx_core import (
    BufferSource,
    FileSource,
    InputOutputError,
    Record,
    Severity,
    verify,
    walk,
)
from domctx_core.reader.record import KEPT


def test_offsets_from_the_start_of_the_file_and_of_the_container() -> None:
    inner = image(rec(3, 0, tsc(mode=9)))
    data = b"WRAP" + box(brec(1, b"\0\0\xff\0"), brec(2, inner))
    verdict = verify(BufferSource(data), known())
    first, second = verdict.findings
    assert verdict.format == "wrap"
    assert (first.rule, first.offset, first.container) == (
        "field-out-of-range",
        25,
        ("wrap", "box"),
    )
    assert (first.container_offset, first.record, first.type) == (21, 0, 1)
    assert second.container == ("wrap", "box", "domain-context")
    assert (second.offset, second.container_offset) == (37 + 40, 40)
    assert (second.record, second.name, second.field) == (1, "TSC_INFO", "mode")


@pytest.mark.parametrize("code", [0x80000001, 0x80000003, 0x80000007])
def test_the_optional_bit_makes_a_code_of_its_own(code: int) -> None:
    """Not NUMBER, INLINE or PAUSE: a reader that ignores the record must find the next one."""
    data = box(brec(code, b"\xff"), brec(1, b"\0\0\0\7"))
    assert outline(data)[1:3] == ["13 None[None] 1", "25 NUMBER[None] 4"]
    (found,) = verify(BufferSource(data), known()).findings
    assert (found.rule, found.severity) == ("unknown-type", Severity.NOTE)


def test_an_optional_record_that_a_plugin_declares() -> None:
    formats = known()
    formats.registry("box").register(box_type(0x80000042, "EXTRA", Number), THIRD)
    data = box(brec(0x80000042, b"\0\0\xff\0"))
    (found,) = verify(BufferSource(data), formats).findings
    assert (found.rule, found.name) == ("field-out-of-range", "EXTRA")


def test_the_cap_is_about_what_is_held() -> None:
    data = box(brec(99, bytes(500)), brec(6, bytes(500)), brec(2, image(*map(port, range(20)))))
    assert outline_with_cap(data, 400) == ["unknown-type", "length-over-cap"]
    assert outline_with_cap(data, 1000) == ["unknown-type"]
    held = [e.held for e in walk(BufferSource(data), known(), cap=400) if isinstance(e, Record)]
    assert held[:3] == [False, False, False]


def test_a_stream_keeps_the_first_bytes_of_what_is_not_held() -> None:
    body = bytes(range(256)) * 100
    data = box(brec(6, body), brec(6, b"small"), brec(99, body))
    records = []
    for event in walk(FileSource(Drip(data)), known(), cap=1000):
        if isinstance(event, Record):
            records.append((event.length, bytes(event.raw()), event.complete))
    assert records[0] == (25600, body[:KEPT], True)
    assert records[1] == (5, b"small", True)
    assert records[2] == (25600, body[:KEPT], True)
    late = [e for e in walk(FileSource(Drip(data)), known()) if isinstance(e, Record)]
    with pytest.raises(InputOutputError, match="passed by"):
        late[2].raw()


@pytest.mark.parametrize("code", [6, 99])
def test_memory_is_bounded_on_a_pipe(code: int) -> None:
    mib = bytes(1 << 20)

    def chunks() -> Iterator[bytes]:
        yield box(tail=b"")
        for _ in range(4):
            yield struct.pack(">II", 16 << 20, code)
            yield from [mib] * 16
        yield LAST

    with pipe_from(chunks()) as file:
        tracemalloc.start()
        lengths = [
            e.length for e in walk(FileSource(file), known(), cap=1 << 20) if isinstance(e, Record)
        ]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert lengths == [16 << 20] * 4 + [0]
    assert peak < 6 << 20
