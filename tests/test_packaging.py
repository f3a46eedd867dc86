"""The distributions, really built and really installed."""

from __future__ import annotations

import json
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from environments import PROJECTS, ROOT, Environment, build


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of every project."""
    folder = tmp_path_factory.mktemp("dist")
    for project in PROJECTS:
        build(project, folder)
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment that has the wheels, and nothing of the working tree."""
    return Environment(tmp_path_factory.mktemp("environment"), sorted(dist.glob("*.whl")))


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
    parts = {part for name in names for part in name.split("/")}
    assert parts.isdisjoint({"tests", "conftest.py", "__pycache__"})
    assert not any(part.startswith("test_") and part.endswith(".py") for part in parts)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    folder = ROOT if project == ROOT else project / "src"
    tree = {str(path.relative_to(folder)) for path in (folder / package).rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == tree
    if project == ROOT:
        templates = (ROOT / package / "authoring" / "scaffold" / "templates").iterdir()
        assert {
            f"{package}/authoring/scaffold/templates/{path.name}" for path in templates
        } <= names
        assert f"{package}/__init__.pyi" in names

    (sdist,) = dist.glob(f"{stem}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = {name.partition("/")[2] for name in archive.getnames()}
    for needed in ("pyproject.toml", "README.md", "LICENSE", "PKG-INFO"):
        assert needed in members
    if project == ROOT:
        assert f"{package}/__init__.pyi" in members
    tops = {name.split("/")[0] for name in members}
    allowed = {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", ".gitignore", "CHANGELOG.md",
               "domctx_core", "src", "tests"}  # fmt: skip
    assert tops <= allowed
    assert ("domctx_core" in tops) == (project == ROOT)


def test_installed_from_wheels_the_whole_way_works(installed: Environment, tmp_path: Path) -> None:
    """stream: -> image -> verify -> sim: -> image, through the command that pip put there."""

    def domctx(*arguments: str | Path) -> str:
        return installed("domctx", *arguments, cwd=tmp_path)

    where = installed("python", "-c", "import domctx_core; print(domctx_core.__file__)")
    assert where.startswith(str(installed.folder))
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
    domctx("report", "two.img", "-o", "two.html")
    assert "SHARED_INFO" in (tmp_path / "two.html").read_text()


def test_installed_from_wheels_our_plugins_have_no_faults(installed: Environment) -> None:
    assert installed("domctx", "plugins", "check").startswith("no faults in domctx-plugin-event")
    frozen = installed("domctx", "plugins", "freeze").splitlines()
    assert frozen == [f"{project.name}==0.1.0" for project in PROJECTS[1:]]


def test_python_dash_m_is_the_same_command(installed: Environment) -> None:
    one = installed("domctx", "--version")
    other = installed("python", "-m", "domctx_core", "--version")
    assert one == other == "domctx 0.1.0\n"
