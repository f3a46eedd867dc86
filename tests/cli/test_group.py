"""The group of verbs: help, and suggestions for misspelt verbs, options and values."""

from __future__ import annotations

import pytest
from cli_runs import Domctx


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verfy", "x"], "did you mean verify"),
        (["show"], "Missing argument 'IMAGE'"),
        (["show", "--jsn", "x"], "--json"),
        (["save", "simm:", "-o", "x"], "did you mean sim?"),
        (["save", "sim:vcpu=3", "-o", "x"], "did you mean vcpus"),
        (["save", "sim:", "-o", "x", "--xen", "four"], "MAJOR.MINOR"),
        (["-p", "no:domctx-plugin-tsc-inf", "types"], "domctx-plugin-tsc-info"),
        (["-p", "yes", "types"], "-p takes no:NAME"),
        (["-p", "no: ", "types"], "-p takes no:NAME"),
        (["explain", "padding-not-zer"], "padding-not-zero"),
        (["show", "--cap", "much", "x"], "4096, 64K"),
    ],
)
def test_what_does_not_exist_is_2_with_near_names(
    domctx: Domctx, arguments: list[str], said: str
) -> None:
    run = domctx(*arguments)
    assert run.status == 2
    assert said in run.err
    assert run.out == ""


@pytest.mark.parametrize("verb", ["show", "verify", "save", "load", "size", "types", "plugins"])
def test_help_of_every_verb(domctx: Domctx, verb: str) -> None:
    run = domctx(verb, "--help")
    assert run.status == 0
    assert run.out.startswith(f"Usage: domctx {verb}")
