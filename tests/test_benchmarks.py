"""The benchmarks run, their contestants agree, and the page that they make is the one of this code."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"

sys.path.insert(0, str(ROOT))  # benchmarks/ is a package of the working tree, and never installed

from benchmarks.harness import Measured, Results  # noqa: E402
from benchmarks.inputs import Totals  # noqa: E402
from benchmarks.jobs import AIMS, JOBS, Aim  # noqa: E402
from benchmarks.page import aims_table, figure, verdict  # noqa: E402


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def quick() -> Any:
    """What a run of all jobs with tiny inputs says."""
    done = run("--quick", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_contestant_runs_or_is_said_to_be_absent(quick: Any) -> None:
    for job in JOBS:
        for contestant in job.contestants:
            there = contestant.key in quick["jobs"][job.key]
            assert there or contestant.title in quick["absent"], (job.key, contestant.key)
    assert {name for name, steps in quick["growth"].items() if steps} == {"ascending", "scattered"}


def test_every_figure_is_a_time(quick: Any) -> None:
    for measured in (each for job in quick["jobs"].values() for each in job.values()):
        assert measured["ns"] > 0
        assert measured["records"] >= 1


def test_every_aim_is_judged(quick: Any) -> None:
    judged = {aim["aim"] for aim in quick["aims"]}
    absent = set(quick["absent"])
    for aim in AIMS:
        assert aim.what in judged or absent, aim


def test_only_some_jobs_can_be_run_and_unknown_ones_are_named() -> None:
    done = run("--jobs", "uniform,nonsense")
    assert done.returncode == 2
    assert "there is no job nonsense" in done.stderr


def test_tiny_inputs_never_make_the_page() -> None:
    done = run("--quick", "--write")
    assert done.returncode == 2
    assert "full size" in done.stderr


class TestTotals:
    def test_who_counts_the_same_agrees(self) -> None:
        assert Totals(3, 96, 3, 9).disagree({"records": 3, "fields": 9}) == ""

    def test_who_counts_otherwise_is_told(self) -> None:
        assert Totals(3, 96, 3, 9).disagree({"records": 3, "bytes": 95}) == "bytes 95 for 96"


class TestAims:
    MOST = Aim("fast", ("job", "ours"), ("job", "theirs"), 2)
    LEAST = Aim("faster", ("job", "ours"), ("job", "theirs"), 10, least=True)

    def results(self, ours: float, theirs: float) -> Results:
        measured = {"ours": Measured("ours", [ours]), "theirs": Measured("theirs", [theirs])}
        return Results({"job": measured})

    @pytest.mark.parametrize(
        ("aim", "ours", "theirs", "value", "said"),
        [
            (MOST, 3.0, 2.0, 1.5, "met"),
            (MOST, 6.0, 2.0, 3.0, "**missed**, 1.50 x"),
            (LEAST, 1.0, 20.0, 20.0, "met"),
            (LEAST, 4.0, 20.0, 5.0, "**missed**, 2.00 x"),
        ],
    )
    def test_limit(self, aim: Aim, ours: float, theirs: float, value: float, said: str) -> None:
        found = self.results(ours, theirs).figure(aim)
        assert found == value
        assert verdict(aim, found) == said

    def test_the_median_counts_and_is_divided_by_the_records(self) -> None:
        assert Measured("", [9.0, 2.0, 1.0], each=2).time == 1.0

    def test_what_was_not_measured_is_not_judged(self) -> None:
        assert Results().figure(self.MOST) is None
        assert aims_table(Results()).count("\n") == 1

    def test_numbers_have_three_digits_that_count(self) -> None:
        shown = [figure(value) for value in (1234567.0, 123.4, 12.34, 1.234, 0.1234)]
        assert shown == ["1,234,567", "123", "12.3", "1.23", "0.123"]


def test_the_page_has_every_aim_and_job() -> None:
    page = PAGE.read_text()
    for aim in AIMS:
        assert f"| {aim.what} |" in page, "run `make bench`"
    for job in JOBS:
        assert f"### {job.title}\n" in page, "run `make bench`"


@pytest.mark.parametrize("name", ["benchmark-verify.svg", "benchmark-growth.svg"])
def test_the_plots_are_there_and_well_formed(name: str) -> None:
    assert f"../images/{name}" in PAGE.read_text()
    root = ET.parse(ROOT / "docs" / "images" / name).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
