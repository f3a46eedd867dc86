"""The example state file is what its script makes, and it saves and loads without a complaint."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
LIVE = EXAMPLES / "xen-4.17" / "pv2l" / "live"


@pytest.fixture
def script() -> ModuleType:
    pytest.importorskip("domctx_plugin_tsc_info")
    spec = importlib.util.spec_from_file_location("make_sim_state", EXAMPLES / "make_sim_state.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_file_is_what_the_script_makes(script: ModuleType) -> None:
    assert (EXAMPLES / "pv2l.sim.json").read_text() == script.render(LIVE)


def test_the_guest_is_the_one_that_was_captured() -> None:
    state = json.loads((EXAMPLES / "pv2l.sim.json").read_text())
    facts = json.loads((LIVE / "facts.json").read_text())
    assert next(iter(state)) == "schema"
    assert (state["schema"], state["domid"], state["xen_version"]) == ("domctx.sim/1", 1, "4.17")
    assert state["guest"] == {"kind": "pv", "width": 8, "arch": "x86", "vcpus": 2}
    keys = [(row["type"], row["instance"]) for row in state["records"]]
    assert keys == sorted(keys)
    assert [row["name"] for row in state["records"][:3]] == [
        "SHARED_INFO",
        "TSC_INFO",
        "EVTCHN_ABI",
    ]
    tsc = state["records"][1]["body"]
    assert tsc["mode"] == "DEFAULT"
    assert (tsc["khz"], int(tsc["nsec"]), tsc["incarnation"]) == (
        facts["tsc"]["khz"],
        facts["tsc"]["elapsed_nsec"],
        facts["tsc"]["incarnation"],
    )
    assert state["records"][2]["body"]["abi"] == "TWO_LEVEL"
    assert state["records"][2]["body"]["max_port"] == 4095
