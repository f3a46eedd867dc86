"""What `encode` says of documents that are wrong: every fault, each with its path; nothing written."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from environments import ROOT
from support import image, port, rec, tsc

from domctx_core import (
    BufferSource,
    DocumentError,
    Formats,
    MemorySaveOps,
    decode_image,
    decode_lines,
    encode_image,
    encode_lines,
    parse_document,
    parse_lines,
    save_domain,
    write_chunks,
)
from domctx_core.base.errors import DocumentFault
from domctx_core.host.host import Host
from domctx_core.host.plugin_filter import PluginFilter
from domctx_core.testing import CommandRunner

PV1 = ROOT / "examples/xen-4.17/pv1/pv1.save.no-pages"

Edit = Callable[[dict[str, Any]], None]


@cache
def formats() -> Formats:
    return Host().formats


@cache
def _document() -> str:
    """START, SHARED_INFO, TSC_INFO, EVTCHN_ABI, 6 EVENT_CHANNEL, END."""
    host = Host()
    ops = MemorySaveOps()
    save_domain(host.open_domain("sim:seed=1,channels=6", "save"), ops, host.registry)
    return json.dumps(decode_image(BufferSource(ops.image), formats()))


def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(_document())
    return made


def faults(value: Any, **options: Any) -> list[DocumentFault]:
    with pytest.raises(DocumentError) as raised:
        encode_image(value, formats(), **options)
    return list(raised.value.faults)


def at(index: int, **changes: Any) -> Edit:
    return lambda d: d["records"][index].update(changes)


def body(index: int, **changes: Any) -> Edit:
    return lambda d: d["records"][index]["body"].update(changes)


def without(index: int, key: str) -> Edit:
    return lambda d: d["records"][index]["body"].pop(key)


def info(document: dict[str, Any]) -> dict[str, Any]:
    """The fields of the shared info."""
    found: dict[str, Any] = document["records"][1]["body"]["info"]
    return found


#: name, edit, path of the fault, part of its message
PLANTED: list[tuple[str, Edit, str, str]] = [
    ("misspelt enumeration", body(2, mode="NEVER_EMULATED"), "records[2].body.mode",
     "expected a number or one of DEFAULT, ALWAYS_EMULATE, NEVER_EMULATE, found 'NEVER_EMULATED';"
     " did you mean NEVER_EMULATE?"),
    ("missing field", without(2, "khz"), "records[2].body.khz", "the field is missing"),
    ("misspelt field", body(2, kzh=5), "records[2].body",
     "unknown field 'kzh'; known are mode, khz, nsec, incarnation, padded; did you mean khz?"),
    ("too large", body(2, khz=2**32), "records[2].body.khz", "4294967296 does not fit a u32"),
    ("no number", body(2, nsec="soon"), "records[2].body.nsec", "expected a number, found 'soon'"),
    ("a fraction", body(2, khz=1.5), "records[2].body.khz", "expected a number, found 1.5"),
    ("not true or false", body(2, padded=1), "records[2].body.padded",
     "expected true or false, found 1"),
    ("no object", at(2, body=[1]), "records[2].body", "expected an object with fields, found [1]"),
    ("unknown flag", body(4, flags=["PENDNIG"]), "records[4].body.flags[0]",
     "found 'PENDNIG'; did you mean PENDING?"),
    ("inside a union", body(4, binding={"remote_domid": 70000, "remote_port": 1}),
     "records[4].body.binding.remote_domid", "70000 does not fit a u16"),
    ("inside an array", lambda d: d["records"][1]["body"]["info"]["vcpu_info"][0]["time"].update(
        version="x"), "records[1].body.info.vcpu_info[0].time.version", "expected a number"),
    ("odd hex", lambda d: d["records"][1]["body"]["info"]["vcpu_info"][0].update(pad="123"),
     "records[1].body.info.vcpu_info[0].pad", "expected a string of hex digits"),
    ("a wrong count", body(3, nr_control=9), "records[3].body.nr_control",
     "says 9, and `control` has 0"),
    ("unknown variant", lambda d: d["records"][1]["body"]["info"].update(layout="x86_65"),
     "records[1].body.info.layout", "found 'x86_65'; did you mean x86_64?"),
    ("inside a bitmap", lambda d: info(d).update(evtchn_mask=[*range(44), "44", 45]),
     "records[1].body.info.evtchn_mask[44]", "expected a bit number, found '44'"),
    ("beyond a bitmap", lambda d: info(d).update(evtchn_mask=[1, 2**64 - 1]),
     "records[1].body.info.evtchn_mask[1]",
     "position 18446744073709551615 is outside a bitmap of 4096 bits (0 to 4095)"),
    ("a wrong length", at(2, length=24), "records[2].length", "not the length of the body"),
    ("a wrong padding", at(2, padding=3), "records[2].padding", "not what a body of 20 bytes"),
    ("padding that is too long", at(2, padding_raw="0000000000"), "records[2].padding_raw",
     "not as long as the padding"),
    ("type and name", at(2, name="TSC"), "records[2].name", "type code 3 is another type"),
    ("unknown name", lambda d: d["records"][2].update(type="TSC_INFOS", name=None),
     "records[2].type", "is called 'TSC_INFOS'; did you mean TSC_INFO?"),
    ("no type", lambda d: [d["records"][2].pop(k) for k in ("type", "name")], "records[2].type",
     "the type is missing"),
    ("misspelt key", at(2, instanse=0), "records[2].instanse",
     "unknown key of a record; did you mean instance?"),
    ("missing instance", lambda d: d["records"][5].pop("instance"), "records[5].instance",
     "the instance is missing"),
    ("instance that does not fit", at(5, instance=2**32), "records[5].instance",
     "does not fit the header's u32"),
    ("nothing for a body", at(2, body=None), "records[2].body", "the body is missing"),
    ("bytes that are cut", at(2, raw_truncated=True), "records[2].raw_truncated",
     "the bytes were cut"),
    ("body and raw differ", at(2, raw="00" * 20), "records[2].raw",
     "`body` and `raw` say different things"),
    ("raw that is no hex", at(2, raw="0g"), "records[2].raw", "not bytes in hex"),
    ("a record that is none", lambda d: d["records"].insert(2, 7), "records[2]", "not a record"),
    ("an unknown type", at(2, type=0x999, name=None), "records[2].body", "no plugin knows the type"),
    ("content that is not", at(2, content={"format": "libxc"}), "records[2].content",
     "TSC_INFO holds no other format"),
    ("unknown format", lambda d: d.update(format="domain-contxt"), "format",
     "did you mean domain-context?"),
    ("byte order", lambda d: d.update(byteorder="middle"), "byteorder", "not a byte order"),
    ("another schema", lambda d: d.update(schema="domctx.image/2"), "schema",
     "not a document that can be encoded"),
    ("no list", lambda d: d.update(records={}), "records", "not a list"),
    ("unknown key of the whole", lambda d: d.update(tailing={}), "tailing",
     "unknown key of a document; did you mean trailing?"),
    ("trailing without bytes", lambda d: d.update(trailing={}), "trailing",
     "there are neither bytes nor a length"),
    ("trailing that is cut", lambda d: d.update(trailing={"offset": 0, "length": 5, "raw": "00"}),
     "trailing.length", "does not fit `raw`"),
    ("follows nothing", lambda d: d.update(content={"format": "libxl"}), "content",
     "nothing follows the header"),
    ("version of a format without a header", lambda d: d.update(format_version=77),
     "format_version", "the first record says otherwise"),
    ("version that is none", lambda d: d.update(format_version="PENDING|MASKED"),
     "format_version", "not an unsigned number"),
    ("resumed out of nowhere", lambda d: d.update(resumed=True), "resumed", "nothing resumes"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "path", "message"), PLANTED, ids=[p[0] for p in PLANTED])
def test_each_fault_has_its_path_and_message(
    name: str, edit: Edit, path: str, message: str
) -> None:
    value = document()
    edit(value)
    (fault,) = faults(value)
    assert fault.path == path
    assert message in fault.message


def test_all_faults_are_told_at_once() -> None:
    value = document()
    value["records"][2]["body"] |= {"mode": "X", "khz": -1}
    del value["records"][2]["body"]["nsec"]
    value["records"][2]["length"] = 8
    value["records"][4]["body"]["priority"] = None
    value["records"][9] = None
    assert [fault.path for fault in faults(value)] == [
        "records[2].body.mode",
        "records[2].body.khz",
        "records[2].body.nsec",
        "records[4].body.priority",
        "records[9]",
    ]


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: Expecting property name"),
        ("", "not JSON: Expecting value"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"schema": 1, "format": "x", "schema": 2}', "schema: the key stands twice"),
        ('{"records": [{"body": {"x": 1, "x": 1}}]}', "records[0].body.x: the key stands twice"),
        ("1" * 5000, "more digits than any field can hold"),
        ('{"a": [1, {"b": -' + "1" * 5000 + "}]}", "a[1].b: a number has more digits"),
        ('{"a": [0, NaN], "b": 1' + "1" * 5000 + "}", "a[1]: NaN is no number of JSON"),
        ('{"a": ' + "1" * 5000 + ", }", "not JSON: "),
        ("[" * 100_000, "nested too deeply"),
        (b"\xff\xfe\xff", "not JSON"),
        ("{}\n{}", "not JSON: Extra data at line 2"),
    ],
)
def test_what_is_no_json(text: str | bytes, message: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_document(text)
    assert message in str(raised.value)


HUGE = ["0x" + "f" * 5000, "9" * 5000, int("9" * 4000), 2**64, 10**5000]
"""Integers that no field holds, as JSON can have them and as a caller of the library can."""


@pytest.mark.parametrize("number", HUGE, ids=["hex", "text", "digits", "2**64", "10**5000"])
@pytest.mark.parametrize("key", ["length", "padding", "instance", "type"])
def test_huge_integers_of_a_record(key: str, number: object) -> None:
    value = document()
    value["records"][1][key] = number
    (fault,) = faults(value)
    assert fault.path == f"records[1].{key}"
    assert len(f"{fault}{fault.expected}{fault.actual}{fault.hint}") < 250


@pytest.mark.parametrize("number", HUGE, ids=["hex", "text", "digits", "2**64", "10**5000"])
def test_huge_integers_elsewhere(number: object) -> None:
    value = document()
    value["size"] = number
    value["records"][2]["body"]["khz"] = number
    value["records"][4]["body"]["flags"] = [number]
    rest = {"offset": number, "length": 8}
    value["records"][5] = {"type": 3, "instance": 0, "rest": rest}
    value["trailing"] = {"offset": 0, "length": number}
    found = faults(value, source=BufferSource(bytes(100)))
    assert [fault.path for fault in found] == [
        "size",
        "records[2].body.khz",
        "records[4].body.flags[0]",
        "records[5].rest.offset",
        "trailing.length",
    ]
    assert all(len(f"{each}{each.expected}{each.actual}") < 300 for each in found)


@pytest.mark.parametrize("value", [None, [], 1, "x", {}, {"schema": "domctx.image/1"}])
def test_what_is_no_document(value: Any) -> None:
    assert faults(value)


def nested(depth: int) -> Any:
    value: Any = {"format": "libxl"}
    for _ in range(depth):
        value = {"format": "xl", "header": {}, "content": value}
    return value | {"schema": "domctx.image/1"}


@pytest.mark.parametrize("depth", [3, 100, 5000])
def test_depth_of_a_document_hurts_nobody(depth: int) -> None:
    assert faults(nested(depth))


def test_a_deep_value_hurts_nobody() -> None:
    deep: Any = 1
    for _ in range(50_000):
        deep = [deep]
    for key in ("type", "body", "raw", "content", "instance", "rest"):
        value = document()
        value["records"][2][key] = deep
        assert faults(value)
    for key in ("format", "schema", "trailing", "byteorder", "header_raw"):
        assert faults(document() | {key: deep})


# --------------------------------------------------------------------------------------- containers


def stream() -> dict[str, Any]:
    """The capture of a PV guest: xl, libxl, libxc."""
    return decode_image(BufferSource(PV1.read_bytes()), formats())


def test_the_path_of_a_fault_goes_through_containers() -> None:
    value = stream()
    libxc = value["content"]["records"][0]["content"]
    number = next(i for i, r in enumerate(libxc["records"]) if r["name"] == "X86_TSC_INFO")
    libxc["records"][number]["body"]["mode"] = "X"
    (fault,) = faults(value)
    assert fault.path == f"content.records[0].content.records[{number}].body.mode"


@pytest.mark.parametrize(
    ("edit", "path", "message"),
    [
        (lambda d: d["header"].pop("magic") and d["header"].pop("mandatory_flags"),
         "header.mandatory_flags", "the field is missing"),
        (lambda d: d["header"].update(mandatory_flag=1), "header.mandatory_flag",
         "did you mean mandatory_flags?"),
        (lambda d: d["header"].update(config="{}"), "header.config_length",
         "says 869, and `config` has 2"),
        (lambda d: d["header"].update(optional_data_len=5), "header",
         "the XlOptionalData has 873 bytes, and what stands before it says 5"),
        (lambda d: d.pop("header"), "header", "the header is missing"),
        (lambda d: d["content"].update(byteorder="big"), "content.byteorder",
         "the header says otherwise"),
        (lambda d: d.update(format_version=1), "format_version", "the header says otherwise"),
        (lambda d: d.update(header_raw="00"), "header_raw", "ends inside the XlHeader"),
        (lambda d: d["content"].update(format="libxc"), "content.format", "not what follows"),
        (lambda d: d["content"]["records"][0]["content"].update(format="xl"),
         "content.records[0].content.format", "LIBXC_CONTEXT holds another format"),
        (lambda d: d["content"]["records"][1].update(instance=0), "content.records[1].instance",
         "records of this format have no instance"),
        (lambda d: d.update(records=[{}]), "records[0]", "the format xl has no records"),
    ],
)  # fmt: skip
def test_faults_of_containers(edit: Edit, path: str, message: str) -> None:
    value = stream()
    edit(value)
    (fault,) = faults(value)
    assert (fault.path, message in fault.message) == (path, True), fault


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


# -------------------------------------------------------------------------------------------- lines


def lines() -> list[dict[str, Any]]:
    return list(decode_lines(BufferSource(PV1.read_bytes()), formats()))


def line_faults(values: list[Any]) -> list[DocumentFault]:
    text = [json.dumps(value) for value in values]
    with pytest.raises(DocumentError) as raised:
        list(encode_lines(parse_lines(text), formats(), source=BufferSource(PV1.read_bytes())))
    return list(raised.value.faults)


def test_faults_of_lines_name_the_line() -> None:
    values = lines()
    number = next(i for i, line in enumerate(values) if line.get("name") == "X86_TSC_INFO")
    values[number]["body"] |= {"mode": "X", "khz": []}
    assert [fault.path for fault in line_faults(values)] == [
        f"line {number + 1}: body.mode",
        f"line {number + 1}: body.khz",
    ]


@pytest.mark.parametrize(
    ("edit", "path", "message"),
    [
        (lambda v: v[0].pop("schema"), "line 1: schema", "not a document that can be encoded"),
        (lambda v: v.clear(), "", "there is no line"),
        (lambda v: v[1].pop("container"), "line 2: container", "does not say what container"),
        (lambda v: v[-1].update(container=["elsewhere"]), f"line {len(lines())}: container",
         "not open here"),
        (lambda v: v.insert(2, v[2] | {"type": 3, "key": 1}), "line 3: key", "unknown key"),
        (lambda v: v[0].update(size=5), "line 1: size", "not the input"),
        (lambda v: v[-1].update(content={"format": "libxc", "records": []}),
         f"line {len(lines())}: content", "a line holds no container"),
    ],
)  # fmt: skip
def test_faults_between_lines(edit: Callable[[Any], Any], path: str, message: str) -> None:
    values = lines()
    edit(values)
    found = line_faults(values)[0]
    assert found.path == path
    assert message in found.message


def test_lines_that_nest_without_end_hurt_nobody() -> None:
    first = {"schema": "domctx.lines/1", "container": ["xl"], "format": "xl", "header": {}}
    deep = [{"container": ["xl"] * n, "format": "xl", "header": {}} for n in range(2, 3000)]
    assert line_faults([first, *deep])
    many = [{"container": ["xl", "libxl"], "format": "libxl"} for _ in range(3000)]
    assert line_faults([first, *many])


def test_lines_that_are_no_json() -> None:
    with pytest.raises(DocumentError, match=r"^line 2: not JSON: .* at column 2"):
        list(parse_lines(["{}", "{"]))


def test_a_line_with_a_huge_integer() -> None:
    with pytest.raises(DocumentError, match=r"^line 2: size: a number has more digits"):
        list(parse_lines(["{}", '{"size": ' + "7" * 5000 + "}"]))


# -------------------------------------------------------------------------------------- the command


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> CommandRunner:
    return CommandRunner(capsys)


def put(folder: Path, value: Any) -> Path:
    path = folder / "a.json"
    path.write_text(json.dumps(value))
    return path


def test_the_command_tells_all_faults_and_writes_nothing(
    run: CommandRunner, tmp_path: Path
) -> None:
    value = document()
    value["records"][2]["body"] |= {"mode": "NEVER", "khz": "fast"}
    (tmp_path / "b.img").write_text("before")
    path = put(tmp_path, value)
    result = run("encode", path, "-o", tmp_path / "b.img")
    assert (result.status, result.out) == (1, "")
    assert f"--> {path}: records[2].body.mode" in result.err
    assert f"--> {path}: records[2].body.khz" in result.err
    assert (tmp_path / "b.img").read_text() == "before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.json", "b.img"]


def test_lines_with_a_fault_write_nothing(run: CommandRunner, tmp_path: Path) -> None:
    values = lines()
    values[-1]["type"] = "NO"
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, values)))
    assert run("encode", "--jsonl", path, "-o", tmp_path / "b", "--source", PV1).status == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.jsonl"]


def test_many_faults_are_cut(run: CommandRunner, tmp_path: Path) -> None:
    value = document()
    value["records"] = [{"type": 3, "body": {}}] * 200
    result = run("encode", put(tmp_path, value), "-o", tmp_path / "b")
    assert result.err.count("error: ") == 100
    assert "... and 700 more" in result.err


def test_statuses(run: CommandRunner, tmp_path: Path) -> None:
    path = put(tmp_path, document())
    assert run("encode", tmp_path / "missing", "-o", tmp_path / "b").status == 3
    assert run("encode", path, "-o", tmp_path / "no" / "b").status == 3
    assert run("encode", path, "-o", tmp_path / "b", "--source", tmp_path / "x").status == 3
    assert run("encode", path).status == 2
    assert run("encode", "-", "-o", tmp_path / "b", "--source", "-").status == 2
    assert run("decode", tmp_path / "missing").status == 3
    assert run("decode", path, "--pages", "some").status == 2
    (tmp_path / "c.json").write_text("{")
    assert run("encode", tmp_path / "c.json", "-o", tmp_path / "b").status == 1
    unknown = document()
    unknown["records"][2] |= {"type": 0x999, "name": None}
    assert run("encode", put(tmp_path, unknown), "-o", tmp_path / "b").status == 4
    assert not (tmp_path / "b").exists()


def test_what_stands_at_a_path_is_never_read_unasked(run: CommandRunner, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret" * 100)
    value = document() | {"path": str(secret), "trailing": {"offset": 0, "length": 6}}
    del value["size"]
    result = run("encode", put(tmp_path, value), "-o", tmp_path / "b")
    assert result.status == 1
    assert "--source" in result.err
    assert not (tmp_path / "b").exists()


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


def test_no_space_leaves_nothing_behind(run: CommandRunner, tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    result = run("encode", put(tmp_path, document()), "-o", "/dev/full")
    assert result.status == 3
    assert run("decode", PV1, "-o", "/dev/full").status == 3


@pytest.mark.parametrize("lines", [False, True])
def test_an_image_without_records_is_of_no_version(
    domctx_cli: CommandRunner, tmp_path: Path, lines: bool
) -> None:
    head = {"schema": "domctx.lines/1" if lines else "domctx.image/1", "format": "domain-context"}
    head |= {"container": ["domain-context"]} if lines else {"records": []}
    path = tmp_path / "none.json"
    path.write_text(json.dumps({**head, "byteorder": "little", "format_version": 1}))
    done = domctx_cli("encode", *(["--jsonl"] if lines else []), path, "-o", tmp_path / "none.img")
    assert (done.status, (tmp_path / "none.img").read_bytes()) == (0, b"")
