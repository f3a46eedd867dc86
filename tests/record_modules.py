"""Sources of modules that tests put into made-up distributions."""

from __future__ import annotations

__all__ = ["record_module"]

_RECORD = """
from domctx_core import ANY, Body, RecordType, u32

class {name}Body(Body):
    value: int = u32(doc="a number")

class {name}Record(RecordType[{name}Body]):
    code, name, body, instances = {code}, "{type_name}", {name}Body, ANY
"""


def record_module(code: int, type_name: str, name: str = "My") -> str:
    """The source of a module with one record type, `{name}Record`, whose body is one u32."""
    return _RECORD.format(code=code, type_name=type_name, name=name)
