"""The public names: one table, the stub beside it, and what an import of one of them costs."""

from __future__ import annotations

import ast
import json
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import FunctionType

import pytest

import domctx_core

HOMES: dict[str, str] = vars(domctx_core)["_HOMES"]
STUB = Path(domctx_core.__file__).with_suffix(".pyi")


def test_the_stub_has_the_same_names_from_the_same_homes() -> None:
    stub: dict[str, str] = {}
    for node in ast.parse(STUB.read_text()).body[1:]:
        assert isinstance(node, ast.ImportFrom)
        (alias,) = node.names
        assert alias.asname == alias.name, "a stub re-exports what is imported `as` itself"
        assert alias.name not in stub
        stub[alias.name] = str(node.module).removeprefix("domctx_core.")
    assert stub == HOMES


@pytest.mark.parametrize("name", HOMES)
def test_each_name_is_what_its_home_defines(name: str) -> None:
    home = import_module(f"domctx_core.{HOMES[name]}")
    value = getattr(domctx_core, name)
    assert value is getattr(home, name)
    assert name in getattr(home, "__all__", [name])
    if isinstance(value, type | FunctionType):
        assert value.__module__ == home.__name__


def test_all_and_dir_are_the_table() -> None:
    assert domctx_core.__all__ == list(HOMES)
    assert set(HOMES) <= set(dir(domctx_core))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'domctx_core' has no attribute 'Bodi'"):
        vars(domctx_core)["__getattr__"]("Bodi")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import domctx_core", "base layout model reader host engine verification document"),
        ("from domctx_core import Body, Problem, u32", "model reader host engine verification"),
        ("from domctx_core import Check, RecordType", "reader host engine verification document"),
        ("from domctx_core import verify", "host engine document images report"),
    ],
)
def test_a_name_imports_what_it_needs_and_no_more(statement: str, absent: str) -> None:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    for room in [*absent.split(), "cli", "testing"]:
        assert f"domctx_core.{room}" not in loaded
    assert loaded.isdisjoint({"click", "rich", "pluggy", "pytest"})


@pytest.mark.parametrize("kit", ["domctx_core.cli.kit", "domctx_core.testing"])
def test_the_reference_has_each_name_of_the_kits(kit: str) -> None:
    reference = (Path(__file__).parent.parent / "docs" / "reference" / "api.md").read_text()
    listed = set(re.findall(rf"^\.\. auto\w+:: {re.escape(kit)}\.(\w+)$", reference, re.MULTILINE))
    assert listed == set(import_module(kit).__all__)


def test_no_module_has_the_name_of_something_public() -> None:
    """An import of the module would take the name's place."""
    modules = {module.name for module in pkgutil.iter_modules(domctx_core.__path__)}
    assert not modules & set(domctx_core.__all__)
