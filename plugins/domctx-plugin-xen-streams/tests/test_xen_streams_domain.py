"""The scheme `stream:`: a domain context image made from a saved domain."""

from __future__ import annotations

import io
import os
import struct
import threading
from pathlib import Path
from typing import Any, Literal

import pytest
from domctx_plugin_shared_info import SharedInfo, SharedInfoCompat, SharedInfoX86_64
from domctx_plugin_tsc_info import TscInfo
from domctx_plugin_xen_streams.domain import open_stream
from domctx_plugin_xen_streams.stream import StreamDomain
from xen_streams_support import (
    DATA,
    capture,
    image,
    libxc,
    libxl,
    make_formats,
    pages,
    pv_info,
    record,
    shared_info,
    tsc_info,
    vcpu_basic,
    xl,
)

from domctx_core import (
    DomainContext,
    DomainError,
    DomainRequest,
    DomctxError,
    Formats,
    Guest,
    ImageError,
    InputOutputError,
    NoState,
    PluginError,
    Provider,
    UsageError,
    XenVersion,
    save_image,
)

REGISTRY = make_formats().registry("domain-context")


def open_file(rest: str, purpose: Literal["save", "load"] = "save") -> StreamDomain:
    return open_stream(DomainRequest(rest, purpose, make_formats()))


def open_bytes(data: bytes) -> StreamDomain:
    """The domain in `data`, through standard input."""
    return open_stream(DomainRequest("-", "save", make_formats(), io.BytesIO(data)))


def refused(data: bytes) -> DomctxError:
    with pytest.raises(DomctxError) as caught:
        open_bytes(data)
    return caught.value


# --------------------------------------------------------------------------------------- captures


@pytest.mark.parametrize("name", ["pv1", "pv2l"])
def test_a_pv_guest_gives_an_image(name: str) -> None:
    domain = open_file(str(DATA / f"{name}.save.no-pages"))
    assert domain.guest == Guest("pv", 8, "x86", 2)
    assert domain.offers() == {2, 3}
    saved = save_image(domain, REGISTRY)
    assert len(saved) == 3240
    assert saved[:24] == struct.pack("<IIQII", 1, 0, 8, 4, 17)
    assert struct.unpack_from("<IIQ", saved, 24) == (2, 0, 3144)
    assert saved[40:48] == bytes(8)
    page = capture(name).index(struct.pack("<II", 7, 4096)) + 8
    assert saved[48 : 48 + 3136] == capture(name)[page : page + 3136]
    assert struct.unpack_from("<IIQ", saved, 3184) == (3, 0, 20)
    tsc = capture(name).index(struct.pack("<II", 8, 24)) + 8
    assert saved[3200:3220] == capture(name)[tsc : tsc + 20]
    assert saved[3220:] == bytes(20)


@pytest.mark.parametrize("name", ["pvh1", "hvm1"])
def test_an_hvm_guest_has_only_its_tsc(name: str) -> None:
    domain = open_file(str(DATA / f"{name}.save.no-pages"))
    assert domain.guest == Guest("hvm", None, "x86", None)
    assert domain.offers() == {3}
    assert domain.instances(SharedInfo) == []
    with pytest.raises(NoState):
        domain.read(SharedInfo)
    assert len(save_image(domain, REGISTRY)) == 24 + 40 + 16


def test_pauses_are_counted_and_balanced() -> None:
    domain = open_bytes(libxc(pv_info(), tsc_info()))
    domain.pause()
    assert domain.pauses == 1
    save_image(domain, REGISTRY)
    assert domain.pauses == 1
    domain.unpause()
    assert domain.pauses == 0


def test_from_a_pipe_with_pages() -> None:
    reading, writing = os.pipe()
    data = xl(libxl(record(1), libxc(pv_info(), pages(600), pages(600), tsc_info(5))))

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    with open(reading, "rb") as pipe:
        domain = open_stream(DomainRequest("-", "save", make_formats(), pipe))
    thread.join()
    assert domain.read(TscInfo).incarnation == 5


# -------------------------------------------------------------------------------- what is offered


def test_a_64_bit_pv_guest() -> None:
    domain = open_bytes(libxc(pv_info(8), tsc_info(), shared_info(), vcpu_basic(0), vcpu_basic(3)))
    assert domain.guest.vcpus == 2
    value = domain.read(SharedInfo)
    assert (int(value.flags), value.has_reserved) == (0, True)
    assert isinstance(value.info, SharedInfoX86_64)
    assert list(value.info.evtchn_pending) == [0, 7]


def test_a_32_bit_pv_guest() -> None:
    domain = open_bytes(libxc(pv_info(4), shared_info()))
    value = domain.read(SharedInfo)
    assert domain.guest.width == 4
    assert int(value.flags) == 1
    assert isinstance(value.info, SharedInfoCompat)
    assert list(value.info.evtchn_pending) == [0, 7]
    assert len(save_image(domain, REGISTRY)) == 24 + 16 + 2352 + 16


def test_of_records_that_come_again_the_last_one_counts() -> None:
    first = libxc(pv_info(), tsc_info(1), record(14), end=False)
    data = libxl(record(1), first, record(4), tsc_info(2) + record(0))
    assert open_bytes(data).read(TscInfo).incarnation == 2


