"""The whole way on what a real Xen gave: stream and live state, image, domain, image again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domctx_core.model.wire import pack_header
from domctx_core.testing import CommandRunner

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CAPTURES = EXAMPLES / "xen-4.17"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field inside a body by its full name."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


def fields(document: dict[str, Any]) -> dict[str, Any]:
    """Every field of an image by the name of its record, its instance, and its own."""
    return {
        f"{record['name']}[{record['instance']}]{path}": value
        for record in document["records"]
        for path, value in leaves(record["body"])
    }


@pytest.mark.parametrize("guest", ["pv1", "pv2l"])
def test_a_saved_stream_becomes_an_image_with_the_facts_of_the_live_guest(
    domctx_cli: CommandRunner, tmp_path: Path, guest: str
) -> None:
    stream = f"stream:{CAPTURES / guest / guest}.save.no-pages"
    image = tmp_path / "guest.img"
    assert domctx_cli("size", stream).out == "3240\n"
    assert domctx_cli("save", stream, "-o", image).status == 0
    assert image.stat().st_size == 3240
    assert domctx_cli("verify", image).status == 0

    document = domctx_cli("show", "--json", image).json
    start, shared, tsc, end = document["records"]
    lengths = [record["length"] for record in document["records"]]
    assert lengths == [8, 3144, 20, 0]
    assert (start["body"]["xen_major"], start["body"]["xen_minor"]) == (4, 17)
    assert end["name"] == "END"

    facts = json.loads((CAPTURES / guest / "live" / "facts.json").read_text())
    # elapsed_nsec goes on with time; the rest of the TSC does not
    assert tsc["body"]["mode"] == "DEFAULT"
    assert facts["tsc"]["mode"] == 0
    assert tsc["body"]["khz"] == facts["tsc"]["khz"]
    assert tsc["body"]["incarnation"] == facts["tsc"]["incarnation"]
    assert int(tsc["body"]["nsec"]) >= facts["tsc"]["elapsed_nsec"]

    info, live = shared["body"]["info"], facts["shared_info"]
    assert info["layout"] == "x86_64"
    assert info["evtchn_pending"] == live["evtchn_pending"]
    wall_clock = {
        "version": "wc_version",
        "sec": "wc_sec",
        "nsec": "wc_nsec",
        "sec_hi": "wc_sec_hi",
    }
    assert {key: info[name] for key, name in wall_clock.items()} == live["wc"]
    # the guest moves its p2m's root out of the way when it is suspended and back
    for name in ("max_pfn", "p2m_cr3", "p2m_vaddr", "p2m_generation"):
        assert int(str(info["arch"][name]), 0) == live["arch"][name], name
    for vcpu in live["vcpu_info"]:
        mine = info["vcpu_info"][vcpu["i"]]
        assert mine["evtchn_upcall_pending"] == vcpu["pending"]
        assert int(mine["evtchn_pending_sel"], 0) == int(vcpu["sel"], 0)
        assert int(mine["arch"]["cr2"], 0) == int(vcpu["cr2"], 0)
    # what is masked below port 64 is what was masked live, and what the suspend masked
    unmasked = {port for port in range(64) if port not in info["evtchn_mask"]}
    suspended = {1, 2, 7, 13} if guest == "pv2l" else set()
    assert unmasked == set(live["evtchn_unmasked_below_64"]) - suspended


def test_the_example_state_has_every_channel_that_xen_reported_and_survives(
    domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    one, state, other = tmp_path / "one.img", tmp_path / "target.json", tmp_path / "other.img"
    assert domctx_cli("save", f"sim:{EXAMPLES / 'pv2l.sim.json'}", "-o", one).status == 0
    before = domctx_cli("show", "--json", one).json
    facts = json.loads((CAPTURES / "pv2l" / "live" / "facts.json").read_text())
    reported = {c["port"]: c for c in facts["evtchn"] if c["status"] != "closed"}
    found = {r["instance"]: r["body"] for r in before["records"] if r["name"] == "EVENT_CHANNEL"}
    assert found.keys() == reported.keys()
    for port, channel in found.items():
        fact = reported[port]
        assert channel["state"].lower() == fact["status"]
        assert channel["notify_vcpu"] == fact["vcpu"]
        binding = channel["binding"] or {}
        for name in ("remote_domid", "remote_port", "virq"):
            assert binding.get(name) == fact.get(name), (port, name)

    assert domctx_cli("load", one, f"sim:{state},kind=pv,width=8,vcpus=2").status == 0
    assert domctx_cli("save", f"sim:{state}", "-o", other).status == 0
    assert one.stat().st_size == other.stat().st_size == int(domctx_cli("size", f"sim:{state}").out)
    after = domctx_cli("show", "--json", other).json
    was, now = fields(before), fields(after)
    assert was.keys() == now.keys()
    changed = {name: (was[name], now[name]) for name in was if was[name] != now[name]}
    info = "SHARED_INFO[0].info"
    assert changed.pop("TSC_INFO[0].incarnation") == (1, 2)
    assert changed.pop(f"{info}.arch.pfn_to_mfn_frame_list_list")[1] == "0x0"
    # the target's own wall clock, which a domain that has none yet has not set
    assert {name: value[1] for name, value in changed.items()} == {
        f"{info}.wc_version": 0, f"{info}.wc_sec": 0, f"{info}.wc_nsec": 0,
    }  # fmt: skip


def test_a_body_above_4_gib_is_framed_like_any_other(
    domctx_cli: CommandRunner, tmp_path: Path
) -> None:
    """In a sparse file, so that it costs nothing; nobody reads what is not looked at."""
    length = 5 * 2**30 + 3
    path = tmp_path / "large.img"
    with open(path, "wb") as file:
        file.write(pack_header(1, 0, 8) + bytes([4, 0, 0, 0, 17, 0, 0, 0]))
        file.write(pack_header(0x12345, 7, length))
        os.truncate(path, 24 + 16 + length + 5)
        file.seek(0, os.SEEK_END)
        file.write(pack_header(0, 0, 0))
    document = domctx_cli("show", "--json", path).json
    large, end = document["records"][1:]
    assert (large["length"], large["padding"], large["raw_truncated"]) == (length, 5, True)
    assert (end["name"], end["offset"]) == ("END", 24 + 16 + length + 5)
    assert document["size"] == path.stat().st_size
    run = domctx_cli("verify", "--json", path)
    assert [f["rule"] for f in run.json["images"][0]["findings"]] == ["unknown-type"]
