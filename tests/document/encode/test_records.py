"""Records of a document: bodies by their fields, by their bytes or by their content."""

from __future__ import annotations

import io
import struct
from pathlib import Path

from faulty_documents import PV1, document, faults, formats
from support import image, port, rec, tsc

from domctx_core import (
    BufferSource,
    decode_image,
    encode_image,
    write_chunks,
)
from domctx_core.host.host import Host
from domctx_core.host.plugin_filter import PluginFilter
from domctx_core.testing import CommandRunner


def test_a_value_that_verify_refuses_is_no_fault() -> None:
    value = document()
    value["records"][2]["body"]["mode"] = 99
    value["records"][4]["body"]["priority"] = 200
    value["records"][4]["body"]["flags"] = ["MASKED", "0x80"]
    chunks = encode_image(value, formats())
    target = io.BytesIO()
    write_chunks(chunks, None, target)
    again = decode_image(BufferSource(target.getvalue()), formats())
    assert again["records"][2]["body"]["mode"] == 99
    assert again["records"][4]["body"]["flags"] == ["MASKED", "0x80"]


def test_content_makes_the_body_of_its_record() -> None:
    context = image(rec(3, 0, tsc()))
    header = struct.pack(">QIIH6x", 2**64 - 1, 0x58454E46, 4, 0)
    header += struct.pack("<IHHII", 2, 12, 0, 4, 17)
    data = header + struct.pack("<II", 0x13, len(context)) + context + struct.pack("<II", 0, 0)
    value = decode_image(BufferSource(data), formats())
    record = value["records"][0]
    assert record["body"] is None
    record["content"]["records"][1]["body"]["padded"] = True
    del record["content"]["records"][1]["length"], record["length"]
    del record["content"]["records"][1]["padding"]
    target = io.BytesIO()
    write_chunks(encode_image(value, formats()), None, target)
    made = target.getvalue()
    assert len(made) == len(data)  # 20 and 4 of padding have become 24
    again = decode_image(BufferSource(made), formats())["records"][0]["content"]["records"][1]
    assert (again["length"], again["padding"]) == (24, 0)
    record["raw"] = context.hex()
    (fault,) = faults(value)
    assert fault.path == "records[0].raw"
    assert "`content` makes the body" in fault.message


def test_a_body_and_bytes_that_agree_are_taken_together() -> None:
    odd = struct.pack("<IIIBBHQQ", 6, 0, 0, 7, 0, 9, 0, 0)
    data = image(rec(5, 1, odd))
    value = decode_image(BufferSource(data), formats())
    assert value["records"][1]["raw"] == odd.hex()
    value["records"][1]["body"]["notify_vcpu"] = "0x0"
    target = io.BytesIO()
    write_chunks(encode_image(value, formats()), None, target)
    assert target.getvalue() == data
    value["records"][1]["body"]["notify_vcpu"] = 1
    (fault,) = faults(value)
    assert fault.path == "records[1].raw"
    assert "remove it to have the edited fields encoded" in str(fault.hint)
    del value["records"][1]["raw"]
    encode_image(value, formats())


def test_a_type_without_its_plugin_is_encoded_of_its_bytes(
    run: CommandRunner, tmp_path: Path
) -> None:
    data = image(rec(3, 0, tsc()))
    (tmp_path / "a.img").write_bytes(data)
    decoded = run("--no-plugins", "decode", tmp_path / "a.img")
    assert decoded.json["records"][1]["raw"] == tsc().hex()
    (tmp_path / "a.json").write_text(decoded.out)
    assert run("--no-plugins", "encode", tmp_path / "a.json", "-o", tmp_path / "b").status == 0
    assert (tmp_path / "b").read_bytes() == data
    (tmp_path / "a.json").write_text(run("decode", tmp_path / "a.img").out)
    result = run(
        "-p", "no:domctx-plugin-tsc-info", "encode", tmp_path / "a.json", "-o", tmp_path / "c"
    )
    assert result.status == 4
    assert "disabled" in result.err
    assert not (tmp_path / "c").exists()


def test_a_plugin_that_is_turned_off_changes_no_bytes() -> None:
    off = ("domctx-plugin-xen-streams", "domctx-plugin-hvm-context")
    host = Host(PluginFilter.from_environment({}, disable=off))
    data = PV1.read_bytes() + image(port(3))
    value = decode_image(BufferSource(data), host.formats)
    target = io.BytesIO()
    write_chunks(encode_image(value, host.formats), None, target)
    assert target.getvalue() == data
