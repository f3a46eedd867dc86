"""`decode` and `encode`: any input whatever to JSON and back, byte for byte."""

from __future__ import annotations

import io
import json
import random
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from environments import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Drip, end, image, port, rec, samples, start, to_big_endian, tsc
from support import formats as corpus_formats

from domctx_core import (
    Body,
    BufferSource,
    DocumentError,
    DomainContext,
    FileSource,
    Format,
    Formats,
    Framing,
    ImageError,
    PassingSource,
    Provider,
    RecordType,
    decode_image,
    decode_lines,
    decode_text,
    encode_image,
    encode_lines,
    parse_document,
    parse_lines,
    reserved,
    u16,
    u32,
    write_chunks,
)
from domctx_core.document.decode import Pages
from domctx_core.host.host import Host
from domctx_core.layout.codegen.json_codec import json_decoder, json_encoder
from domctx_core.layout.codegen.source import NOT_APPLICABLE
from domctx_core.layout.kinds.base import ORDERS
from domctx_core.testing import CommandRunner

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


# ---------------------------------------------------------------------------- images as they are


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.name}")
@pytest.mark.parametrize("pages", ["reference", "inline"])
def test_captures_come_back(path: Path, pages: Pages) -> None:
    there_and_back(path.read_bytes(), pages)


def test_the_corpus_comes_back() -> None:
    assert len(CORPUS) > 100
    for path in CORPUS:
        data = path.read_bytes()
        (there_and_back if len(data) < 3_500 else there)(data)


def test_both_byte_orders_come_back() -> None:
    for sample in samples():
        if sample.ok and len(sample.data) < 10_000:
            document = there_and_back(to_big_endian(sample.data))
            assert document["byteorder"] == "big"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        start(),
        start() + b"\1",
        image() + b"after the end",
        image(rec(3, 0, tsc()), rec(3, 0, tsc())),
        image(rec(3, 0, tsc() + bytes(4)), rec(2, 0, bytes(3144))),
        image(rec(3, 0, tsc())[:-1] + b"\1"),
        image(rec(0x7777, 3, b"unknown")),
        image(rec(3, 5, b"")),
        end() + start(),
    ],
)
def test_odd_images_come_back(data: bytes) -> None:
    there_and_back(data)


def test_what_fields_do_not_hold_is_kept_in_hex() -> None:
    body = struct.pack("<IIIBB2xQQ", 6, 0, 0, 7, 0, 0, 0)
    body = body[:14] + b"\7\0" + body[16:]
    data = image(rec(5, 1, body), rec(3, 0, tsc())[:-1] + b"\1")
    document = there_and_back(data[:-15])
    channel, clock = document["records"][1:3]
    assert channel["body"]["notify_vcpu"] == 0
    assert channel["raw"] == body.hex()
    assert (clock["padding"], clock["padding_raw"]) == (4, "00000001")
    assert "raw" not in clock
    assert document["unframed"] == {"offset": len(data) - 16, "length": 1, "raw": "00"}


def test_lengths_of_one_type_are_told_apart() -> None:
    document = there_and_back(image(rec(3, 0, tsc()), rec(3, 0, tsc() + bytes(4))))
    assert [record["body"]["padded"] for record in document["records"][1:3]] == [False, True]


# --------------------------------------------------------------------------------- whatever comes

QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


@cache
def small() -> list[bytes]:
    return [path.read_bytes() for path in SMALL]


@cache
def captures() -> list[bytes]:
    return [path.read_bytes() for path in CAPTURES]


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


@settings(QUICK, max_examples=1200)
@given(mutated(small))
def test_mutations_of_the_corpus_come_back(data: bytes) -> None:
    there(data)


@settings(QUICK, max_examples=60)
@given(mutated(captures))
def test_mutations_of_captures_come_back(data: bytes) -> None:
    there_and_back(data)


@settings(QUICK, max_examples=200)
@given(st.binary(max_size=120))
def test_anything_comes_back(data: bytes) -> None:
    there_and_back(data)


@cache
def example(name: str, seed: int, order: str) -> bytes:
    """The bytes of a body of that type; it takes longer to make one than to decode it."""
    entry = formats().registry("domain-context").find(name)
    assert entry is not None
    body: Body = entry.record_type.body.example(random.Random(seed))
    return body.to_bytes("little" if order == "<" else "big", check=False)


