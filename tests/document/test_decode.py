"""Decoding and encoding: every image comes back byte for byte."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from documents import (
    CAPTURES,
    CHECKPOINT,
    CHECKPOINT_END,
    CORPUS,
    END,
    QUICK,
    SMALL,
    formats,
    libxc,
    libxl,
    mutated,
    pages,
    small,
    stream_record,
    there,
    there_and_back,
    written,
)
from environments import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from support import end, image, port, rec, samples, start, to_big_endian, tsc

from domctx_core import (
    Body,
    BufferSource,
    DocumentError,
    FileSource,
    ImageError,
    decode_image,
    encode_image,
)
from domctx_core.document.decode import Pages
from domctx_core.testing import CommandRunner


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


def test_lengths_of_one_type_are_told_apart() -> None:
    document = there_and_back(image(rec(3, 0, tsc()), rec(3, 0, tsc() + bytes(4))))
    assert [record["body"]["padded"] for record in document["records"][1:3]] == [False, True]


@cache
def captures() -> list[bytes]:
    return [path.read_bytes() for path in CAPTURES]


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


def test_what_breaks_after_a_record_that_holds_another_container() -> None:
    held = image(port(1)) + b"odd"
    document = there_and_back(libxc(stream_record(0x13, held)) + b"\1\2")
    assert document["records"][0]["content"]["trailing"]["raw"] == b"odd".hex()
    assert document["records"][0]["padding"] == 5
    assert document["unframed"]["raw"] == "0102"
    there_and_back(libxc(stream_record(0x13, held[:-12]), stream_record(0x13, b""), END))


def test_what_breaks_off_in_a_header_is_not_framed() -> None:
    document = there_and_back(libxc()[:30])
    assert document["unframed"] == {"offset": 0, "length": 30, "raw": libxc()[:30].hex()}
    assert "header" not in document


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
