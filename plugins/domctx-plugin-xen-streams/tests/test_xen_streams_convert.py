"""Streams rewritten: libxc version 3 to 4 and back, contexts out and in, loads into a copy."""

from __future__ import annotations

import io
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from domctx_plugin_shared_info import SharedInfo
from domctx_plugin_tsc_info import TscInfo
from domctx_plugin_xen_streams.command import command
from domctx_plugin_xen_streams.convert import ToVersion3, ToVersion4
from domctx_plugin_xen_streams.domain import open_stream
from domctx_plugin_xen_streams.insert import ContextKind, Insert, extract
from domctx_plugin_xen_streams.rewrite import Change, rewrite
from hypothesis import given
from hypothesis import strategies as st
from xen_streams_support import (
    CAPTURES,
    DATA,
    PROVIDER,
    capture,
    image,
    libxc,
    libxl,
    make_formats,
    pages,
    pv_info,
    record,
    tsc_info,
    vcpu_basic,
    xl,
)

from domctx_core import (
    Body,
    BufferSource,
    DomainRequest,
    DomctxError,
    Errno,
    FileLoadOps,
    FileSource,
    ImageError,
    InputOutputError,
    Record,
    RecordType,
    UsageError,
    XenVersion,
    load_domain,
    u32,
    walk,
)

FORMATS = make_formats()


def rewritten(data: bytes, change: Change) -> bytes:
    target = io.BytesIO()
    assert rewrite(io.BytesIO(data), target, make_formats(), change) == len(target.getvalue())
    return target.getvalue()


def taken_out(data: bytes, kind: ContextKind, **options: Any) -> bytes:
    return extract(BufferSource(data), make_formats(), kind, **options)


def refused(data: bytes, change: Change) -> DomctxError:
    with pytest.raises(ImageError) as caught:
        rewritten(data, change)
    return caught.value


def records_of(data: bytes, container: str = "libxc") -> list[tuple[str | None, bytes]]:
    return [
        (event.name, bytes(event.raw()))
        for event in walk(BufferSource(data), make_formats())
        if isinstance(event, Record) and event.level.format.name == container
    ]


def page(structure: int = 3136, rest: bytes = b"") -> bytes:
    """A SHARED_INFO record: port 0 is pending, and `rest` follows the structure."""
    content = bytearray(structure)
    content[2048:2049] = b"\1"
    return record(7, (bytes(content) + rest).ljust(4096, b"\0"))


PV = (pv_info(), record(16), pages(2), tsc_info(5), page(), vcpu_basic(0), vcpu_basic(1))
HVM_CONTEXT = record(9, struct.pack("<HHIIIQII", 1, 0, 24, 0x54381286, 2, 0, 0, 0) + bytes(8))
HVM_PARAMS = record(10, struct.pack("<IIQQ", 1, 0, 1, 0xFEFFC))
HVM = (record(16), pages(2), tsc_info(5), HVM_CONTEXT, HVM_PARAMS)


def hvm(*records: bytes, **options: Any) -> bytes:
    return libxc(*records, kind=2, **options)


# --------------------------------------------------------------------------------- version 3 to 4


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("outer", ["xl", "libxl", "libxc"])
def test_a_capture_goes_to_version_4_and_back_byte_for_byte(name: str, outer: str) -> None:
    data = capture(name)
    if outer != "xl":
        marks = {"libxl": b"LibxlFmt", "libxc": b"\xff" * 8 + b"XENF"}
        data = data[data.index(marks[outer]) :]
    there = ToVersion4()
    fourth = rewritten(data, there)
    names = [name for name, _ in records_of(fourth)]
    assert "DOMAIN_CONTEXT" in names
    assert not {"SHARED_INFO", "X86_TSC_INFO"} & set(names)
    back = ToVersion3()
    assert rewritten(fourth, back) == data
    assert there.notes == back.notes == []


def test_the_image_of_a_pv_guest() -> None:
    fourth = rewritten(libxc(*PV), ToVersion4())
    found = records_of(fourth)
    assert [name for name, _ in found] == [
        "X86_PV_INFO", "STATIC_DATA_END", "PAGE_DATA", "DOMAIN_CONTEXT",
        "X86_PV_VCPU_BASIC", "X86_PV_VCPU_BASIC", "END",
    ]  # fmt: skip
    body = found[3][1]
    assert body[:24] == struct.pack("<IIQII", 1, 0, 8, 4, 17)
    assert len(body) == 3240
    assert [name for name, _ in records_of(fourth, "domain-context")] == [
        "START", "SHARED_INFO", "TSC_INFO", "END",
    ]  # fmt: skip
    assert fourth[12:16] == struct.pack(">I", 4)