@st.composite
def generated(draw: st.DrawFn) -> bytes:
    """An image in either byte order: records of known types and unknown, with bodies of all kinds."""
    order = draw(st.sampled_from(["<", ">"]))
    parts = [start(order=order)]
    host_types = list(formats().registry("domain-context"))
    for _ in range(draw(st.integers(0, 4))):
        entry = draw(st.sampled_from(host_types))
        if draw(st.booleans()):
            raw = example(entry.name, draw(st.integers(0, 9)), order)
        else:
            raw = draw(st.binary(max_size=64))
        code = draw(st.sampled_from([entry.code, 0x1234]))
        one = bytearray(rec(code, draw(st.integers(0, 9)), raw, order=order))
        if draw(st.booleans()) and len(raw) % 8:
            one[-1] = 9
        parts += [bytes(one)] * draw(st.integers(1, 2))
    parts.append(end(order=order))
    return b"".join(parts) + draw(st.binary(max_size=9))


@settings(QUICK, max_examples=600)
@given(generated())
def test_generated_images_come_back(data: bytes) -> None:
    there(data)


# -------------------------------------------------------------------------------------- containers


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


def test_a_container_that_was_suspended_goes_on() -> None:
    inner = libxc(stream_record(16), pages(), CHECKPOINT)
    data = libxl(stream_record(1), inner, CHECKPOINT_END, pages(), END, END)
    source = BufferSource(data)
    for way in ("reference", "inline"):
        document = there_and_back(data, way)  # type: ignore[arg-type]
    resumed = document["records"][1]["content"]
    assert resumed["resumed"] is True
    assert [record["name"] for record in resumed["records"]] == ["PAGE_DATA", "END"]
    resumed["header"]["xen_major"] = hex(resumed["header"]["xen_major"])  # the same number
    assert written(encode_image(document, formats(), source=source), source) == data
    for key in ("header", "byteorder", "format_version"):
        del resumed[key]
    assert written(encode_image(document, formats(), source=source), source) == data


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"header": {"xen_minor": 99}}, "header.xen_minor", "the container's beginning says"),
        ({"header": {"bogus": 1}}, "header.bogus", "unknown field"),
        ({"header": []}, "header", "not an object"),
        ({"header_raw": "00"}, "header_raw", "no header of its own"),
        ({"byteorder": "big"}, "byteorder", "the container's beginning says otherwise"),
        ({"format_version": 77}, "format_version", "the container's beginning says otherwise"),
    ],
)
def test_a_container_that_goes_on_says_what_its_beginning_says(
    change: dict[str, Any], path: str, message: str
) -> None:
    inner = libxc(stream_record(16), pages(), CHECKPOINT)
    data = libxl(stream_record(1), inner, CHECKPOINT_END, pages(), END, END)
    document = decode_image(BufferSource(data), formats(), pages="inline")
    resumed = document["records"][1]["content"]
    for key, value in change.items():
        both = isinstance(value, dict)
        resumed[key] = resumed[key] | value if both else value
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    (fault,) = raised.value.faults
    assert fault.path == f"records[1].content.{path}"
    assert message in fault.message


def test_what_breaks_after_a_record_that_holds_another_container() -> None:
    held = image(port(1)) + b"odd"
    document = there_and_back(libxc(stream_record(0x13, held)) + b"\1\2")
    assert document["records"][0]["content"]["trailing"]["raw"] == b"odd".hex()
    assert document["records"][0]["padding"] == 5
    assert document["unframed"]["raw"] == "0102"
    there_and_back(libxc(stream_record(0x13, held[:-12]), stream_record(0x13, b""), END))


def test_a_header_that_its_fields_do_not_give_back_is_kept() -> None:
    data = bytearray(libxc(END))
    data[20] = 1
    document = there_and_back(bytes(data))
    assert document["header_raw"] == bytes(data[:40]).hex()


def test_what_breaks_off_in_a_header_is_not_framed() -> None:
    document = there_and_back(libxc()[:30])
    assert document["unframed"] == {"offset": 0, "length": 30, "raw": libxc()[:30].hex()}
    assert "header" not in document


