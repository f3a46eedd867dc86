"""`domctx plugins new`: the package that it writes, really built, installed and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from environments import ROOT, Environment, build, run

from domctx_core import Provider, Registry, UsageError
from domctx_core.authoring.scaffold.new_plugin import Names, code_for, write_plugin
from domctx_core.authoring.type_codes import THIRD_PARTY
from domctx_core.testing import CommandRunner, FakeDists

TYPES = "domctx.record_types"
DEV = ("pytest", "hypothesis", "mypy", "hatchling")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the core and the tools of development."""
    wheels = tmp_path_factory.mktemp("wheels")
    build(ROOT, wheels)
    return Environment(tmp_path_factory.mktemp("environment"), wheels.glob("*.whl"), DEV)


@pytest.fixture(scope="module")
def made(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new plugin, which is built and installed in the environment."""
    empty = tmp_path_factory.mktemp("empty")
    folder = empty / environment("domctx", "-q", "plugins", "new", "grant-table", cwd=empty).strip()
    assert [path.name for path in empty.iterdir()] == ["domctx-plugin-grant-table"]
    environment(
        "python", "-c",
        "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])", empty,
        cwd=folder,
    )  # fmt: skip
    environment.install(*empty.glob("*.whl"))
    return folder


class TestInstalled:
    def test_its_own_tests_pass(self, environment: Environment, made: Path) -> None:
        said = environment("python", "-m", "pytest", "-p", "no:cacheprovider", cwd=made)
        passed = re.search(r"(\d+) passed", said)
        assert passed
        assert int(passed[1]) > 12
        assert "skipped" not in said

    def test_type_checkers_find_nothing(self, environment: Environment, made: Path) -> None:
        assert environment("python", "-m", "mypy", cwd=made).startswith("Success: no issues")

    def test_the_type_is_known(self, environment: Environment, made: Path) -> None:
        types = json.loads(environment("domctx", "types", "--json", "--layout"))["types"]
        ours = next(each for each in types if each["name"] == "GRANT_TABLE")
        assert ours["dist"] == "domctx-plugin-grant-table"
        assert ours["code"] in THIRD_PARTY
        assert [field["name"] for field in ours["layout"]] == ["version", "flags", "updated"]

    def test_it_is_saved_shown_and_loaded(
        self, environment: Environment, made: Path, tmp_path: Path
    ) -> None:
        environment("domctx", "save", "sim:seed=1", "-o", "a.img", cwd=tmp_path)
        shown = json.loads(environment("domctx", "show", "--json", "a.img", cwd=tmp_path))
        record = next(each for each in shown["records"] if each["name"] == "GRANT_TABLE")
        assert record["body"]["version"] >= 1
        assert record["provider"] == {"dist": "domctx-plugin-grant-table", "version": "0.1.0"}
        environment("domctx", "load", "a.img", "sim:state.json", cwd=tmp_path)
        environment("domctx", "save", "sim:state.json", "-o", "b.img", cwd=tmp_path)
        assert (tmp_path / "a.img").read_bytes() == (tmp_path / "b.img").read_bytes()

    def test_it_is_decoded_edited_and_encoded(
        self, environment: Environment, made: Path, tmp_path: Path
    ) -> None:
        environment("domctx", "save", "sim:seed=1", "-o", "a.img", cwd=tmp_path)
        document = json.loads(environment("domctx", "decode", "a.img", cwd=tmp_path))
        record = next(each for each in document["records"] if each["name"] == "GRANT_TABLE")
        assert set(record["body"]) == {"version", "flags", "updated"}
        record["body"]["version"] = 2
        (tmp_path / "a.json").write_text(json.dumps(document))
        environment("domctx", "encode", "a.json", "-o", "b.img", cwd=tmp_path)
        again = json.loads(environment("domctx", "show", "--json", "b.img", cwd=tmp_path))
        edited = next(each for each in again["records"] if each["name"] == "GRANT_TABLE")
        assert edited["body"] == record["body"]
        schema = json.loads(environment("domctx", "schema", "GRANT_TABLE"))
        assert "domain-context.GRANT_TABLE" in schema["$defs"]

    def test_it_has_no_faults(self, environment: Environment, made: Path) -> None:
        said = environment("domctx", "plugins", "check")
        assert said == "no faults in domctx-plugin-grant-table\n"

    def test_a_second_one_gets_another_code(
        self, environment: Environment, made: Path, tmp_path: Path
    ) -> None:
        environment("domctx", "-q", "plugins", "new", "other", cwd=tmp_path)
        first, second = (_declared(folder) for folder in (made, tmp_path / "domctx-plugin-other"))
        assert first.split(".")[0] != second.split(".")[0]

    def test_its_sdist_has_its_tests(
        self, environment: Environment, made: Path, tmp_path: Path
    ) -> None:
        code = "import sys; from hatchling.build import build_sdist; build_sdist(sys.argv[1])"
        environment("python", "-c", code, tmp_path, cwd=made)
        (sdist,) = tmp_path.glob("*.tar.gz")
        assert "/tests/test_grant_table.py" in run("tar", "tf", sdist)


def _declared(folder: Path) -> str:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    (name,) = project["entry-points"][TYPES]
    assert isinstance(name, str)
    return name


class TestNames:
    @pytest.mark.parametrize(
        "text",
        [
            "grant-table",
            "Grant_Table",
            "GRANT.TABLE",
            "domctx-plugin-grant-table",
            " grant__table ",
        ],
    )
    def test_all_spellings_are_one_name(self, text: str) -> None:
        names = Names.of(text)
        assert names.dist == "domctx-plugin-grant-table"
        assert names.package == "domctx_plugin_grant_table"
        assert names.record == "GRANT_TABLE"
        assert names.stem == "GrantTable"

    @pytest.mark.parametrize(
        "text", ["", "-", "9lives", "a b", "grant/table", "../x", "gränt", "a\nb", "domctx-plugin-"]
    )
    def test_what_is_no_name(self, text: str) -> None:
        with pytest.raises(UsageError, match="cannot be the name"):
            Names.of(text)

    def test_the_record_name_has_to_fit_its_buffer(self) -> None:
        assert Names.of("abcdefghijklmno").record == "ABCDEFGHIJKLMNO"
        with pytest.raises(UsageError, match="does not fit its buffer") as caught:
            Names.of("abcdefghijklmnop")
        assert caught.value.expected == "at most 15 characters"
        assert caught.value.actual == 16

    @pytest.mark.parametrize(
        "name", ["a", "none", "body", "record-type", "z9-8", "abcdefghijklmno"]
    )
    def test_any_name_makes_a_package_that_linters_accept(self, name: str, tmp_path: Path) -> None:
        folder = write_plugin(Names.of(name), tmp_path, Registry(), author='Ö "Q" \\ Z\n')
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        assert project["authors"] == [{"name": 'Ö "Q" \\ Z'}]
        assert 'Ö "Q" \\ Z' in (folder / "LICENSE").read_text()
        for command in (("format", "--check", "."), ("check", ".")):
            run(sys.executable, "-m", "ruff", *command, cwd=folder)
        for source in folder.rglob("*.py"):
            compile(source.read_text(), str(source), "exec")

    @pytest.mark.parametrize("name", ["test", "test-bed"])
    def test_a_name_that_pytest_looks_for_is_no_trouble(self, name: str, tmp_path: Path) -> None:
        folder = write_plugin(Names.of(name), tmp_path, Registry(), author="Me")
        env = os.environ | {"PYTHONPATH": str(folder / "src")}
        # the command only knows what is installed
        own = [sys.executable, "-m", "pytest", "-q", "--deselect", f"{_tests(folder)}::{_COMMAND}"]
        done = subprocess.run(own, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


_COMMAND = "test_the_command_knows_it"


def _tests(folder: Path) -> str:
    (path,) = folder.glob("tests/test_*.py")
    return f"tests/{path.name}"


class TestCodes:
    def test_a_name_has_one_code(self) -> None:
        one, again = (code_for(Names.of("grant-table"), Registry()) for _ in range(2))
        assert one == again
        assert one in THIRD_PARTY
        assert one != code_for(Names.of("other"), Registry())

    def test_a_code_that_is_taken_is_passed_over(self) -> None:
        registry = Registry()
        code = code_for(Names.of("grant-table"), registry)
        for taken in (code, code + 1):
            registry.declare(taken, f"T{taken - code}", Provider("other", "1"), lambda: None)  # type: ignore[arg-type,return-value]
        assert code_for(Names.of("grant-table"), registry) == code + 2


class TestCommand:
    def new(
        self, domctx_cli: CommandRunner, tmp_path: Path, *arguments: str
    ) -> tuple[int, str, str]:
        result = domctx_cli("plugins", "new", *arguments, "--directory", tmp_path)
        return result.status, result.out, result.err

    def test_says_where_and_what_next(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, tmp_path: Path
    ) -> None:
        status, out, err = self.new(domctx_cli, tmp_path, "x", "--code", "0x1234", "--author", "Me")
        assert status == 0
        folder = tmp_path / "domctx-plugin-x"
        assert out == f"{folder}\n"
        assert "plugins check" in err
        assert _declared(folder) == "0x1234.X"
        workflow = (folder / ".github" / "workflows" / "ci.yml").read_text()
        assert "python-version: ${{ matrix.python }}\n" in workflow
        assert "run: domctx plugins check domctx-plugin-x\n" in workflow
        assert "Copyright (c) 20" in (folder / "LICENSE").read_text()
        assert " Me\n" in (folder / "LICENSE").read_text()

    def test_without_an_author_git_is_asked(
        self,
        domctx_cli: CommandRunner,
        domctx_dists: FakeDists,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        git = tmp_path / "bin" / "git"
        git.parent.mkdir()
        git.write_text('#!/bin/sh\n[ "$*" = "config user.name" ] && echo "From Git"\n')
        git.chmod(0o755)
        monkeypatch.setenv("PATH", str(git.parent), prepend=":")
        self.new(domctx_cli, tmp_path, "one")
        assert " From Git\n" in (tmp_path / "domctx-plugin-one" / "LICENSE").read_text()
        monkeypatch.setenv("PATH", str(tmp_path))
        self.new(domctx_cli, tmp_path, "two")
        assert " the authors\n" in (tmp_path / "domctx-plugin-two" / "LICENSE").read_text()

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("x", "--code", "5"), "reserved for Xen"),
            (("x", "--code", "-1"), "not a type code"),
            (("x", "--code", "0x100000000"), "not a type code"),
            (("x", "--code", "five"), "no type code"),
            (("x", "--code", "300"), "is TAKEN of other 1.0"),
            (("taken",), "the name TAKEN is taken by other 1.0"),
            (("start",), "the name START is taken by domctx-core"),
            (("a-name-that-is-too-long",), "does not fit its buffer"),
            (("",), "cannot be the name"),
        ],
    )
    def test_what_is_refused_leaves_nothing(
        self,
        domctx_cli: CommandRunner,
        domctx_dists: FakeDists,
        tmp_path: Path,
        arguments: tuple[str, ...],
        said: str,
    ) -> None:
        domctx_dists.add("other", entry_points={TYPES: {"300.TAKEN": "nowhere:Taken"}})
        before = set(tmp_path.iterdir())
        status, out, err = self.new(domctx_cli, tmp_path, *arguments)
        assert status == 2
        assert out == ""
        assert said in err
        assert set(tmp_path.iterdir()) == before

    def test_a_folder_that_is_not_empty_is_left_alone(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, tmp_path: Path
    ) -> None:
        folder = tmp_path / "domctx-plugin-x"
        folder.mkdir()
        assert self.new(domctx_cli, tmp_path, "x")[0] == 0
        before = sorted(folder.rglob("*"))
        status, _, err = self.new(domctx_cli, tmp_path, "x")
        assert status == 2
        assert "already exists" in err
        assert sorted(folder.rglob("*")) == before

    def test_a_file_of_that_name_is_left_alone(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, tmp_path: Path
    ) -> None:
        (tmp_path / "domctx-plugin-x").write_text("mine")
        assert self.new(domctx_cli, tmp_path, "x")[0] == 2
        assert (tmp_path / "domctx-plugin-x").read_text() == "mine"

    def test_a_directory_that_is_not_there(
        self, domctx_cli: CommandRunner, domctx_dists: FakeDists, tmp_path: Path
    ) -> None:
        status, _, err = self.new(domctx_cli, tmp_path / "no", "x")
        assert status == 3
        assert "ENOENT" in err

    def test_a_write_that_fails_leaves_nothing(
        self,
        domctx_cli: CommandRunner,
        domctx_dists: FakeDists,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def full(*_: object, **__: object) -> int:
            raise OSError(28, "No space left on device")

        before = set(tmp_path.iterdir())
        monkeypatch.setattr(Path, "write_text", full)
        status, _, err = self.new(domctx_cli, tmp_path, "x")
        monkeypatch.undo()
        assert status == 3
        assert "ENOSPC" in err
        assert set(tmp_path.iterdir()) == before


def test_the_folder_has_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    folder = write_plugin(Names.of("x"), tmp_path, Registry())
    assert folder.stat().st_mode == plain.stat().st_mode
    assert sorted(path.name for path in folder.iterdir()) == [".github", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md",
                              "pyproject.toml", "src", "tests"]  # fmt: skip