def test_the_image_of_a_32_bit_pv_guest() -> None:
    records = (pv_info(4), record(16), pages(1), tsc_info(), page(2344), vcpu_basic(0))
    fourth = rewritten(libxc(*records), ToVersion4())
    assert len(dict(records_of(fourth))["DOMAIN_CONTEXT"]) == 2448
    assert rewritten(fourth, ToVersion3()) == libxc(*records)


def test_the_image_of_an_hvm_guest_has_the_tsc_alone() -> None:
    fourth = rewritten(hvm(*HVM), ToVersion4())
    assert [name for name, _ in records_of(fourth)][2:] == [
        "DOMAIN_CONTEXT", "HVM_CONTEXT", "HVM_PARAMS", "END",
    ]  # fmt: skip
    assert dict(records_of(fourth, "domain-context")).keys() == {"START", "TSC_INFO", "END"}
    assert rewritten(fourth, ToVersion3()) == hvm(*HVM)


def test_a_big_endian_stream() -> None:
    tail = record(4, struct.pack(">II", 0, 0) + bytes(5168), ">")
    shared = struct.pack(">II", 7, 4096) + page()[8:]
    data = libxc(
        pv_info(order=">"), record(16, order=">"), pages(1, order=">"), tsc_info(order=">"),
        shared, tail, order=">",
    )  # fmt: skip
    fourth = rewritten(data, ToVersion4())
    assert dict(records_of(fourth))["DOMAIN_CONTEXT"][:4] == b"\0\0\0\1"
    assert rewritten(fourth, ToVersion3()) == data


def test_state_that_comes_late_still_goes_before_the_vcpus() -> None:
    data = libxc(pv_info(), record(16), pages(1), vcpu_basic(0), page(), vcpu_basic(1), tsc_info())
    change = ToVersion4()
    fourth = rewritten(data, change)
    assert [name for name, _ in records_of(fourth)][3:] == [
        "DOMAIN_CONTEXT", "X86_PV_VCPU_BASIC", "X86_PV_VCPU_BASIC", "END",
    ]  # fmt: skip
    assert change.notes == [
        "SHARED_INFO and X86_TSC_INFO do not stand where a conversion back puts them"
    ]
    third = rewritten(fourth, ToVersion3())
    assert sorted(records_of(third), key=str) == sorted(records_of(data), key=str)


def test_memory_after_a_vcpu_is_refused_rather_than_held() -> None:
    data = libxc(pv_info(), record(16), vcpu_basic(0), pages(300), tsc_info(), page())
    assert "held back" in refused(data, ToVersion4()).message


def test_each_checkpoint_has_its_image() -> None:
    first = (pv_info(), record(16), pages(1), tsc_info(1), page(), vcpu_basic(0), record(14))
    second = (pages(1), tsc_info(2), page(), vcpu_basic(0))
    data = xl(
        libxl(
            record(1), libxc(*first, end=False), record(4), b"".join(second) + record(0), end=True
        )
    )
    fourth = rewritten(data, ToVersion4())
    images = [body for name, body in records_of(fourth) if name == "DOMAIN_CONTEXT"]
    assert len(images) == 2
    assert taken_out(fourth, "domain-context") == images[1] != images[0]
    assert rewritten(fourth, ToVersion3()) == data


def test_what_follows_the_end_is_kept() -> None:
    data = libxc(*PV) + b"rest" * 100_000
    fourth = rewritten(data, ToVersion4())
    assert fourth.endswith(b"rest" * 100_000)
    assert rewritten(fourth, ToVersion3()) == data


def test_a_page_with_more_than_the_structure_is_refused_unless_told() -> None:
    data = libxc(pv_info(), pages(1), tsc_info(), page(rest=b"\0\0\xa5"), vcpu_basic(0))
    error = refused(data, ToVersion4())
    assert error.offset == data.index(b"\xa5")
    assert "--lossy" in str(error.hint)
    change = ToVersion4(lossy=True)
    fourth = rewritten(data, change)
    assert change.notes == ["the page of SHARED_INFO loses what it has from byte 3138 on"]
    assert rewritten(fourth, ToVersion3()) == data.replace(b"\xa5", b"\0")