class OddHeader(Body):
    type: int = u16(doc="type code")
    pad = reserved(2)
    more: int = u32(doc="of no use", default=0)
    length: int = u32(doc="of the body")


class Odd(Format):
    """A format whose record headers say more than a document does."""

    name = "odd"
    header: ClassVar[type[Body] | None] = OddHeader
    alignment = 4
    last = 9

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"\5\0")

    def framing(self, bodies: Sequence[Body], head: bytes) -> Framing:
        return Framing("little", 1)


class Liar(Body):
    number: int = u32(doc="one more in JSON than it is")

    def to_json(self) -> dict[str, Any]:
        return {"number": self.number + 1}


class Broken(Body):
    number: int = u32(doc="no JSON")

    def to_json(self) -> dict[str, Any]:
        return {"number": {1, 2}}


class LiarRecord(RecordType[Liar]):
    code, name, body = 5, "LIAR", Liar


class BrokenRecord(RecordType[Broken]):
    code, name, body = 6, "BROKEN", Broken


def odd_formats() -> Formats:
    made = Formats()
    provider = Provider("odd", "1")
    made.add("domain-context", provider, DomainContext)
    made.add("odd", provider, Odd)
    for record_type in (LiarRecord, BrokenRecord):
        made.registry("odd").register(record_type, provider)
    return made


def test_headers_and_bodies_that_say_more_than_json_does() -> None:
    parts = [(5, 0, 0), (5, 7, 0), (5, 0, 8), (6, 0, 0), (7, 1, 1), (9, 0, 0)]
    data = b"".join(
        struct.pack("<HHII", code, pad, more, 4) + b"\1\2\3\4" for code, pad, more in parts
    )
    document = decode_image(BufferSource(data), odd_formats())
    assert document["format"] == "odd"
    heads = [record.get("header_raw") for record in document["records"]]
    assert [head is not None for head in heads] == [False, True, True, False, True, False]
    assert all(record["raw"] == "01020304" for record in document["records"])
    target = document["records"][0]["body"]
    assert target == {"number": 0x04030201 + 1}
    assert written(encode_image(document, odd_formats()), None) == data
    document["records"][1] |= {"type": 6, "name": "BROKEN", "body": None}
    with pytest.raises(DocumentError, match=r"records\[1\]\.header_raw: does not say"):
        encode_image(document, odd_formats())


# ------------------------------------------------------------------------------------------- pages


def test_pages_are_named_by_their_place() -> None:
    data = libxc(pages(), END)
    document = decode_image(BufferSource(data), formats())
    record = document["records"][0]
    assert record["body"]["pfns"] == [{"first": "0x100", "count": 2, "type": "NORMAL"}]
    assert record["rest"] == {"offset": 40 + 8 + 24, "length": 8192}
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    (fault,) = raised.value.faults
    assert fault.path == "records[0].rest"
    assert "--source" in str(fault.hint)


def test_pages_in_hex_need_no_source() -> None:
    data = libxc(pages(), END)
    document = decode_image(BufferSource(data), formats(), pages="inline")
    assert written(encode_image(document, formats()), None) == data


def test_pages_that_were_left_out_are_refused_or_zeros() -> None:
    data = libxc(pages(), END)
    document = decode_image(BufferSource(data), formats(), pages="omit")
    with pytest.raises(DocumentError, match=r"records\[0\]\.rest: 8192 bytes were left out"):
        encode_image(document, formats())
    made = written(encode_image(document, formats(), fill_zero=True), None)
    assert made == data.replace(b"\xaa\x55", bytes(2))


def test_a_source_that_is_another_file_is_refused() -> None:
    data = libxc(pages(), END)
    document = decode_image(BufferSource(data), formats())
    with pytest.raises(DocumentError, match="not the input that the document was made of"):
        encode_image(document, formats(), source=BufferSource(data[:-1]))
    document["records"][0]["rest"]["offset"] = len(data)
    with pytest.raises(DocumentError, match="the source ends before"):
        encode_image(document, formats(), source=BufferSource(data))


def test_a_body_that_is_not_held_is_treated_as_pages_are() -> None:
    data = image(rec(0x99, 0, bytes(range(200))))
    source = BufferSource(data)
    document = decode_image(source, formats(), cap=100)
    assert document["records"][1]["rest"] == {"offset": 40, "length": 200}
    assert written(encode_image(document, formats(), source=source), source) == data
    with pytest.raises(ImageError, match="longer than what is held"):
        decode_image(source, formats(), pages="inline", cap=100)


