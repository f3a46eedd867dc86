"""What is installed costs nothing until it is needed: a hundred plugins, and how much is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from record_modules import NEEDED, point, record_module

from domctx_core.testing import CommandRunner, FakeDists, ImageBuilder

PLUGINS, EACH, FIRST = 100, 3, 0x1000


def code_of(plugin: int, which: int) -> int:
    return FIRST + EACH * plugin + which


@pytest.fixture
def hundred(domctx_dists: FakeDists) -> FakeDists:
    """A hundred distributions with three record types each, every one in a module of its own."""
    for plugin in range(PLUGINS):
        points, modules = {}, {}
        for which in range(EACH):
            code, module = code_of(plugin, which), f"lazy_{plugin}_{which}"
            points[f"{code:#x}.LAZY_{plugin}_{which}"] = f"{module}:MyRecord"
            modules[module] = record_module(code, f"LAZY_{plugin}_{which}")
        domctx_dists.add(f"lazy-{plugin}", "1.0", {"domctx.record_types": points}, modules)
    return domctx_dists


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image that needs two of the three hundred types, one of them twice."""
    builder = ImageBuilder().start()
    for code, instance in ((code_of(7, 1), 0), (code_of(42, 2), 0), (code_of(42, 2), 1)):
        builder.record(code, instance, b"\1\0\0\0")
    path = tmp_path / "two.img"
    path.write_bytes(builder.end().build())
    return path


def imported() -> set[str]:
    return {name for name in sys.modules if name.startswith("lazy_") and name[5].isdigit()}


def test_showing_an_image_imports_the_types_in_it_and_no_others(
    hundred: FakeDists, domctx_cli: CommandRunner, image: Path
) -> None:
    shown = domctx_cli("show", "--json", image)
    assert shown.status == 0
    assert [record["name"] for record in shown.json["records"]] == [
        "START", "LAZY_7_1", "LAZY_42_2", "LAZY_42_2", "END",
    ]  # fmt: skip
    assert imported() == {"lazy_7_1", "lazy_42_2"}


def test_verify_and_load_import_no_more(
    hundred: FakeDists, domctx_cli: CommandRunner, image: Path, tmp_path: Path
) -> None:
    assert domctx_cli("verify", image).status == 0
    assert domctx_cli("load", image, f"sim:{tmp_path / 'state.json'}").status == 0
    assert imported() == {"lazy_7_1", "lazy_42_2"}


def test_all_types_are_listed_without_importing_one(
    hundred: FakeDists, domctx_cli: CommandRunner
) -> None:
    types = domctx_cli("types", "--json").json["types"]
    assert len(types) == PLUGINS * EACH + 2
    assert all(each["layout"] is None for each in types)
    lazy = [each for each in types if each["name"].startswith("LAZY")]
    assert not any(each["loaded"] for each in lazy)
    assert [each["code"] for each in lazy] == list(range(FIRST, FIRST + PLUGINS * EACH))
    assert imported() == set()


def test_layouts_are_what_imports_them(hundred: FakeDists, domctx_cli: CommandRunner) -> None:
    types = domctx_cli("types", "--json", "--layout").json["types"]
    assert all(each["loaded"] and each["layout"] is not None for each in types)
    assert len(imported()) == PLUGINS * EACH


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), ("plugins", "list"), ("plugins", "freeze")]
)
def test_what_needs_no_record_type_imports_none(
    hundred: FakeDists, domctx_cli: CommandRunner, arguments: tuple[str, ...]
) -> None:
    assert domctx_cli(*arguments).status == 0
    assert imported() == set()


RUN = """
import json, sys
before = set(sys.modules)
from domctx_core.cli import main
path, *arguments = json.loads(sys.argv[1])
status = main(arguments, path=path)
print(json.dumps([status, sorted(set(sys.modules) - before)]), file=sys.stderr)
"""


def modules_of(dists: FakeDists, *arguments: str | Path) -> list[str]:
    """The modules that one run of the command imports, in a process of its own."""
    given = json.dumps([dists.path, *map(str, arguments)])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dists.path)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, given], capture_output=True, text=True, check=True,
        env=environment,
    )  # fmt: skip
    result: Any = json.loads(done.stderr.splitlines()[-1])
    status, modules = result
    assert status == 0, done.stderr
    assert isinstance(modules, list)
    return modules


@pytest.mark.parametrize(
    ("verb", "absent"),
    [
        ("--version", ("click", "rich", "pluggy", "importlib_metadata", "domctx_core.layout")),
        ("--help", ("rich", "pluggy", "hypothesis", "pytest", "domctx_core.engine")),
        (
            "show",
            (
                "rich",
                "pluggy",
                "pytest",
                "domctx_core.engine",
                "domctx_core.authoring.requirements",
            ),
        ),
    ],
)
def test_what_a_run_does_not_need_is_not_imported(
    hundred: FakeDists, image: Path, verb: str, absent: tuple[str, ...]
) -> None:
    modules = modules_of(hundred, verb, *([image] if verb == "show" else []))
    assert set(absent).isdisjoint(modules)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("entry_points.txt", b"[domctx.record_types]\nno equals sign\n"),
        ("METADATA", b""),
        ("METADATA", b"Name: bad\n"),
        ("METADATA", b"garbage"),
        ("METADATA", b"\xff\xfe"),
    ],
)
def test_metadata_that_cannot_be_read(
    dists: FakeDists,
    domctx_cli: CommandRunner,
    images: tuple[Path, Path],
    file: str,
    text: bytes,
) -> None:
    info = dists.add("bad", "1.0", point(NEEDED, "BAD", "bad_mod"))
    (info / file).write_bytes(text)
    shown = domctx_cli("show", "--json", images[0])
    assert shown.status == 0
    assert shown.json["records"][1]["body"] == {"value": 7}
    assert "warning: plugin bad ?: is failed: its metadata cannot be read: " in shown.err
    assert domctx_cli("--strict", "show", images[0]).status == 4
    assert domctx_cli("--strict", "-p", "no:bad", "show", images[0]).status == 0
    assert "status  failed" in domctx_cli("plugins", "info", "bad").out
    checked = domctx_cli("plugins", "check", "bad")
    assert checked.status == 1
    assert checked.out.splitlines()[1].startswith("  status: it is failed: its metadata cannot")
    assert domctx_cli("plugins", "freeze").out == "good==1.0\n"


def test_entry_points_that_are_no_text_are_nobodys(
    dists: FakeDists, domctx_cli: CommandRunner, images: tuple[Path, Path]
) -> None:
    info = dists.add("other", "1.0")
    (info / "entry_points.txt").write_bytes(b"\xff\xfe")
    shown = domctx_cli("--strict", "show", images[0])
    assert (shown.status, shown.err) == (0, "")


@pytest.mark.parametrize("raw", [b"\xff\xfe{", b"{", b"[]", b'{"url": 5, "dir_info": 7}'])
def test_metadata_of_the_installation_that_is_none(
    domctx_dists: FakeDists, domctx_cli: CommandRunner, raw: bytes
) -> None:
    folder = domctx_dists.add("odd", "1.5", {"domctx.commands": {"odd": "odd_verb:odd"}})
    (folder / "direct_url.json").write_bytes(raw)
    for verb in (["list", "--json"], ["freeze"], ["info", "odd"]):
        assert domctx_cli("plugins", *verb).status == 0
