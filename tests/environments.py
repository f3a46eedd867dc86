"""Environments for tests: distributions really built and really installed, without a network.

What they depend on comes from the environment that runs the tests, linked into the new one; ours
are taken out of that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import importlib_metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

__all__ = ["PROJECTS", "ROOT", "Environment", "build", "run"]

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = [ROOT, *sorted((ROOT / "plugins").glob("domctx-plugin-*"))]


def run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a command that has to succeed; gives its standard output."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, cwd=cwd,
        env=env,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(project: Path, folder: Path) -> None:
    """Put the wheel and the sdist of a project into `folder`."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, project)


class Environment:
    """A new virtual environment that has wheels, what they need, and nothing of the working tree.

    `also` names distributions that are wanted besides, such as pytest; they come with what they
    need.
    """

    def __init__(self, folder: Path, wheels: Iterable[Path], also: Iterable[str] = ()) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        run(sys.executable, "-m", "venv", "--without-pip", folder)
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site = Path(run(self.bin / "python", "-c", where).strip())
        for name in sorted(_needed("domctx-core").union(*(({n} | _needed(n)) for n in also))):
            found = importlib_metadata.distribution(name)
            for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
                if top != "__pycache__":
                    (site / top).symlink_to(str(found.locate_file(top)))
        self.install(*wheels)

    def install(self, *wheels: Path) -> None:
        """Install wheels, and see that nothing is missing then."""
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python")
        run(*pip, "install", "--no-index", "--no-deps", *wheels)
        run(*pip, "check")

    def __call__(self, program: str, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Run a program of the environment that has to succeed; gives its standard output."""
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        return run(self.bin / program, *arguments, cwd=cwd or self.folder, env=environment)


def _needed(name: str) -> set[str]:
    """The distributions that one needs to run, and those that they need."""
    found: set[str] = set()
    for text in importlib_metadata.distribution(name).requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= {canonicalize_name(requirement.name)} | _needed(requirement.name)
    return found
