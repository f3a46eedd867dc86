"""`python -m benchmarks`: run the benchmarks, print what came of them, and write the page."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Harness
from benchmarks.jobs import FULL, JOBS, QUICK
from benchmarks.machine import machine, versions
from benchmarks.page import aims_table, document, job_table, page

DOCS = Path(__file__).parent.parent / "docs"


def main() -> int:
    """Run what the command line says; status 1 where an aim is missed."""
    every = [*(job.key for job in JOBS), "growth"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="tiny inputs: to see that all works, not how fast"
    )
    parser.add_argument(
        "--jobs", metavar="JOB,...", help=f"only these: {', '.join(every)}", default=",".join(every)
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--write", action="store_true", help="write the page and its plots into docs/"
    )
    parser.add_argument("--docs", type=Path, default=DOCS, help="another folder than docs/")
    parser.add_argument("--folder", help="where the temporary folder with the inputs goes")
    options = parser.parse_args()
    jobs = options.jobs.split(",")
    unknown = sorted(set(jobs) - set(every))
    if unknown:
        parser.error(f"there is no job {', '.join(unknown)}; there are {', '.join(every)}")
    if options.write and (options.quick or set(jobs) != set(every)):
        parser.error("--write wants all jobs at their full size")

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        harness = Harness(Path(folder), QUICK if options.quick else FULL, tell)
        results = harness.run(jobs)
    about = {"machine": machine(), "versions": versions()}
    if options.json:
        print(json.dumps({**about, **document(results)}, indent=1))
    else:
        for job in JOBS:
            if job.key in results.jobs:
                print(f"{job.title}\n\n{job_table(job, results)}\n")
        print(aims_table(results))
    if options.write:
        from benchmarks.plots import plots

        reference, images = options.docs / "reference", options.docs / "images"
        images.mkdir(parents=True, exist_ok=True)
        plots(results, images)
        text = page(results, harness.sizes, about)
        reference.joinpath("benchmarks.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
