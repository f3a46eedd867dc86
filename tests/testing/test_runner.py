"""The command run in this process, and what a host imports, recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from record_modules import odd_check, point, record_module

from domctx_core.host.host import Host
from domctx_core.testing import CommandResult, CommandRunner, FakeDists, HookRecorder


def test_a_run_has_its_status_and_both_streams(domctx_cli: CommandRunner, tmp_path: Path) -> None:
    run = domctx_cli("show", tmp_path / "none.img")
    assert (run.status, run.out) == (3, "")
    assert run.err.startswith("error: cannot read ")
    assert domctx_cli("--version").err == ""


def test_output_before_the_run_is_not_part_of_it(
    domctx_cli: CommandRunner, capsys: pytest.CaptureFixture[str]
) -> None:
    sys.stdout.write("before\n")
    assert domctx_cli("--version").out.startswith("domctx")


def test_json_and_lines_of_json() -> None:
    assert CommandResult(0, json.dumps({"a": 1}), "").json == {"a": 1}
    assert CommandResult(0, '{"a": 1}\n[2]\n', "").jsonl == [{"a": 1}, [2]]


def test_a_runner_with_distributions_sees_no_others(
    domctx_dists: FakeDists, capsys: pytest.CaptureFixture[str]
) -> None:
    domctx_dists.add("made", "1.5", point(300, "ONE", "nowhere"))
    listed = CommandRunner(capsys, domctx_dists)("plugins", "freeze")
    assert listed.out == "made==1.5\n"


def test_imports_and_calls_of_hooks_are_recorded(
    domctx_dists: FakeDists, domctx_hooks: HookRecorder
) -> None:
    domctx_dists.add(
        "made", entry_points=point(300, "ONE", "made_mod"),
        modules={"made_mod": record_module(300, "ONE")},
    )  # fmt: skip
    odd_check(domctx_dists, "pass")
    host = Host(path=domctx_dists.path, trace=domctx_hooks)
    assert domctx_hooks.traced == []
    host.checks()
    assert domctx_hooks.hooks() == ["domctx_checks"]
    assert domctx_hooks.imports() == ["odd_hooks"]
    entry = host.registry.get(300)
    assert entry is not None
    assert entry.record_type.name == "ONE"
    assert domctx_hooks.imports() == ["odd_hooks", "made_mod:MyRecord"]