def test_a_big_endian_stream() -> None:
    inner = libxc(pv_info(order=">"), tsc_info(7, order=">"), order=">")
    domain = open_bytes(libxl(record(1, order=">"), inner, order=">"))
    assert (domain.read(TscInfo).incarnation, domain.xen_version) == (7, XenVersion(4, 17))


def test_a_converted_stream_has_no_xen_version() -> None:
    assert open_bytes(libxc(tsc_info(), kind=2, xen=(0, 2))).xen_version is None


def test_a_stream_without_state_offers_none() -> None:
    domain = open_bytes(libxc(kind=2))
    assert domain.offers() == frozenset()
    assert len(save_image(domain, REGISTRY)) == 40


def context(incarnation: int, *more: tuple[int, int, bytes]) -> bytes:
    body = struct.pack("<IIQI", 1, 10, 20, incarnation)
    return record(0x13, image((3, 0, body), *more, xen=(4, 15)))


def test_a_domain_context_record_is_the_state() -> None:
    domain = open_bytes(libxc(pv_info(), tsc_info(1), context(9), version=4))
    assert domain.offers() == {3}
    assert domain.read(TscInfo).incarnation == 9
    assert domain.instances(TscInfo) == [0]
    assert domain.xen_version == XenVersion(4, 17)


def test_of_two_domain_context_records_the_last_one_counts() -> None:
    extra = (0x300, 0, b"")
    data = libxc(pv_info(), context(1, extra), record(14), context(2), version=4)
    domain = open_bytes(data)
    assert (domain.read(TscInfo).incarnation, domain.offers()) == (2, frozenset({3}))


def test_state_that_no_plugin_knows_fails_the_save_before_the_pause() -> None:
    domain = open_bytes(libxc(context(1, (0x300, 0, b"12345678")), version=4))
    assert domain.offers() == {3, 0x300}
    with pytest.raises(PluginError, match=r"0x300|768"):
        save_image(domain, REGISTRY)
    assert domain.pauses == 0


# --------------------------------------------------------------------------------------- refusals


def test_a_domain_that_is_saved_takes_no_state() -> None:
    domain = open_bytes(libxc(pv_info(), tsc_info()))
    with pytest.raises(DomainError, match="takes no state"):
        domain.write(TscInfo, 0, domain.read(TscInfo))


def test_without_a_path_or_a_standard_input() -> None:
    with pytest.raises(UsageError):
        open_file("")
    with pytest.raises(UsageError):
        open_file("-")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputOutputError, match=str(path)):
            open_file(str(path))


@pytest.mark.parametrize(
    "data", [b"", b"x", b"hello, this is no stream at all", image(), bytes(99)]
)
def test_what_is_no_stream(data: bytes) -> None:
    error = refused(data)
    assert isinstance(error, ImageError)
    assert error.offset == 0
    assert "libxc" in str(error.expected)


def test_a_stream_without_a_domain() -> None:
    assert "no domain" in refused(libxl()).message


def test_a_legacy_stream() -> None:
    data = xl(bytes(64), flags=1)
    error = refused(data)
    assert "convert-legacy-stream" in str(error.hint)
    assert error.offset == len(data) - 64


def test_a_pv_page_without_the_width() -> None:
    error = refused(libxc(shared_info()))
    assert (error.type, error.record, error.offset) == (7, 0, 40)


def test_a_broken_rule_names_the_record() -> None:
    data = libxc(pv_info(), record(8, struct.pack("<IIQII", 9, 0, 0, 0, 0)))
    error = refused(data)
    assert (error.type_name, error.record, error.field, error.offset) == (
        "X86_TSC_INFO", 1, "mode", 40 + 16 + 8,
    )  # fmt: skip


def test_an_unknown_mandatory_record() -> None:
    assert refused(libxc(record(0x55))).rule == "unknown-type"


def test_an_unknown_optional_record_does_no_harm() -> None:
    assert open_bytes(libxc(record(0x80000055), tsc_info())).offers() == {3}


def test_an_image_in_the_stream_that_is_broken() -> None:
    assert refused(libxc(record(0x13, image()[:20]), version=4)).rule == "truncated-body"


def test_trailing_bytes_do_no_harm() -> None:
    data = libxc(tsc_info()) + b"domain is yours, you are cleared to unpause\0"
    assert open_bytes(data).offers() == {3}


def test_cut_at_every_byte_it_is_refused_with_an_offset() -> None:
    data = xl(libxl(record(1), libxc(pv_info(), tsc_info(), context(3), version=4)))
    assert open_bytes(data).offers() == {3}
    for size in range(len(data)):
        error = refused(data[:size])
        assert isinstance(error, ImageError), size
        assert error.offset is not None
        assert error.offset <= size


def test_a_container_whose_format_is_not_installed() -> None:
    full = make_formats()
    formats = Formats()
    provider = Provider("test", "1")
    formats.add("domain-context", provider, DomainContext)
    formats.add("xl", provider, lambda: full.get("xl"))
    request: Any = DomainRequest("-", "save", formats, io.BytesIO(xl(libxl())))
    with pytest.raises(PluginError, match="libxl"):
        open_stream(request)


def test_state_that_the_last_domain_context_lacks_is_gone() -> None:
    data = libxc(pv_info(), context(1), record(14), record(0x13, image()), version=4)
    domain = open_bytes(data)
    assert (domain.offers(), domain.instances(TscInfo)) == (frozenset(), [])
