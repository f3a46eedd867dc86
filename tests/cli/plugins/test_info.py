"""`domctx plugins info`."""

from __future__ import annotations

import pytest
from sample_plugin import DIST, PACKAGE, POINTS, SAMPLE, TYPES, add_sample

from domctx_core.testing import CommandRunner, FakeDists


class TestInfo:
    @pytest.mark.parametrize("name", [DIST, "Domctx_Plugin.Sample", "0x1234.SAMPLE", PACKAGE])
    def test_by_any_name(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, name: str
    ) -> None:
        add_sample(domctx_dists)
        result = domctx_cli("plugins", "info", name)
        assert result.status == 0
        lines = [" ".join(line.split()) for line in result.out.splitlines()]
        assert lines == [
            f"{DIST} 1.0",
            "a sample",
            f"location {domctx_dists.path[0]}",
            "licence MIT",
            "python >=3.11",
            "requires domctx-core>=0.1,<1",
            f"domctx.record_types: 0x1234.SAMPLE = {PACKAGE}:SampleRecord",
            "status loaded",
            "domain-context 0x1234 SAMPLE A sample.",
            "value u32 a number [ms]",
            "rest reserved",
        ]

    def test_json(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        add_sample(domctx_dists, points={**POINTS, "domctx.plugins": {"sample": PACKAGE}})
        document = domctx_cli("plugins", "info", DIST, "--json").json
        assert document["schema"] == "domctx.plugin-info/1"
        (about,) = document["distributions"]
        points = about.pop("entry_points")
        assert about == {
            "dist": DIST,
            "version": "1.0",
            "summary": "a sample",
            "license": "MIT",
            "location": domctx_dists.path[0],
            "editable": False,
            "requires_python": ">=3.11",
            "requires": ["domctx-core>=0.1,<1"],
        }
        record, module = points
        assert (record["group"], record["status"], record["hooks"]) == (TYPES, "loaded", None)
        assert record["record_types"][0]["layout"][0]["doc"] == "a number"
        assert (module["hooks"], module["warnings"]) == (["domctx_checks"], [])

    def test_a_failure_and_its_traceback(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, "def f():\n    raise OSError('no')\nf()")
        plain = domctx_cli("plugins", "info", DIST)
        assert plain.status == 0
        assert "status  failed: its import raised OSError: no" in plain.out
        assert "Traceback" not in plain.out + plain.err
        verbose = domctx_cli("-v", "plugins", "info", DIST)
        assert "Traceback" in verbose.err
        assert "in f\n" in verbose.err
        trace = domctx_cli("plugins", "info", DIST, "--json").json
        assert "in f\n" in trace["distributions"][0]["entry_points"][0]["trace"]

    def test_warnings_are_told(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        source = SAMPLE.replace("def domctx_checks", "def domctx_chekcs")
        add_sample(domctx_dists, source, points={"domctx.plugins": {"sample": PACKAGE}})
        out = domctx_cli("plugins", "info", "sample").out
        assert "warning there is no hook domctx_chekcs; did you mean domctx_checks?" in out

    def test_one_that_is_disabled_is_not_imported(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists, "raise OSError('no')")
        out = domctx_cli("--no-plugins", "plugins", "info", DIST).out
        assert "status  disabled: by --no-plugins" in out

    def test_two_copies_are_two_stories(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists)
        add_sample(domctx_dists, folder="later", version="2.0")
        found = domctx_cli("plugins", "info", DIST, "--json").json["distributions"]
        statuses = {each["version"]: each["entry_points"][0]["status"] for each in found}
        assert statuses == {"1.0": "loaded", "2.0": "shadowed"}

    def test_the_core_too(self, domctx_cli: CommandRunner, domctx_dists: FakeDists) -> None:
        out = domctx_cli("plugins", "info", "domctx-core").out
        assert "0x1 START" in out
        assert "status  built-in" in out

    def test_an_unknown_name_gives_near_ones(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists
    ) -> None:
        add_sample(domctx_dists)
        result = domctx_cli("plugins", "info", "domctx-plugin-sampel")
        assert result.status == 2
        assert result.out == ""
        assert "no plugin is called domctx-plugin-sampel" in result.err
        assert "similar names: domctx-plugin-sample" in result.err
