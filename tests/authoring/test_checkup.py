"""The check-up of a distribution: status, hooks, metadata, type codes, conformance."""

from __future__ import annotations

import pytest
from record_modules import HEAD, odd_check

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
