"""The check-up of a distribution: status, hooks, metadata, type codes, conformance."""

from __future__ import annotations

import pytest
from record_modules import HEAD, HOOKS, TYPES, odd_check, record_module

from domctx_core.authoring.checkup import KEYWORD, Fault, check, distributions
from domctx_core.testing import CommandRunner, FakeDists


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def __init__(self): raise ValueError('no')", "raised ValueError: no"),
        ("format = 'nosuch'", "the check Odd is for the format nosuch"),
    ],
)
def test_plugins_check_looks_at_checks(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, source: str, said: str
) -> None:
    odd_check(domctx_dists, source)
    done = domctx_cli("plugins", "check", "odd")
    assert done.status == 1
    assert said in done.out


@pytest.mark.parametrize("where", ["simulate(self, guest, rng)", "judge(self, *_)"])
def test_plugins_check_survives_a_record_type_that_exits(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, where: str
) -> None:
    source = (
        "class Odd(Body):\n    value: int = u32()\n"
        "class MyRecord(RecordType):\n    code, name, body = 300, 'ODD', Odd\n"
        f"    def {where}: sys.exit(0)\n"
    )
    points = {"domctx.record_types": {"300.ODD": "odd_mod:MyRecord"}}
    domctx_dists.add("odd", "1.5", points, {"odd_mod": HEAD + source})
    done = domctx_cli("plugins", "check", "odd")
    assert done.status == 1
    assert "SystemExit: 0" in done.out


MADE = f"""
{record_module(0x1234, "MADE")}
class Elsewhere(Check):
    format = "nosuch"

@hookimpl
def domctx_checks(): return [CheckDeclaration(Elsewhere)]

@hookimpl
def domctx_chekcs(): return []
"""


def add_made(dists: FakeDists) -> None:
    """Add a distribution `made` with a record type, a check and a misspelt hook."""
    points = {TYPES: {"0x1234.MADE": "made_mod:MyRecord"}, HOOKS: {"made": "made_mod"}}
    dists.add("made", "1.5", points, {"made_mod": HEAD + MADE})


def test_faults_are_of_one_distribution_and_in_order(domctx_dists: FakeDists) -> None:
    add_made(domctx_dists)
    odd_check(domctx_dists, "pass")
    host = domctx_dists.host()
    assert distributions(host) == ["made", "odd"]
    faults = check(host)
    assert [fault.dist for fault in faults] == sorted(fault.dist for fault in faults)
    assert {fault.dist for fault in faults} == {"made", "odd"}
    assert {fault.what for fault in faults} == {"hook", "metadata", "conformance"}
    alone = check(domctx_dists.host(), ["made"])
    assert alone == [fault for fault in faults if fault.dist == "made"]
    hooks = [fault.message for fault in alone if fault.what == "hook"]
    assert "there is no hook domctx_chekcs; did you mean domctx_checks?" in hooks[0]
    assert "the check Elsewhere is for the format nosuch" in hooks[1]


def test_a_fault_as_json() -> None:
    assert Fault("made", "hook", "wrong").to_json() == {
        "dist": "made", "what": "hook", "message": "wrong",
    }  # fmt: skip


def test_a_plugin_that_is_disabled_is_a_fault_if_it_is_named(domctx_dists: FakeDists) -> None:
    add_made(domctx_dists)
    disabled = {"made": "-p no:made"}
    assert check(domctx_dists.host(disabled=disabled)) == []
    faults = check(domctx_dists.host(disabled=disabled), ["made"])
    statuses = [fault.message for fault in faults if fault.what == "status"]
    assert len(statuses) == 2
    assert all(text.endswith("remove the switch to check it") for text in statuses)


def test_every_part_of_the_metadata_is_asked_for(domctx_dists: FakeDists) -> None:
    add_made(domctx_dists)
    faults = check(domctx_dists.host(), ["made"])
    text = "\n".join(fault.message for fault in faults if fault.what == "metadata")
    for part in ("license", "license-files", "description", "requires-python", KEYWORD,
                 "domctx-core is not required", "make it a package"):  # fmt: skip
        assert part in text