def test_a_stream_that_names_no_xen() -> None:
    data = libxc(*PV, xen=(0, 1))
    assert "--xen" in str(refused(data, ToVersion4()).hint)
    fourth = rewritten(data, ToVersion4(xen_version=XenVersion(4, 5)))
    assert dict(records_of(fourth))["DOMAIN_CONTEXT"][16:24] == struct.pack("<II", 4, 5)


@pytest.mark.parametrize(
    ("data", "change", "message"),
    [
        pytest.param(libxc(*PV, version=2), ToVersion4(), "has version 2", id="version 2"),
        pytest.param(libxc(*PV, version=4), ToVersion4(), "has version 4", id="4 already"),
        pytest.param(libxc(*PV), ToVersion3(), "has version 3", id="3 already"),
        pytest.param(
            libxc(pv_info(), record(19, image())), ToVersion4(), "cannot have", id="image in 3"
        ),
        pytest.param(libxc(*PV, version=4), ToVersion3(), "cannot have", id="old record in 4"),
        pytest.param(libxc(pv_info(), version=4), ToVersion3(), "no DOMAIN_CONTEXT", id="none"),
        pytest.param(libxc(page(), pv_info()), ToVersion4(), "width", id="no width"),
        pytest.param(hvm(page()), ToVersion4(), "PV guest's", id="page of an HVM guest"),
        pytest.param(
            libxc(*PV, tsc_info()), ToVersion4(), "after the image", id="a second one, late"
        ),
        pytest.param(
            libxc(tsc_info(1), *PV), ToVersion4(), "a second time", id="a second one, early"
        ),
        pytest.param(libxc(*PV)[:-4], ToVersion4(), "ends inside", id="cut short"),
        pytest.param(
            libxc(pv_info(4), record(19, taken_out(libxc(*PV), "domain-context")), version=4),
            ToVersion3(),
            "another word size",
            id="width",
        ),
        pytest.param(
            libxc(pv_info(), record(8, bytes(20) + b"\1\0\0\0")), ToVersion4(), "zero", id="tsc"
        ),
        pytest.param(image(), ToVersion4(), "no saved domain", id="no stream"),
    ],
)
def test_what_is_refused(data: bytes, change: Change, message: str) -> None:
    assert message in refused(data, change).message


@pytest.mark.parametrize("change", [ToVersion4, lambda: Insert(image(), FORMATS)])
@pytest.mark.parametrize("code", [1, 4, 7])
def test_a_body_that_no_libxc_takes_is_refused_where_it_stands(
    change: Callable[[], Change], code: int
) -> None:
    start = libxc(pv_info(), record(16), pages(1), tsc_info(), end=False)
    error = refused(start + struct.pack("<II", code, (128 << 20) + 1) + bytes(5176), change())
    assert (error.rule, error.offset, error.errno) == ("length-over-cap", len(start), Errno.E2BIG)


@pytest.mark.parametrize("code", [1, 4, 7])
def test_a_body_that_is_cut_is_told_of_as_verify_does(code: int) -> None:
    start = libxc(pv_info(), record(16), pages(1), tsc_info(), end=False)
    error = refused(start + struct.pack("<II", code, 100 << 20) + bytes(5176), ToVersion4())
    assert (error.rule, error.offset) == ("truncated-body", len(start) + 8)


@given(st.data())
def test_a_stream_cut_or_damaged_anywhere_gives_our_errors_or_an_answer(
    data: st.DataObject,
) -> None:
    stream = bytearray(libxc(pv_info(), record(16), tsc_info(), page(), vcpu_basic(0)))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, 130))
        stream[at] = data.draw(st.integers(0, 255))
    cut = bytes(stream[: data.draw(st.integers(0, len(stream)))])
    try:
        fourth = rewritten(cut, ToVersion4())
    except DomctxError:
        return
    with pytest.raises(DomctxError):  # of the other version now
        rewritten(fourth, ToVersion4())


# --------------------------------------------------------------------------------- version 4 to 3


def fourth_with(*extra: tuple[int, int, bytes], xen: tuple[int, int] = (4, 17)) -> bytes:
    tsc = (3, 0, struct.pack("<IIQI", 0, 2_400_000, 7, 1))
    return libxc(pv_info(), pages(1), record(19, image(tsc, *extra, xen=xen)), version=4)


