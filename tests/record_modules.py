"""Modules and entry points that tests put into made-up distributions."""

from __future__ import annotations

from domctx_core.testing import FakeDists

__all__ = [
    "GOOD",
    "HEAD",
    "HOOKS",
    "NEEDED",
    "TYPES",
    "odd_check",
    "odd_module",
    "point",
    "record_module",
]

TYPES = "domctx.record_types"
HOOKS = "domctx.plugins"
GOOD, NEEDED = 300, 400
"""Type codes of the plugin that is right, and of the one that is wrong."""

_RECORD = """
from domctx_core import ANY, Body, RecordType, u32

class {name}Body(Body):
    value: int = u32(doc="a number")

class {name}Record(RecordType[{name}Body]):
    code, name, body, instances = {code}, "{type_name}", {name}Body, ANY
"""


def record_module(code: int, type_name: str, name: str = "My") -> str:
    """Return the source of a module with one record type, `{name}Record`, whose body is one u32."""
    return _RECORD.format(code=code, type_name=type_name, name=name)


def point(code: int, name: str, module: str) -> dict[str, dict[str, str]]:
    """Return the entry point of a record type `MyRecord`."""
    return {TYPES: {f"{code}.{name}": f"{module}:MyRecord"}}


HEAD = """
import sys
import click
from domctx_core import *
from domctx_core.model.declarations import *
class Mute(Exception):
    def __str__(self): raise RuntimeError("no words")
"""
"""What the modules of the distribution `odd` begin with."""


def odd_module(dists: FakeDists, source: str) -> None:
    """Add a distribution `odd` whose only entry point is a module of hooks."""
    dists.add("odd", "1.5", {HOOKS: {"odd": "odd_hooks"}}, {"odd_hooks": HEAD + source})


def odd_check(dists: FakeDists, source: str, codes: str = "frozenset({1})") -> None:
    """Add a distribution `odd` that declares a check."""
    odd_module(
        dists,
        f"class Odd(Check):\n    codes = {codes}\n    {source}\n"
        "@hookimpl\ndef domctx_checks(): return [CheckDeclaration(Odd)]\n",
    )