# ---------------------------------------------------------------------------------------- streams


@pytest.mark.parametrize("path", [CAPTURES[0], SMALL[3]], ids=lambda path: path.name)
def test_a_pipe_gives_the_same_lines(path: Path) -> None:
    data = path.read_bytes() + b"more"
    lines = list(decode_lines(BufferSource(data), formats()))
    assert lines[0].pop("size") == len(data)
    assert list(decode_lines(PassingSource(Drip(data)), formats())) == lines


@settings(QUICK, max_examples=150)
@given(mutated(small))
def test_a_pipe_gives_the_same_document(data: bytes) -> None:
    document = decode_image(BufferSource(data), formats())
    assert decode_image(PassingSource(Drip(data)), formats()) == document
    text = "".join(decode_text(PassingSource(Drip(data)), formats()))
    assert json.loads(text) == document


def test_lines_of_a_pipe_come_as_its_bytes_do() -> None:
    class Watched(Drip):
        def read(self, size: int = -1) -> bytes:
            chunk = super().read(size)
            taken.append(len(chunk))
            return chunk

    taken: list[int] = []
    data = image(*(port(number) for number in range(1, 2000)))
    lines = decode_lines(PassingSource(Watched(data)), formats())
    for _ in range(100):
        next(lines)
    assert sum(taken) < 100 * 40


def test_a_long_stream_takes_little_memory() -> None:
    source = PassingSource(Drip(image(*(port(number) for number in range(1, 3000)))))
    most = 0
    for _ in decode_lines(source, formats()):
        most = max(most, len(source._passed_by))
    assert most < 4096


def test_a_stream_that_breaks_far_in_comes_back() -> None:
    data = image(port(1), port(2))[:-16] + rec(3, 0, b"", length=1 << 40)[:16] + bytes(700_000)
    lines = list(decode_lines(PassingSource(io.BytesIO(data)), formats()))
    assert sum("unframed" in line for line in lines) > 1
    text = [json.dumps(line) for line in lines]
    assert written(encode_lines(parse_lines(text), formats()), None) == data
    document = decode_image(PassingSource(io.BytesIO(data)), formats())
    assert document == decode_image(BufferSource(data), formats())


# ----------------------------------------------------------------------------------- the quick way


def fixed_types() -> Iterator[Any]:
    for registry in formats().registries():
        for entry in registry:
            yield entry.record_type


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_quick_way_says_what_the_thorough_one_does(order: Any) -> None:
    ways = 0
    for record_type in fixed_types():
        layout = record_type.body.__layout__
        read, write = json_decoder(layout, ORDERS[order]), json_encoder(layout, ORDERS[order])
        if layout.size is None or read is None or write is None:
            continue
        ways += 1
        for seed in range(20):
            rng = random.Random(seed)
            raw = record_type.body.example(rng).to_bytes(order, check=False)
            if seed % 2:
                raw = rng.randbytes(len(raw))
            body = record_type.body.inspect(raw, order).body
            try:
                quick = read(raw)
            except NOT_APPLICABLE:
                assert body.to_bytes(order, check=False) != raw
                continue
            assert quick == body.to_json()
            assert body.to_bytes(order, check=False) == raw
            try:
                assert write(json.loads(json.dumps(quick))) == raw
            except NOT_APPLICABLE:
                assert record_type.body.from_json(quick).to_bytes(order, check=False) == raw
    assert ways >= 5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("notify_vcpu", True),
        ("notify_vcpu", 1.0),
        ("notify_vcpu", 2**32),
        ("notify_vcpu", -1),
        ("state", "NONE_SUCH"),
        ("state", []),
        ("flags", ["PENDING", "NONE_SUCH"]),
        ("binding", None),
        ("binding", "00"),
        ("priority", None),
    ],
)
def test_the_quick_way_leaves_faults_to_the_thorough_one(key: str, value: Any) -> None:
    document = sample_channels()
    document["records"][3]["body"][key] = value
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    assert raised.value.faults[0].path.startswith(f"records[3].body.{key}")


