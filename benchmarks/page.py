"""What came of the benchmarks, in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template
from typing import Any

from benchmarks.harness import MIB, Measured, Results
from benchmarks.jobs import AIMS, JOBS, Aim, Job, Sizes

__all__ = ["aims_table", "document", "job_table", "page"]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def figure(value: float) -> str:
    """A number with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 1 else f"{value:.{1 if value >= 10 else 2}f}"


# ---------------------------------------------------------------------------------------------- jobs


def job_table(job: Job, results: Results) -> str:
    """The contestants of a job, in the order in which they ran."""
    measured = results.jobs[job.key]
    base = measured.get(job.base)
    unit, factor = (f"ns a {job.each}", 1e9) if job.each else ("ms", 1e3)
    if job.key.startswith("body"):
        unit = "ns"
    memory = any(each.memory for each in measured.values()) and not job.key.startswith("body")
    heads = ["", unit, *([f"x {base.title}"] if base else []), *(["MiB"] if memory else [])]
    rows = []
    for each in measured.values():
        ratio = [figure(each.time / base.time)] if base else []
        rows.append(
            [each.title, figure(each.time * factor), *ratio,
             *([figure(each.memory / MIB) if each.memory else ""] if memory else [])]
        )  # fmt: skip
    return table(heads, rows)


def growth_table(results: Results) -> str:
    """Time and memory by number of records, instances ascending and not."""
    heads = ["records"]
    for name in results.growth:
        heads += [f"{name}: ns a record", "MiB"]
    sizes = sorted({size for steps in results.growth.values() for size in steps})
    rows = []
    for size in sizes:
        row = [f"{size:,}"]
        for steps in results.growth.values():
            row += [figure(steps[size].best * 1e9), figure(steps[size].memory / MIB)]
        rows.append(row)
    return table(heads, rows)


# ---------------------------------------------------------------------------------------------- aims


def verdict(aim: Aim, value: float) -> str:
    """Whether an aim was met, and if not by how much it was missed."""
    if value >= aim.limit if aim.least else value <= aim.limit:
        return "met"
    by = aim.limit / value if aim.least else value / aim.limit
    return f"**missed**, {figure(by)} x"


def aims_table(results: Results) -> str:
    """Every aim that was measured."""
    rows = []
    for aim in AIMS:
        value = results.figure(aim)
        if value is None:
            continue
        ratio = " x" if aim.to is not None or aim.figure == "growth" else ""
        unit = {"memory": " MiB", "most": " MiB", "ns": " ns"}.get(aim.figure, ratio)
        limit = f"{'at least' if aim.least else 'at most'} {figure(aim.limit)}{unit}"
        rows.append([aim.what, limit, f"{figure(value)}{unit}", verdict(aim, value)])
    return table(["aim", "limit", "measured", ""], rows)


def reasons(results: Results) -> str:
    """Why aims were missed, one line for each reason."""
    why: dict[str, list[str]] = {}
    for aim in AIMS:
        value = results.figure(aim)
        if value is not None and verdict(aim, value) != "met" and aim.why:
            why.setdefault(aim.why, []).append(aim.what)
    lines = [f"* {'; '.join(what)}: {reason}.\n" for reason, what in why.items()]
    return "".join(["Why some are missed:\n\n", *lines, "\n"]) if lines else ""


# ---------------------------------------------------------------------------------------------- page


def document(results: Results) -> dict[str, Any]:
    """All figures as JSON."""

    def shown(each: Measured) -> dict[str, Any]:
        return {
            "title": each.title, "seconds": each.seconds, "records": each.each,
            "ns": each.time * 1e9, "memory": each.memory,
        }  # fmt: skip

    aims = []
    for aim in AIMS:
        value = results.figure(aim)
        if value is not None:
            met = value >= aim.limit if aim.least else value <= aim.limit
            aims.append({"aim": aim.what, "limit": aim.limit, "measured": value, "met": met})
    return {
        "jobs": {
            job: {key: shown(each) for key, each in measured.items()}
            for job, measured in results.jobs.items()
        },
        "growth": {
            name: {str(records): shown(step) for records, step in steps.items()}
            for name, steps in results.growth.items()
        },
        "aims": aims,
        "absent": results.absent,
    }


def page(results: Results, sizes: Sizes, about: dict[str, dict[str, str]]) -> str:
    """docs/reference/benchmarks.md."""
    jobs = []
    for job in JOBS:
        if job.key in results.jobs:
            jobs.append(f"### {job.title}\n\n{job_table(job, results)}\n")
    absent = "".join(f"\n{title} was left out: {why}.\n" for title, why in results.absent.items())
    facts = table(
        ["", ""], [[k, v] for each in about.values() for k, v in each.items() if v]
    ).replace("---:|", "---|")
    template = Template(Path(__file__).with_name("page.md").read_text(encoding="utf-8"))
    return template.substitute(
        aims=aims_table(results), reasons=reasons(results), jobs="\n".join(jobs), growth=growth_table(results),
        about=facts, absent=absent, rounds=sizes.rounds, starts=sizes.starts,
        records=f"{sizes.records:,}", ports=f"{sizes.ports:,}",
        large=f"{sizes.large / 2**30:g} GiB", stream=f"{sizes.stream / 2**30:g} GiB",
    )  # fmt: skip
