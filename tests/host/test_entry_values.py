"""What entry points name: imported when it is needed, and refused if it is not what the name declares."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from record_modules import HEAD, record_module

from domctx_core import DeclarationError, Format, PluginError, RecordType
from domctx_core.host.entry_values import load_command, load_format, load_opener, load_record_type
from domctx_core.host.plugin import Plugin
from domctx_core.testing import CommandRunner, FakeDists

COMMAND = """
import click

@click.command()
def verb():
    click.echo("it runs")

@click.command()
def wrong():
    raise ZeroDivisionError("mine")
"""


class TestVerbs:
    def add(self, dists: FakeDists, **verbs: str) -> None:
        points = {"domctx.commands": {name: f"verbs_mod:{what}" for name, what in verbs.items()}}
        summary = {"Summary": "brings verbs"}
        dists.add("verbs", "1.5", points, {"verbs_mod": COMMAND}, metadata=summary)

    def test_one_is_in_the_help_without_an_import(
        self, dists: FakeDists, domctx_cli: CommandRunner
    ) -> None:
        self.add(dists, frobnicate="verb")
        result = domctx_cli("--help")
        assert result.status == 0
        line = next(line for line in result.out.splitlines() if "frobnicate" in line)
        assert "brings verbs [verbs 1.5]" in line
        assert "verbs_mod" not in sys.modules

    def test_one_runs(self, dists: FakeDists, domctx_cli: CommandRunner) -> None:
        self.add(dists, frobnicate="verb")
        result = domctx_cli("--strict", "frobnicate")
        assert (result.status, result.out, result.err) == (0, "it runs\n", "")

    def test_one_that_raises_is_the_plugins_failure(
        self, dists: FakeDists, domctx_cli: CommandRunner
    ) -> None:
        self.add(dists, frobnicate="wrong")
        result = domctx_cli("frobnicate")
        assert result.status == 4
        assert "the verb frobnicate raised ZeroDivisionError: mine" in result.err
        assert "verbs 1.5" in result.err
        assert "bug in domctx" not in result.err

    def test_one_that_clashes_with_our_own(
        self, dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
    ) -> None:
        self.add(dists, show="verb", frobnicate="verb")
        shown = domctx_cli("show", "--json", images[0])
        assert shown.status == 0
        assert shown.json["records"][1]["name"] == "GOOD"
        assert "verbs 1.5: is conflict: the verb show belongs to domctx" in shown.err
        assert domctx_cli("--strict", "show", images[0]).status == 4
        assert domctx_cli("frobnicate").out == "it runs\n"

    def test_two_of_one_name_are_both_told_and_neither_runs(
        self, dists: FakeDists, domctx_cli: CommandRunner
    ) -> None:
        self.add(dists, frobnicate="verb")
        dists.add("other", "2.0", {"domctx.commands": {"frobnicate": "other_mod:verb"}})
        result = domctx_cli("frobnicate")
        assert result.status == 4
        assert "the verb frobnicate is claimed by other 2.0 and verbs 1.5" in result.err
        assert "verbs_mod" not in sys.modules

    def test_one_that_is_misspelt(self, dists: FakeDists, domctx_cli: CommandRunner) -> None:
        self.add(dists, frobnicate="verb")
        result = domctx_cli("frobincate")
        assert result.status == 2
        assert "did you mean frobnicate?" in result.err


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("raise OSError('no')", 4, "its import raised OSError: no"),
        ("opener = 7", 4, "the scheme mine of dom 1.0 is not callable"),
        ("def opener(request): raise KeyError('x')", 4, "opening mine:x raised KeyError: 'x'"),
        (
            "from domctx_core import UsageError\ndef opener(request): raise UsageError('mine')",
            2,
            "error: mine",
        ),
    ],
)
def test_a_scheme_that_cannot_be_opened(
    dists: FakeDists,
    domctx_cli: CommandRunner,
    tmp_path: Path,
    source: str,
    status: int,
    said: str,
) -> None:
    points = {"domctx.domains": {"mine": "dom_mod:opener"}}
    dists.add("dom", "1.0", points, {"dom_mod": source})
    result = domctx_cli("save", "mine:x", "-o", tmp_path / "a.img")
    assert result.status == status
    assert said in result.err
    assert "bug in domctx" not in result.err
    assert not (tmp_path / "a.img").exists()
    assert domctx_cli("save", "sim:seed=1", "-o", tmp_path / "a.img").status == 0


def loaded(
    dists: FakeDists, group: str, name: str, load: Callable[[Plugin], Any], source: str
) -> Any:
    """Return what an entry point `value_mod:thing` gives."""
    points = {f"domctx.{group}": {name: "value_mod:thing"}}
    dists.add("values", "1.0", points, {"value_mod": HEAD + source})
    return load(dists.plugin(dists.host(), "values"))


RECORD = f"{record_module(300, 'SOME')}\nthing = MyRecord"
FORMAT = "class thing(Format):\n    name = 'some'"


def test_a_record_type_is_created(domctx_dists: FakeDists) -> None:
    record_type = loaded(domctx_dists, "record_types", "300.SOME", load_record_type, RECORD)
    assert isinstance(record_type, RecordType)
    assert (record_type.code, record_type.name) == (300, "SOME")


def test_a_format_is_created(domctx_dists: FakeDists) -> None:
    known = loaded(domctx_dists, "formats", "some", load_format, FORMAT)
    assert isinstance(known, Format)


def test_a_command_and_an_opener_are_returned_as_they_are(domctx_dists: FakeDists) -> None:
    command = loaded(domctx_dists, "commands", "some", load_command, "thing = click.Command('x')")
    assert command.name == "x"
    domctx_dists.add("opener", "1.0", {"domctx.domains": {"some": "builtins:print"}})
    plugin = domctx_dists.plugin(domctx_dists.host(), "opener")
    assert load_opener(plugin) is print  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("group", "name", "load", "source", "reason"),
    [
        ("record_types", "301.SOME", load_record_type, RECORD, "declares 301.SOME"),
        ("record_types", "300.OTHER", load_record_type, RECORD, "declares 300.OTHER"),
        ("record_types", "300.SOME", load_record_type, "thing = 7", "7 is not a record type"),
        ("formats", "other", load_format, FORMAT, "declares the format other"),
        ("formats", "some", load_format, "thing = 7", "the format some of values 1.0"),
        ("commands", "some", load_command, "thing = 7", "the verb some of values 1.0"),
        ("domains", "some", load_opener, "thing = 7", "the scheme some of values 1.0"),
    ],
)
def test_what_is_not_as_declared_is_refused(
    domctx_dists: FakeDists, group: str, name: str, load: Callable[[Plugin], Any], source: str,
    reason: str,
) -> None:  # fmt: skip
    points = {f"domctx.{group}": {name: "value_mod:thing"}}
    domctx_dists.add("values", "1.0", points, {"value_mod": HEAD + source})
    plugin = domctx_dists.plugin(domctx_dists.host(), "values")
    with pytest.raises((PluginError, DeclarationError), match=reason):
        load(plugin)
    assert plugin.status == "failed"
    assert reason in plugin.reason
