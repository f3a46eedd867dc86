"""A body's problem of a warning rule is a warning everywhere, whatever verb meets it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from domctx_core import Body, BodyError, Problem, Rule, Rules, Severity, u32
from domctx_core.host.host import Host
from domctx_core.host.plugin_filter import PluginFilter
from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

MODULE = '''
"""A record type whose body is never without a warning."""

from domctx_core import (
    Body, Check, CheckDeclaration, Problem, RecordType, Rule, Severity, SINGLE, hookimpl, u32,
)


class Lamp(Body):
    """The lamp of a domain."""

    level: int = u32(doc="how bright it is")

    def check(self):
        yield Problem("{rule}", "it may flicker", 0, "level")


class LampRecord(RecordType[Lamp]):
    """The lamp."""

    code, name, body, instances = 0x100, "LAMP", Lamp, SINGLE


class LampCheck(Check):
    """Brings the rule."""

    rules = (
        Rule("lamp/flicker", Severity.WARNING, None, "flicker", "It flickers.", "Wait.", "level 3"),
    )


@hookimpl
def domctx_checks():
    return [CheckDeclaration(LampCheck)]
'''

CORES, OWN = "trailing-bytes", "lamp/flicker"
"""A warning rule of the core, and one that a check of the plugin brings."""


@pytest.fixture(params=[CORES, OWN])
def rule(request: pytest.FixtureRequest, domctx_dists: FakeDists) -> str:
    rule: str = request.param
    domctx_dists.add(
        "domctx-plugin-lamp",
        entry_points={
            "domctx.record_types": {"0x100.LAMP": "lamp:LampRecord"},
            "domctx.plugins": {"lamp": "lamp"},
        },
        modules={"lamp": MODULE.replace("{rule}", rule)},
    )
    return rule


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.img"
    path.write_bytes(ImageBuilder().start().record(0x100, 0, b"\3\0\0\0").end().build())
    return path


def warned(findings: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(finding["rule"], finding["severity"]) for finding in findings]


def test_verify(rule: str, image: Path, domctx_cli: CommandRunner) -> None:
    done = domctx_cli("verify", "--json", image)
    assert done.status == 0
    assert warned(done.json["images"][0]["findings"]) == [(rule, "warning")]


def test_show(rule: str, image: Path, domctx_cli: CommandRunner) -> None:
    done = domctx_cli("show", "--json", image)
    assert done.status == 0
    assert warned(done.json["findings"]) == [(rule, "warning")]


@pytest.mark.parametrize("options", [[], ["--no-validate"]])
def test_load_and_save(
    rule: str, options: list[str], image: Path, tmp_path: Path, domctx_cli: CommandRunner
) -> None:
    state, again = tmp_path / "state.json", tmp_path / "again.img"
    loaded = domctx_cli("load", *options, image, f"sim:{state}")
    assert (loaded.status, loaded.err) == (0, loaded.err)
    saved = domctx_cli("save", f"sim:{state}", "-o", again)
    assert (saved.status, saved.err) == (0, saved.err)
    assert again.read_bytes() == image.read_bytes()


def test_edit(rule: str, image: Path, tmp_path: Path, domctx_cli: CommandRunner) -> None:
    out = tmp_path / "out.img"
    done = domctx_cli("edit", "--json", image, "--set", "LAMP.level=4", "-o", out)
    assert done.status == 0
    assert warned(done.json["findings"]) == [(rule, "warning")]
    assert domctx_cli("verify", out).status == 0


def test_encode(rule: str, image: Path, tmp_path: Path, domctx_cli: CommandRunner) -> None:
    document, out = tmp_path / "lamp.json", tmp_path / "out.img"
    decoded = domctx_cli("decode", image)
    text = json.loads(decoded.out)
    text["records"][1].pop("raw", None)
    document.write_text(json.dumps(text))
    assert domctx_cli("encode", document, "-o", out).status == 0
    assert out.read_bytes() == image.read_bytes()


def test_conformance(rule: str, domctx_cli: CommandRunner) -> None:
    done = domctx_cli("plugins", "check", "domctx-plugin-lamp", "--json")
    assert [fault for fault in done.json["faults"] if fault["what"] == "conformance"] == []


OVERRIDES = """
    def to_bytes(self, byteorder="little", *, check=True):
        return super().to_bytes(byteorder, check=check)

    @classmethod
    def from_bytes(cls, data, byteorder="little"):
        return super().from_bytes(data, byteorder)


class LampRecord"""


def test_a_body_with_ways_of_its_own(domctx_dists: FakeDists, domctx_cli: CommandRunner) -> None:
    source = MODULE.replace("{rule}", CORES).replace("\n\nclass LampRecord", OVERRIDES)
    points = {"domctx.record_types": {"0x100.LAMP": "lamp:LampRecord"}}
    domctx_dists.add("domctx-plugin-lamp", "1.0", points, {"lamp": source})
    assert domctx_cli("save", "sim:seed=1", "-o", os.devnull).status == 0
    done = domctx_cli("plugins", "check", "domctx-plugin-lamp", "--json")
    assert [fault for fault in done.json["faults"] if fault["what"] == "conformance"] == []


def test_the_host_finds_the_rules_of_checks_when_asked(rule: str, domctx_dists: FakeDists) -> None:
    host = domctx_dists.host()
    plugin = domctx_dists.plugin(host, "domctx-plugin-lamp")
    assert host.registry.rules is host.formats.rules
    assert host.formats.rules.get("trailing-bytes") is not None
    assert plugin.status == "lazy"
    assert host.formats.rules.find("lamp/flicker").severity is Severity.WARNING
    assert Host(PluginFilter(no_plugins="no")).formats.rules.get("lamp/flicker") is None


class Lamp(Body):
    """The lamp of a domain."""

    level: int = u32(doc="how bright it is")

    def check(self) -> Iterator[Problem]:
        yield Problem("lamp/flicker", "it may flicker", 0, "level")


def test_bytes_of_a_body() -> None:
    rule = Rule("lamp/flicker", Severity.WARNING, None, "f", "F.", "W.", "x")
    rules = Rules([rule])
    lamp = Lamp(level=3)
    raw = lamp.to_bytes(rules=rules)
    assert raw == b"\3\0\0\0"
    assert Lamp.from_bytes(raw, rules=rules) == lamp
    for known in Rules(), Rules([rule._replace(severity=Severity.ERROR)]):
        with pytest.raises(BodyError, match="it may flicker"):
            lamp.to_bytes(rules=known)
        with pytest.raises(BodyError, match="it may flicker"):
            Lamp.from_bytes(raw, rules=known)
    assert lamp.problems() == [Problem("lamp/flicker", "it may flicker", 0, "level")]
