"""The plots of the page, as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt

from benchmarks.harness import MIB, Results

__all__ = ["plots"]

OURS, FLOOR, OTHERS = "#1f6feb", "#57606a", "#b8c0c8"
STYLE: Any = {
    "svg.hashsalt": "domctx", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#8c959f", "axes.titlesize": 11,
    "axes.titleweight": "bold", "axes.titlelocation": "left", "text.color": "#1f2328",
    "axes.labelcolor": "#1f2328", "xtick.color": "#57606a", "ytick.color": "#1f2328",
}  # fmt: skip


def plots(results: Results, folder: Path) -> None:
    """Write both plots into `folder`."""
    with mpl.rc_context(STYLE):
        _save(_verify(results), folder / "benchmark-verify.svg")
        _save(_growth(results), folder / "benchmark-growth.svg")


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None}, facecolor="white")
    plt.close(figure)


def _verify(results: Results) -> Any:
    """A bar for each contestant and image, on a logarithmic scale."""
    images = {"uniform": "one type", "interleaved": "four types", "channels": "event channels"}
    figure, axes = plt.subplots(
        1, len(images), figsize=(10.5, 3.6), sharey=True, layout="constrained"
    )
    for axis, (job, title) in zip(axes, images.items(), strict=True):
        measured = results.jobs[job]
        keys = list(measured)[::-1]
        times = [measured[key].time * 1e9 for key in keys]
        colors = [OURS if key == "domctx" else FLOOR if key == "c" else OTHERS for key in keys]
        axis.barh([measured[key].title for key in keys], times, color=colors, height=0.7)
        for place, time in enumerate(times):
            axis.annotate(
                f"{time:,.0f}", (time, place), xytext=(4, 0), textcoords="offset points",
                va="center", fontsize=9,
            )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlim(1, 1_000_000)
        axis.set_xticks([1, 100, 10_000], ["1", "100", "10,000"])
        axis.minorticks_off()
        axis.set_title(title)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    figure.supxlabel("ns a record, verify (logarithmic)", fontsize=9)
    return figure


def _growth(results: Results) -> Any:
    """Time a record, and memory, by the number of records."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.4), layout="constrained")
    for (name, steps), color in zip(results.growth.items(), (OURS, FLOOR), strict=False):
        sizes = sorted(steps)
        times = [steps[size].best * 1e9 for size in sizes]
        memory = [steps[size].memory / MIB for size in sizes]
        label = "instances ascend" if name == "ascending" else "instances in no order"
        for axis, values in ((left, times), (right, memory)):
            axis.plot(sizes, values, marker="o", markersize=4, color=color, label=label)
    left.set_title("time a record, ns")
    right.set_title("memory of the process, MiB")
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_ylim(bottom=0)
        axis.set_xlabel("records", fontsize=9)
        sizes = sorted({size for steps in results.growth.values() for size in steps})
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axis.minorticks_off()
        axis.grid(axis="y", color="#d8dee4", linewidth=0.6)
    right.legend(frameon=False, fontsize=9)
    return figure
