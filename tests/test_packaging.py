"""The distributions, really built and really installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import importlib_metadata
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = [ROOT, *sorted((ROOT / "plugins").glob("domctx-plugin-*"))]


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options  # type: ignore[call-overload]
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done  # type: ignore[no-any-return]


def dependencies(name: str) -> set[str]:
    """The distributions that one needs to run, and those that they need."""
    found: set[str] = set()
    for text in importlib_metadata.distribution(name).requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found |= {requirement.name} | dependencies(requirement.name)
    return found


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of every project."""
    folder = tmp_path_factory.mktemp("dist")
    for project in PROJECTS:
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, project)
    return folder


@pytest.fixture(scope="session")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheels, and nothing of the working tree.

    What the wheels depend on comes from the environment that runs the tests, so that no network
    is needed; ours are taken out of that.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    site = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    )
    for name in dependencies("domctx-core"):
        found = importlib_metadata.distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
            (site / top).symlink_to(found.locate_file(top))
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps",
        *sorted(dist.glob("*.whl")),
    )  # fmt: skip
    run(sys.executable, "-m", "pip", "--python", python, "check")
    return folder / "bin"


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.name)
def test_wheel_and_sdist_hold_what_they_should_and_nothing_else(dist: Path, project: Path) -> None:
    meta = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    stem = meta["name"].replace("-", "_")
    package = "domctx_core" if project == ROOT else stem
    (wheel,) = dist.glob(f"{stem}-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(info).decode())
    assert {name.split("/")[0] for name in names} == {package, info.split("/")[0]}
    assert f"{package}/py.typed" in names
    assert not any("test" in name or "__pycache__" in name for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    folder = ROOT if project == ROOT else project / "src"
    tree = {str(path.relative_to(folder)) for path in (folder / package).rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == tree

    (sdist,) = dist.glob(f"{stem}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("pyproject.toml", "README.md", "LICENSE", "PKG-INFO"):
        assert needed in members
    tops = {name.split("/")[0] for name in members}
    allowed = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore", "CHANGELOG.md",
               "domctx_core", "src", "tests"}  # fmt: skip
    assert tops <= allowed
    assert ("domctx_core" in tops) == (project == ROOT)


def test_installed_from_wheels_the_whole_way_works(installed: Path, tmp_path: Path) -> None:
    """stream: -> image -> verify -> sim: -> image, through the command that pip put there."""
    environment = {**os.environ, "PATH": f"{installed}:{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)

    def domctx(*arguments: str | Path) -> str:
        return run(installed / "domctx", *arguments, cwd=tmp_path, env=environment).stdout

    where = run(
        installed / "python", "-c", "import domctx_core; print(domctx_core.__file__)",
        cwd=tmp_path, env=environment,
    ).stdout  # fmt: skip
    assert where.startswith(str(installed.parent))
    plugins = json.loads(domctx("plugins", "list", "--json"))["plugins"]
    assert {plugin["dist"] for plugin in plugins} == {
        "domctx-core", *(project.name for project in PROJECTS[1:])
    }  # fmt: skip
    assert {plugin["status"] for plugin in plugins} <= {"built-in", "lazy", "loaded"}
    capture = ROOT / "examples" / "xen-4.17" / "pv2l" / "pv2l.save.no-pages"
    domctx("save", f"stream:{capture}", "-o", "one.img")
    assert (tmp_path / "one.img").stat().st_size == 3240
    domctx("verify", "one.img")
    domctx("load", "one.img", "sim:state.json,vcpus=2")
    domctx("save", "sim:state.json", "-o", "two.img")
    domctx("verify", "two.img", str(capture))
    assert "SHARED_INFO[0]" in domctx("show", "two.img")


def test_python_dash_m_is_the_same_command(installed: Path) -> None:
    one = run(installed / "domctx", "--version").stdout
    other = run(installed / "python", "-m", "domctx_core", "--version").stdout
    assert one == other == "domctx 0.1.0\n"
