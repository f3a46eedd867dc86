"""Makes the inputs, runs the contestants of a job in turn, and sees that all did the same work."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from benchmarks import floor, inputs
from benchmarks.inputs import Input, Totals
from benchmarks.jobs import JOBS, Aim, Contestant, Job, Sizes
from benchmarks.processes import pipeline

__all__ = ["Harness", "Measured", "Results"]

MIB = 1 << 20


@dataclass
class Measured:
    """What one contestant took: seconds of each round, what they are divided by, memory in bytes."""

    title: str
    seconds: list[float] = field(default_factory=list)
    each: int = 1
    memory: int = 0

    @property
    def time(self) -> float:
        """The median time, of one record where there are several."""
        return statistics.median(self.seconds) / self.each

    @property
    def best(self) -> float:
        """The shortest time, of one record where there are several."""
        return min(self.seconds) / self.each


@dataclass
class Results:
    """All that was measured; `absent` says why a contestant is not there, `growth` is by records."""

    jobs: dict[str, dict[str, Measured]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    growth: dict[str, dict[int, Measured]] = field(default_factory=dict)

    def figure(self, aim: Aim) -> float | None:
        """What came of an aim; None where it was not measured."""
        job, contestant = aim.of
        if aim.figure in ("growth", "most"):
            steps = self.growth.get(contestant)
            if not steps:
                return None
            if aim.figure == "growth":
                times = [step.best for records, step in steps.items() if records >= aim.since]
                return max(times) / min(times)
            free = 8 if contestant == "scattered" else 0
            return max(step.memory - free * records for records, step in steps.items()) / MIB
        measured = self.jobs.get(job, {}).get(contestant)
        if measured is None:
            return None
        if aim.figure == "memory":
            return measured.memory / MIB
        if aim.figure == "ns" or aim.to is None:
            return measured.time * 1e9
        other = self.jobs.get(aim.to[0], {}).get(aim.to[1])
        if other is None:
            return None
        return other.time / measured.time if aim.least else measured.time / other.time


class Harness:
    """One run of the benchmarks, with its inputs in `folder`."""

    def __init__(self, folder: Path, sizes: Sizes, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.sizes = sizes
        self.tell = tell
        self.results = Results()
        self._inputs: dict[tuple[str, int], Input] = {}
        self._floor: Path | None = None
        self._sum = ""

    # ----------------------------------------------------------------------------------- inputs

    def input(self, kind: str, part: int = 1) -> Input:
        """The input of a kind, or one with one in `part` of its records."""
        if (kind, part) not in self._inputs:
            path, sizes = self.folder / f"{kind}-{part}", self.sizes
            make: dict[str, Callable[[], Input]] = {
                "uniform": lambda: inputs.uniform(path, sizes.records // part),
                "interleaved": lambda: inputs.interleaved(path, sizes.records // part),
                "channels": lambda: inputs.channels(path, sizes.ports // part),
                "large": lambda: inputs.large(path, sizes.large // part),
                "stream": lambda: inputs.stream(path, sizes.stream // part),
                "small": lambda: inputs.small(path),
            }
            self._inputs[kind, part] = make[kind]()
        return self._inputs[kind, part]

    def forget(self, kind: str) -> None:
        """Remove inputs that no job needs any more."""
        for key in [key for key in self._inputs if key[0] == kind]:
            self._inputs.pop(key).path.unlink()

    # ------------------------------------------------------------------------------------- jobs

    def run(self, jobs: Iterable[str]) -> Results:
        """Run the jobs of these names; `growth` is one of them."""
        wanted = list(jobs)
        self._floor = floor.build(self.folder)
        todo = [job for job in JOBS if job.key in wanted]
        for place, job in enumerate(todo):
            self.tell(job.title)
            self.results.jobs[job.key] = self._job(job)
            if job.input and all(job.input != later.input for later in todo[place + 1 :]):
                self.forget(job.input)
        if "growth" in wanted:
            self._growth()
        return self.results

    def _job(self, job: Job) -> dict[str, Measured]:
        measured = {
            contestant.key: Measured(contestant.title)
            for contestant in job.contestants
            if self._present(contestant)
        }
        present = [each for each in job.contestants if each.key in measured]
        if job.input == "small":
            for each in present:  # byte code and the file system's caches are made by a first run
                self._once(job, each)
        rounds = self.sizes.starts if job.input == "small" else self.sizes.rounds
        for _ in range(rounds):
            for each in present:
                seconds, memory, divisor = self._once(job, each)
                one = measured[each.key]
                one.seconds.append(seconds)
                one.memory = max(one.memory, memory)
                one.each = divisor
        return measured

    def _present(self, contestant: Contestant) -> bool:
        if contestant.run.startswith("floor:") and self._floor is None:
            self.results.absent[contestant.title] = "no C compiler"
            return False
        if contestant.needs:
            try:
                metadata.version(contestant.needs)
            except metadata.PackageNotFoundError:
                self.results.absent[contestant.title] = f"{contestant.needs} is not installed"
                return False
        return True

    def _once(self, job: Job, contestant: Contestant) -> tuple[float, int, int]:
        """Seconds, memory, and what the seconds are divided by."""
        if job.input == "small":
            return self._start(contestant), 0, 1
        made = self.input(job.input, contestant.part) if job.input else None
        totals = Totals(self.sizes.bodies) if made is None else made.totals
        divisor = totals.records if job.each else 1
        kind, _, what = contestant.run.partition(":")
        if kind == "tee":
            assert made is not None
            outcome = pipeline(self._tee(what, made.path), member=1)
            if outcome.output != (self._sum or outcome.output):
                raise SystemExit("what comes out of a tee is not what went in")
            self._sum = outcome.output
            return outcome.seconds, outcome.memory, divisor
        path = "-" if contestant.piped or made is None else str(made.path)
        if kind == "floor":
            assert self._floor is not None
            argument = str(totals.records) if what == "save" else path
            command = [str(self._floor), what, argument]
        else:
            arguments = {
                "path": path, "records": totals.records, "ports": self.sizes.ports,
                **contestant.arguments,
            }  # fmt: skip
            command = [
                sys.executable,
                "-m",
                "benchmarks.child",
                contestant.run,
                json.dumps(arguments),
            ]
        commands = (
            [command]
            if not contestant.piped
            else [["cat", str(made.path if made else "")], command]
        )
        outcome = pipeline(commands)
        if kind == "floor":
            seconds, counted = floor.read(outcome.output)
            memory = outcome.memory
            if job.key.startswith("large"):
                del counted["fields"]
        else:
            answer = json.loads(outcome.output)
            seconds, counted = answer["cpu" if job.clock == "cpu" else "seconds"], answer["totals"]
            memory = max(outcome.memory, answer["memory_after"])
        wrong = totals.disagree(counted)
        if wrong:
            raise SystemExit(f"{job.title}: {contestant.title} counts {wrong}")
        return seconds, memory, divisor

    # ----------------------------------------------------------------------------------- streams

    @staticmethod
    def _tee(what: str, path: Path) -> list[list[str]]:
        verify = [sys.executable, "-m", "domctx_core", "verify", "--tee", "-"]
        middle = verify if what == "domctx" else ["cat"]
        return [["cat", str(path)], middle, ["sha256sum"]]

    # ---------------------------------------------------------------------------------- start-up

    def _start(self, contestant: Contestant) -> float:
        what = contestant.run.partition(":")[2]
        domctx = str(Path(sys.executable).with_name("domctx"))
        image = str(self.input("small").path)
        commands = {
            "pass": [sys.executable, "-c", "pass"],
            "show": [domctx, "show", image],
            "show-many": [domctx, "show", image],
            "completion": ["env", "_DOMCTX_COMPLETE=bash_complete", "COMP_WORDS=domctx ver",
                           "COMP_CWORD=1", domctx],
        }  # fmt: skip
        path = [str(self._dists())] if what == "show-many" else []
        outcome = pipeline([commands.get(what) or [domctx, what]], path=path)
        if what != "pass" and not outcome.output:
            raise SystemExit(f"{contestant.title} says nothing")
        return outcome.seconds

    def _dists(self) -> Path:
        """A folder of distributions that have nothing to do with domctx."""
        folder = self.folder / "dists"
        if not folder.exists():
            for number in range(self.sizes.dists):
                info = folder / f"nothing_{number}-1.0.dist-info"
                info.mkdir(parents=True)
                lines = f"Metadata-Version: 2.1\nName: nothing-{number}\nVersion: 1.0\n\n"
                (info / "METADATA").write_text(lines + "Words.\n" * 100)
                points = f"[console_scripts]\nnothing-{number} = nothing_{number}:main\n"
                (info / "entry_points.txt").write_text(points)
                (info / "RECORD").write_text("")
        return folder

    # ------------------------------------------------------------------------------------ growth

    def _growth(self) -> None:
        """`verify` of more and more records, whose instances ascend or do not."""
        self.tell("Growth of verify")
        for name in ("ascending", "scattered"):
            steps = self.results.growth.setdefault(name, {})
            paths = {records: self.folder / f"growth-{records}" for records in self.sizes.growth}
            made = {
                records: inputs.uniform(path, records, scattered=name == "scattered")
                for records, path in paths.items()
            }
            for turn in range(4 * self.sizes.rounds):  # so that all see the machine alike
                for records, image in made.items():
                    if turn % 4 == 0 or records <= 1_000_000:
                        self._step(image, steps.setdefault(records, Measured(name, each=records)))
            for path in paths.values():
                path.unlink()

    @staticmethod
    def _step(made: Input, measured: Measured) -> None:
        times = max(1, 200_000 // measured.each)
        arguments = {"path": str(made.path), "times": times, "warm": measured.each <= 1_000_000}
        child = [sys.executable, "-m", "benchmarks.child", "ours:grow", json.dumps(arguments)]
        outcome = pipeline([child])
        answer = json.loads(outcome.output)
        if made.totals.disagree(answer["totals"]):
            raise SystemExit("growth: another number of bytes")
        measured.seconds.append(answer["cpu"])
        measured.memory = max(measured.memory, outcome.memory, answer["memory_after"])