@pytest.mark.parametrize("key", ["instance", "length", "padding", "type"])
@pytest.mark.parametrize("value", [True, 32.0, -1, "x", [1]])
def test_the_quick_way_leaves_heads_to_the_thorough_one(key: str, value: Any) -> None:
    document = sample_channels()
    document["records"][3][key] = value
    with pytest.raises(DocumentError) as raised:
        encode_image(document, formats())
    assert raised.value.faults[0].path == f"records[3].{key}"


@cache
def _channels() -> str:
    host = Host()
    from domctx_core import MemorySaveOps, save_domain

    ops = MemorySaveOps()
    save_domain(host.open_domain("sim:seed=1,channels=8", "save"), ops, host.registry)
    return "".join(decode_text(BufferSource(ops.image), formats()))


def sample_channels() -> dict[str, Any]:
    """A document whose record 3 is an interdomain channel."""
    document: dict[str, Any] = json.loads(_channels())
    channels = [r for r in document["records"] if r["name"] == "EVENT_CHANNEL"]
    wanted = next(r for r in channels if r["body"]["state"] == "INTERDOMAIN")
    document["records"].insert(3, wanted | {"body": dict(wanted["body"])})
    return document


def test_a_run_ends_where_something_is_unusual() -> None:
    ports = [port(number) for number in range(1, 300)]
    plain = decode_image(BufferSource(image(*ports)), formats())
    for at in (0, 15, 16, 17, 200, 298):
        odd = [*ports]
        odd[at] = odd[at][:16] + b"\xff" * 4 + odd[at][20:]
        document = there_and_back(image(*odd))
        for key in ("index", "offset", "length"):
            said = [record[key] for record in document["records"]]
            assert said == [record[key] for record in plain["records"]]
        assert [record["index"] for record in document["records"]] == list(range(301))
    there_and_back(image(*ports)[:-21])


class Small(Body):
    number: int = u32(doc="four bytes, so that four of padding follow")


class SmallRecord(RecordType[Small]):
    code, name, body = 7, "SMALL", Small


def test_padding_that_is_not_zero_ends_a_run() -> None:
    ours = corpus_formats([SmallRecord])
    records = [bytearray(rec(7, number, struct.pack("<I", number))) for number in range(100)]
    records[50][-1] = 3
    data = image(*map(bytes, records))
    document = decode_image(BufferSource(data), ours)
    odd = [record for record in document["records"] if "padding_raw" in record]
    assert [(record["index"], record["padding_raw"]) for record in odd] == [(51, "00000003")]
    assert written(encode_image(document, ours), None) == data


# -------------------------------------------------------------------------------------- the command


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)


@pytest.fixture
def saved(run: CommandRunner, tmp_path: Path) -> Path:
    path = tmp_path / "a.img"
    assert run("save", "sim:seed=3,channels=40", "-o", path).status == 0
    return path


@pytest.mark.parametrize("lines", [(), ("--jsonl",)])
def test_the_command_gives_the_same_bytes(
    run: CommandRunner, saved: Path, tmp_path: Path, lines: tuple[str, ...]
) -> None:
    decoded = run("decode", *lines, saved)
    assert (decoded.status, decoded.err) == (0, "")
    (tmp_path / "a.json").write_text(decoded.out)
    encoded = run("encode", *lines, tmp_path / "a.json", "-o", tmp_path / "b.img")
    assert (encoded.status, encoded.out) == (0, "")
    assert encoded.err == f"encoded {tmp_path / 'a.json'}: {saved.stat().st_size} bytes\n"
    assert (tmp_path / "b.img").read_bytes() == saved.read_bytes()
    again = run("decode", *lines, saved, "-o", tmp_path / "b.json")
    assert (again.status, again.out) == (0, "")
    assert (tmp_path / "b.json").read_text() == decoded.out


def test_a_record_stands_on_a_line(run: CommandRunner, saved: Path) -> None:
    lines = run("decode", saved).out.splitlines()
    records = [line for line in lines if line.lstrip().startswith('{"index"')]
    assert len(records) == len(json.loads("\n".join(lines))["records"])
    assert all(json.loads(line.rstrip(",")) for line in records)