def test_state_that_version_3_has_no_record_for_is_refused_unless_told() -> None:
    data = fourth_with((0x123, 0, b"12345678"))
    assert "no record for type 0x123" in refused(data, ToVersion3()).message
    change = ToVersion3(lossy=True)
    assert [name for name, _ in records_of(rewritten(data, change))] == [
        "X86_PV_INFO", "PAGE_DATA", "X86_TSC_INFO", "END",
    ]  # fmt: skip
    assert change.notes == ["type 0x123 is left out"]


def test_bytes_after_the_image_are_refused_unless_told() -> None:
    body = image() + b"trailing"
    data = libxc(pv_info(), pages(1), record(19, body), version=4)
    error = refused(data, ToVersion3())
    assert "no place for 8 bytes after END" in error.message
    assert error.offset == data.index(b"trailing")
    assert "--lossy" in str(error.hint)
    change = ToVersion3(lossy=True)
    assert b"trailing" not in rewritten(data, change)
    assert change.notes == ["left out: 8 bytes after END of the image"]
    with pytest.raises(ImageError, match="no place for 8 bytes"):
        rewritten(libxc(*PV), Insert(body, FORMATS))


def test_an_image_of_another_version_is_noted() -> None:
    change = ToVersion3()
    rewritten(fourth_with(xen=(4, 15)), change)
    assert change.notes == ["START says Xen 4.15, and the stream's header 4.17"]


def test_a_damaged_image_is_refused_at_its_place_in_the_stream() -> None:
    broken = fourth_with()
    at = broken.index(struct.pack("<IIQ", 3, 0, 20))
    error = refused(broken[:at] + struct.pack("<IIQ", 3, 1, 20) + broken[at + 16 :], ToVersion3())
    assert error.offset is not None
    assert at <= error.offset < at + 16


# -------------------------------------------------------------------------------------- out and in


def test_an_image_out_of_version_4_is_what_lies_in_it() -> None:
    odd = image((9, 3, b"odd")) + b"trailing"
    assert taken_out(libxc(record(19, odd), version=4), "domain-context") == odd


def test_an_image_out_of_version_3_is_the_one_that_a_conversion_makes() -> None:
    for name in CAPTURES:
        made = dict(records_of(rewritten(capture(name), ToVersion4())))["DOMAIN_CONTEXT"]
        assert taken_out(capture(name), "domain-context") == made


def test_an_hvm_context_out_and_in() -> None:
    old = capture("hvm1")
    context = taken_out(old, "hvm-context")
    assert context == dict(records_of(old))["HVM_CONTEXT"]
    assert rewritten(old, Insert(context, FORMATS)) == old
    shorter = context[:-8] + bytes(0)
    new = rewritten(old, Insert(shorter, FORMATS))
    assert taken_out(new, "hvm-context") == shorter
    assert len(old) - len(new) == 8


def test_what_is_not_there_cannot_be_taken_out() -> None:
    for data, kind, name in (
        (capture("pv1"), "hvm-context", "HVM_CONTEXT"),
        (libxc(version=4), "domain-context", "DOMAIN_CONTEXT"),
    ):
        with pytest.raises(ImageError, match=name):
            taken_out(data, kind)  # type: ignore[arg-type]


def test_an_image_into_version_4() -> None:
    new = image((3, 0, struct.pack("<IIQI", 2, 1000, 7, 9)), (0x123, 5, b"kept"))
    stream = rewritten(fourth_with(), Insert(new, FORMATS))
    assert taken_out(stream, "domain-context") == new


def test_an_image_into_version_3_leaves_the_rest_of_the_page() -> None:
    old = libxc(pv_info(), pages(1), tsc_info(), page(rest=b"rest"), vcpu_basic(0))
    new = taken_out(libxc(*PV[:3], tsc_info(77), page(), vcpu_basic(0)), "domain-context")
    stream = rewritten(old, Insert(new, FORMATS))
    assert stream == old.replace(tsc_info(), tsc_info(77))
    assert b"rest" in stream


