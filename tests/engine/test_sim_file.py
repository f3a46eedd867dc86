"""State files of simulated domains: their content, and errors in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sim_records import TYPES, Knob, Regs, opened, saved_state
from support import formats

from domctx_core import (
    DomainError,
    Guest,
    InputOutputError,
    save_image,
)
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.engine.sim_file import SCHEMA


def test_what_a_state_file_holds(tmp_path: Path) -> None:
    assert saved_state(tmp_path / "state") == {
        "schema": SCHEMA,
        "domid": 3,
        "xen_version": "4.15",
        "guest": {"kind": "hvm", "width": 8, "arch": "x86", "vcpus": 2},
        "pauses": 1,
        "unpauses": 1,
        "records": [
            {"type": 0x100, "name": "KNOB", "instance": 0, "body": {"value": 7}},
            {"type": 0x101, "name": "REGS", "instance": 0, "body": {"pc": 0, "sp": 0}},
            {"type": 0x102, "name": "PAGE", "instance": 2**32 - 1, "body": {"number": 0x04030201}},
        ],
    }


def test_a_state_file_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "state"
    saved_state(path)
    before = path.read_bytes()
    domain = opened(str(path))
    again = SimDomain.from_json(json.loads(before), formats(TYPES).registry("domain-context"))
    assert again.to_json() == json.loads(before)
    assert before.count(b"\n  {") == 3  # one line a record
    domain.write(Knob, 0, domain.read(Knob))
    list(map(domain.read, (Regs,)))
    domain.close()
    assert path.read_bytes() == before
    assert domain.guest == Guest(kind="hvm", width=8, arch="x86", vcpus=2)


STATE_FAULTS: dict[str, tuple[Any, str]] = {
    "a list": ([], "the state"),
    "no schema": ({}, "schema"),
    "another schema": ({"schema": "domctx.image/1"}, "schema"),
    "guest": ({"guest": 3}, "guest"),
    "kind": ({"guest": {"kind": "xen"}}, "guest.kind"),
    "width": ({"guest": {"width": 8.0}}, "guest.width"),
    "width text": ({"guest": {"width": "8"}}, "guest.width"),
    "vcpus": ({"guest": {"vcpus": 0}}, "vcpus"),
    "version": ({"xen_version": "4"}, "xen_version"),
    "version kind": ({"xen_version": [4, 17]}, "xen_version"),
    "domid": ({"domid": 0x7FF0}, "domid"),
    "domid kind": ({"domid": True}, "domid"),
    "pauses": ({"pauses": -1}, "pauses"),
    "more unpauses than pauses": ({"pauses": 1, "unpauses": 2}, "unpauses"),
    "records": ({"records": {}}, "records"),
    "record": ({"records": [{"type": 5, "body": {}}, 7]}, r"records\[1\]"),
    "type": ({"records": [{"body": {}}]}, r"records\[0\].type"),
    "type range": ({"records": [{"type": 2**32, "body": {}}]}, r"records\[0\].type"),
    "type kind": ({"records": [{"type": "5", "body": {}}]}, r"records\[0\].type"),
    "instance": ({"records": [{"type": 5, "instance": -1, "body": {}}]}, r"records\[0\].instance"),
    "body": ({"records": [{"type": 5, "body": []}]}, r"records\[0\].body"),
    "no body": ({"records": [{"type": 5}]}, r"records\[0\].body"),
    "twice": ({"records": [{"type": 5, "body": {}}, {"type": 5, "body": {}}]}, r"records\[1\]"),
}


@pytest.mark.parametrize("name", STATE_FAULTS)
def test_malformed_state(name: str, tmp_path: Path) -> None:
    value, where = STATE_FAULTS[name]
    if isinstance(value, dict) and value and "schema" not in value:
        value = {"schema": SCHEMA, **value}
    path = tmp_path / "state"
    path.write_text(json.dumps(value))
    with pytest.raises(DomainError, match=rf"not valid at {where}$") as caught:
        opened(str(path))
    assert caught.value.expected is not None
    assert caught.value.actual is not None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1' + b"0" * 9999])
def test_what_is_no_json(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(text)
    with pytest.raises(DomainError, match="is not valid JSON") as caught:
        opened(str(path))
    assert "sys." not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [{}, {"value": "x"}, {"value": 2**40}, {"value": "0x" + "f" * 5000}, {"value": 1, "more": 2}],
)
def test_a_body_that_cannot_be_decoded(body: Any, tmp_path: Path) -> None:
    path = tmp_path / "state"
    records = [{"type": 0x100, "instance": 0, "body": body}]
    path.write_text(json.dumps({"schema": SCHEMA, "xen_version": "4.15", "records": records}))
    domain = opened(str(path), "save")
    with pytest.raises(DomainError, match=r"state of Knob\[0\] is not valid at") as caught:
        save_image(domain, formats(TYPES).registry("domain-context"))
    assert (caught.value.type_name, caught.value.instance) == ("KNOB", 0)
    assert domain.pauses == domain.unpauses


def test_state_of_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputOutputError, match="cannot read"):
        opened(str(tmp_path))
