"""No change makes domctx slower unnoticed: what can be counted stays as it was, on any machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from costs import VERSION, Figures, kept

COSTS = Path(__file__).with_name("costs.py")

SLACK = {
    # Of each kind, how far above the kept figure is still the same: a share of it, and so much besides.
    "imports, own": (0.0, 1.0),
    "imports, all": (0.08, 2.0),  # other versions of what we depend on
    "calls": (0.02, 0.2),
    "bytes": (0.05, 8.0),
}

MUCH = 0.6
"""What is below this share of the kept figure, and beyond the slack, is much better."""

AGAIN = "`python tests/costs.py --write` keeps the new figures"


@pytest.fixture(scope="module")
def counted() -> Figures:
    """What is counted now, in a process of its own: pytest compiles what it imports in its own way."""
    done = subprocess.run([sys.executable, COSTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: Figures = json.loads(done.stdout)
    return figures


def judge(now: Figures, before: Figures) -> Iterator[str]:
    """What is to be said of figures, one line each."""
    for kind, (share, besides) in SLACK.items():
        for name in sorted({*now[kind], *before.get(kind, {})}):
            new, old = now[kind].get(name), before.get(kind, {}).get(name)
            what = f"{kind}: {name}: {old} before, {new} now"
            if new is None or old is None:
                yield f"{what}; {AGAIN}"
            elif new > old * (1 + share) + besides:
                yield f"{what}: find out what it buys, and if it is worth that, {AGAIN}"
            elif new < old * MUCH - besides:
                yield f"{what}: much better; so that it stays, {AGAIN}"


def test_nothing_costs_more_than_it_did(counted: Figures) -> None:
    if VERSION not in kept():
        pytest.skip(f"no figures are kept for Python {VERSION}; {AGAIN}")
    said = list(judge(counted, kept()[VERSION]))
    assert not said, "\n".join(said)


class TestJudge:
    BEFORE: Figures = {  # noqa: RUF012
        "imports, own": {"show": 40},
        "imports, all": {"show": 150},
        "calls": {"verify": 1.0},
        "bytes": {"verify": 100.0},
    }

    def test_the_same_is_fine(self) -> None:
        assert not list(judge(self.BEFORE, self.BEFORE))

    @pytest.mark.parametrize(
        ("kind", "name", "value", "word"),
        [
            ("imports, own", "show", 42, "find out"),
            ("imports, all", "show", 170, "find out"),
            ("calls", "verify", 1.3, "find out"),
            ("bytes", "verify", 120.0, "find out"),
            ("calls", "verify", 0.2, "much better"),
            ("calls", "load", 1.0, "None before"),
        ],
    )
    def test_what_changed_is_told_with_the_command_to_keep_it(
        self, kind: str, name: str, value: float, word: str
    ) -> None:
        now: Figures = {**self.BEFORE, kind: {**self.BEFORE[kind], name: value}}
        (line,) = judge(now, self.BEFORE)
        assert f"{kind}: {name}" in line
        assert word in line
        assert "python tests/costs.py --write" in line

    def test_little_is_no_difference(self) -> None:
        now: Figures = {**self.BEFORE, "calls": {"verify": 1.1}, "imports, all": {"show": 155}}
        assert not list(judge(now, self.BEFORE))
