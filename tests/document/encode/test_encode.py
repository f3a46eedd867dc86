"""Documents with faults: each is reported with its path, and nothing is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from faulty_documents import PV1, Edit, document, faults, lines, stream

from domctx_core.testing import CommandRunner


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
     "`body` and `raw` do not match"),
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
     "format_version", "does not match the first record"),
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


@pytest.mark.parametrize("value", [None, [], 1, "x", {}, {"schema": "domctx.image/1"}])
def test_what_is_no_document(value: Any) -> None:
    assert faults(value)


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
         "the XlOptionalData has 873 bytes, but the fields before it give 5"),
        (lambda d: d.pop("header"), "header", "the header is missing"),
        (lambda d: d["content"].update(byteorder="big"), "content.byteorder",
         "does not match the header"),
        (lambda d: d.update(format_version=1), "format_version", "does not match the header"),
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
