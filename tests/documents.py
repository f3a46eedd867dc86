"""Images that are decoded and encoded again."""

from __future__ import annotations

import io
import json
import struct
from functools import cache
from typing import Any

from environments import ROOT
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domctx_core import (
    BufferSource,
    Formats,
    decode_image,
    decode_lines,
    decode_text,
    encode_image,
    encode_lines,
    parse_document,
    parse_lines,
    write_chunks,
)
from domctx_core.document.decode import Pages
from domctx_core.host.host import Host

CAPTURES = sorted(
    [
        *(ROOT / "examples").rglob("*.no-pages"),
        *(ROOT / "plugins").glob("*/tests/data/*.no-pages"),
    ]
)


CORPUS = sorted((ROOT / "tests/data/corpus").rglob("*.img"))


SMALL = [path for path in CORPUS if path.stat().st_size < 4096]


@cache
def formats() -> Formats:
    return Host().formats


def written(chunks: Any, source: BufferSource | None) -> bytes:
    target = io.BytesIO()
    write_chunks(chunks, source, target)
    return target.getvalue()


def there(data: bytes) -> None:
    """Decode and encode in one way, which the length decides: a document, its text, or lines."""
    source = BufferSource(data)
    if len(data) % 3 == 0:
        lines = ((f"line {n}: ", line) for n, line in enumerate(decode_lines(source, formats())))
        chunks = encode_lines(lines, formats(), source=source)
    elif len(data) % 3 == 1:
        text = "".join(decode_text(source, formats()))
        chunks = iter(encode_image(parse_document(text), formats(), source=source))
    else:
        document = decode_image(source, formats())
        chunks = iter(encode_image(document, formats(), source=source))
    assert written(chunks, source) == data


def there_and_back(data: bytes, pages: Pages = "reference") -> dict[str, Any]:
    """Decode and encode in every way; gives the document."""
    source = BufferSource(data)
    document = decode_image(source, formats(), pages=pages)
    text = "".join(decode_text(source, formats(), pages=pages))
    parsed = parse_document(text)
    assert parsed == document
    assert written(encode_image(parsed, formats(), source=source), source) == data
    lines = [json.dumps(line) for line in decode_lines(source, formats(), pages=pages)]
    chunks = encode_lines(parse_lines(lines), formats(), source=source)
    assert written(chunks, source) == data
    return document


QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


@cache
def small() -> list[bytes]:
    return [path.read_bytes() for path in SMALL]


@st.composite
def mutated(draw: st.DrawFn, of: Any) -> bytes:
    raw = bytearray(draw(st.sampled_from(of())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.integers(0, 4)):
            case 0:
                raw[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del raw[at : at + draw(st.integers(1, 24))]
            case 2:
                raw[at:at] = draw(st.binary(max_size=24))
            case 3:
                raw[at : at + 8] = struct.pack("<Q", draw(st.sampled_from([0, 1, 8, 2**31, 2**63])))
            case _:
                del raw[at:]
    return bytes(raw)


def stream_record(code: int, body: bytes = b"") -> bytes:
    return struct.pack("<II", code, len(body)) + body + bytes(-len(body) % 8)


def libxl(*parts: bytes) -> bytes:
    return struct.pack(">QII", 0x4C6962786C466D74, 2, 0) + b"".join(parts)


def libxc(*parts: bytes) -> bytes:
    header = struct.pack(">QIIH6x", 2**64 - 1, 0x58454E46, 3, 0)
    return header + struct.pack("<IHHII", 2, 12, 0, 4, 17) + b"".join(parts)


def pages(count: int = 2) -> bytes:
    return stream_record(
        1,
        struct.pack(f"<II{count}Q", count, 0, *range(256, 256 + count))
        + b"\xaa\x55" * 2048 * count,
    )


END, CHECKPOINT, CHECKPOINT_END = stream_record(0), stream_record(14), stream_record(4)