@pytest.mark.parametrize(
    ("raw", "stream", "message"),
    [
        pytest.param(b"neither", capture("pv1"), "neither", id="no context"),
        pytest.param(b"", capture("pv1"), "neither", id="nothing"),
        pytest.param(image()[:-8], capture("pv1"), "ends", id="a bad image"),
        pytest.param(image((0x123, 0, b"x")), capture("pv1"), "has no record for", id="no place"),
        pytest.param(
            image((3, 0, bytes(20))), libxc(pv_info()), "no X86_TSC_INFO", id="no record to replace"
        ),
        pytest.param(image(), libxc(version=4), "no DOMAIN_CONTEXT", id="no image to replace"),
        pytest.param(HVM_CONTEXT[8:], capture("pv1"), "no HVM_CONTEXT", id="a PV guest"),
    ],
)
def test_what_cannot_be_put_in(raw: bytes, stream: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        rewritten(stream, Insert(raw, FORMATS))


# ------------------------------------------------------------------------------------------- pipes


def test_memory_passes_through_a_pipe_without_being_held() -> None:
    """Three quarters of the stream must be out before the last record is in."""
    data = libxc(*PV[:2], pages(1000), *PV[3:])
    before = data.index(tsc_info(5))
    reading, writing = os.pipe()
    out_reading, out_writing = os.pipe()
    passed, goal = threading.Event(), before * 3 // 4

    def feed() -> None:
        with open(writing, "wb") as file:
            file.write(data[:before])
            file.flush()
            assert passed.wait(20)
            file.write(data[before:])

    result = b""

    def drain() -> None:
        nonlocal result
        with open(out_reading, "rb", buffering=0) as file:
            while chunk := file.read(1 << 16):
                result += chunk
                if len(result) >= goal:
                    passed.set()

    threads = [threading.Thread(target=target) for target in (feed, drain)]
    for thread in threads:
        thread.start()
    with open(reading, "rb", buffering=0) as file, open(out_writing, "wb", buffering=0) as target:
        rewrite(file, target, make_formats(), ToVersion4())
    for thread in threads:
        thread.join(20)
    assert rewritten(result, ToVersion3()) == data


# --------------------------------------------------------------------------------------- the verb


class FakeHost:
    formats = FORMATS


class FakeApp:
    """What the verb uses of the command line."""

    verbose, quiet, host = 0, True, FakeHost()

    def __init__(self, data: bytes = b"") -> None:
        self.said: list[str] = []
        self.status = 0
        self.data = data
        self.out = io.BytesIO()

    def err(self, text: str) -> None:
        self.said.append(text)

    def raise_status(self, status: int) -> None:
        self.status = max(status, self.status)

    def standard_input(self) -> io.BytesIO:
        return io.BytesIO(self.data)

    def standard_output(self) -> io.BytesIO:
        return self.out

    def colored(self, stream: object) -> bool:
        return False

    def style(self, text: str, stream: object = None, **style: object) -> str:
        return text


def convert(*arguments: str, app: FakeApp | None = None) -> FakeApp:
    app = app or FakeApp()
    command.main(list(arguments), standalone_mode=False, obj=app)
    return app


def test_the_verb_there_and_back(tmp_path: Path) -> None:
    there, back = str(tmp_path / "four"), str(tmp_path / "three")
    old = DATA / "pv1.save.no-pages"
    app = convert("--to", "4", str(old), "-o", there)
    assert app.said == [f"converted {old}: 18281 bytes"]
    convert("--to", "3", there, "-o", back)
    assert Path(back).read_bytes() == old.read_bytes()


def test_the_verb_in_a_pipe() -> None:
    app = convert("--to", "4", "-", "-o", "-", app=FakeApp(capture("pvh1")))
    assert app.out.getvalue() == rewritten(capture("pvh1"), ToVersion4())


def test_the_verb_takes_out_and_puts_in(tmp_path: Path) -> None:
    context, new = str(tmp_path / "context"), str(tmp_path / "new")
    old = DATA / "hvm1.save.no-pages"
    for kind in ("hvm-context", "domain-context"):
        convert("--extract", kind, str(old), "-o", context)
        convert("--insert", context, str(old), "-o", new)
        assert Path(new).read_bytes() == old.read_bytes()


def test_a_refusal_leaves_the_file_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, bad = tmp_path / "out", tmp_path / "bad"
    out.write_bytes(b"precious")
    bad.write_bytes(capture("pv1")[:-10])
    app = convert("--to", "4", str(bad), "-o", str(out))
    assert (app.status, app.said) == (1, [])
    assert f"--> {bad}: offset" in capsys.readouterr().err
    assert (out.read_bytes(), sorted(os.listdir(tmp_path))) == (b"precious", ["bad", "out"])
    assert convert("--insert", str(out), str(bad), "-o", str(tmp_path / "x")).status == 1


def test_how_the_verb_is_called() -> None:
    for arguments in (
        ["s", "-o", "x"],
        ["--to", "4", "--insert", "i", "s", "-o", "x"],
        ["--insert", "-", "-", "-o", "x"],
    ):
        with pytest.raises(UsageError):
            convert(*arguments)
    with pytest.raises(InputOutputError, match="no-such"):
        convert("--to", "4", "no-such", "-o", "x")
    help = CliRunner().invoke(command, ["--help"]).output
    assert "Guest memory is passed through" in help


# ----------------------------------------------------------------------------- load into a copy


def load(raw: bytes, name: str) -> None:
    domain = open_stream(DomainRequest(name, "load", make_formats()))
    try:
        load_domain(domain, FileLoadOps(io.BytesIO(raw)), FORMATS.registry("domain-context"))
    finally:
        domain.close()


def stream_file(folder: Path, data: bytes) -> tuple[Path, Path, str]:
    old, new = folder / "old", folder / "new"
    old.write_bytes(data)
    return old, new, f"{old},out={new}"


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("name", CAPTURES)
def test_a_load_replaces_the_records_in_a_copy(name: str, version: int, tmp_path: Path) -> None:
    data = capture(name) if version == 3 else rewritten(capture(name), ToVersion4())
    old, new, where = stream_file(tmp_path, data)
    raw = taken_out(data, "domain-context")
    load(raw, where)
    assert old.read_bytes() == data
    before, after = (
        open_stream(DomainRequest(str(path), "save", make_formats())) for path in (old, new)
    )
    assert before.offers() == after.offers()
    assert after.read(TscInfo).incarnation == before.read(TscInfo).incarnation + 1
    if name.startswith("pv") and 2 in before.offers():
        assert len(after.read(SharedInfo).info.evtchn_mask) == 4096
        assert not after.read(SharedInfo).info.evtchn_pending
    touched = {"SHARED_INFO", "X86_TSC_INFO", "DOMAIN_CONTEXT"}
    same = [
        [item for item in records_of(path.read_bytes()) if item[0] not in touched]
        for path in (old, new)
    ]
    assert same[0] == same[1]
    assert len(new.read_bytes()) == len(data)


def test_a_load_in_place(tmp_path: Path) -> None:
    path = tmp_path / "stream"
    path.write_bytes(capture("pv1"))
    load(taken_out(capture("pv1"), "domain-context"), f"{path},out={path}")
    loaded = open_stream(DomainRequest(str(path), "save", make_formats()))
    assert loaded.read(TscInfo).incarnation == 2


class Mark(Body):
    """Some state of a type that libxc has no record for."""

    value: int = u32(doc="a number")


class MarkRecord(RecordType[Mark]):
    """A record type of somebody else."""

    code, name, body = 0x123, "MARK", Mark


def test_a_load_adds_a_type_that_version_4_has_room_for(tmp_path: Path) -> None:
    formats = make_formats()
    registry = formats.registry("domain-context")
    registry.register(MarkRecord, PROVIDER)
    raw = image((3, 0, struct.pack("<IIQI", 0, 1, 2, 3)), (0x123, 4, b"mark"))

    def load_mark(where: str) -> None:
        domain = open_stream(DomainRequest(where, "load", formats))
        try:
            load_domain(domain, FileLoadOps(io.BytesIO(raw)), registry)
        finally:
            domain.close()

    _, new, where = stream_file(tmp_path, fourth_with())
    load_mark(where)
    found = dict(records_of(new.read_bytes()))["DOMAIN_CONTEXT"]
    assert struct.pack("<IIQ", 0x123, 4, 4) + b"mark" in found
    new.unlink()
    _, new, where = stream_file(tmp_path, libxc(*PV))
    with pytest.raises(DomctxError, match="no record for Mark"):
        load_mark(where)
    assert not new.exists()


def test_a_load_that_is_refused_writes_nothing(tmp_path: Path) -> None:
    _, new, where = stream_file(tmp_path, capture("pv1"))
    with pytest.raises(DomctxError):
        load(taken_out(capture("pv1"), "domain-context")[:-4], where)
    assert not new.exists()


@pytest.mark.parametrize("rest", ["", "path", ",out=x", "path,out=", "-,out=x"])
def test_how_a_load_is_spelt(rest: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_stream(DomainRequest(rest, "load", make_formats()))
    assert caught.value.expected == "stream:PATH,out=COPY"


def test_an_extract_from_a_pipe() -> None:
    reading, writing = os.pipe()
    with open(writing, "wb") as file:
        file.write(capture("pvh1"))
    with open(reading, "rb", buffering=0) as file:
        found = extract(FileSource(file), make_formats(), "domain-context")
    assert found == taken_out(capture("pvh1"), "domain-context")