def test_a_field_that_was_edited_arrives_in_the_domain(
    run: CommandRunner, saved: Path, tmp_path: Path
) -> None:
    document = run("decode", saved).json
    record = next(r for r in document["records"] if r["name"] == "TSC_INFO")
    record["body"] |= {"mode": "ALWAYS_EMULATE", "khz": 123456, "nsec": "0xffffffffff"}
    (tmp_path / "a.json").write_text(json.dumps(document))
    assert run("encode", tmp_path / "a.json", "-o", tmp_path / "b.img").status == 0
    state = tmp_path / "state.json"
    assert run("load", tmp_path / "b.img", f"sim:{state}").status == 0
    kept = next(r for r in json.loads(state.read_text())["records"] if r["name"] == "TSC_INFO")
    assert kept["body"]["khz"] == 123456
    assert kept["body"]["nsec"] == str(0xFFFFFFFFFF)
    assert kept["body"]["mode"] == "ALWAYS_EMULATE"


def test_the_least_that_a_document_needs(run: CommandRunner, tmp_path: Path) -> None:
    records = [
        {"name": "START", "body": {"xen_major": 4, "xen_minor": "17"}},
        {"type": "TSC_INFO", "body": {"mode": 1, "khz": "0x10", "nsec": 5, "incarnation": 1}},
        {"type": 0x1000, "instance": 7, "raw": "00 11 22"},
        {"type": 0, "body": {}},
    ]
    document = {"schema": "domctx.image/1", "format": "domain-context", "records": records}
    made = written(encode_image(document, formats()), None)
    assert (
        made == start(4, 17) + rec(3, 0, tsc(1, 16, 5, 1)) + rec(0x1000, 7, b"\0\x11\x22") + end()
    )
    document["byteorder"] = "big"
    assert written(encode_image(document, formats()), None).startswith(b"\0\0\0\1")


def test_what_show_prints_can_be_encoded_where_nothing_was_cut(
    run: CommandRunner, tmp_path: Path
) -> None:
    data = image(rec(3, 0, tsc()), rec(0x999, 0, b"xyz"))
    (tmp_path / "a.img").write_bytes(data)
    (tmp_path / "a.json").write_text(run("show", "--json", tmp_path / "a.img").out)
    assert run("encode", tmp_path / "a.json", "-o", tmp_path / "b.img").status == 0
    assert (tmp_path / "b.img").read_bytes() == data
    (tmp_path / "a.img").write_bytes(image(rec(0x999, 0, bytes(9000))))
    (tmp_path / "a.json").write_text(run("show", "--json", tmp_path / "a.img").out)
    refused = run("encode", tmp_path / "a.json", "-o", tmp_path / "c.img")
    assert refused.status == 1
    assert "records[1].raw_truncated" in refused.err
    assert not (tmp_path / "c.img").exists()


def test_a_file_source_and_a_buffer_source_say_the_same(tmp_path: Path) -> None:
    data = CAPTURES[0].read_bytes()
    (tmp_path / "a").write_bytes(data)
    with open(tmp_path / "a", "rb") as file:
        document = decode_image(FileSource(file), formats())
    assert document == decode_image(BufferSource(data), formats())


def test_every_key_is_on_the_page_of_the_json() -> None:
    page = (ROOT / "docs/reference/json.md").read_text()
    section = page[page.index("## `domctx.image/1`") : page.index("## `domctx.verify/1`")]
    used: set[str] = set()

    def gather(node: dict[str, Any]) -> None:
        used.update(node)
        for record in node.get("records", ()):
            used.update(record, record.get("rest", ()))
            if "content" in record:
                gather(record["content"])
        for key in ("trailing", "unframed"):
            used.update(node.get(key, ()))
        if "content" in node:
            gather(node["content"])

    for data in (
        *(path.read_bytes() for path in (*CAPTURES, *SMALL)),
        libxc(pages(), END),
        libxl(stream_record(1), libxc(CHECKPOINT), CHECKPOINT_END, END, END),
        libxc(END).replace(b"\0\3\0\0\0\0", b"\0\3\0\0\0\1"),
    ):
        gather(decode_image(BufferSource(data), formats(), pages="omit"))
    assert used > {
        "rest",
        "omitted",
        "resumed",
        "unframed",
        "trailing",
        "header_raw",
        "padding_raw",
    }
    assert {key for key in used if f"`{key}`" not in section} == set()
