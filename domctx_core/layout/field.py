"""Field: one typed, documented member of a body, as its class declares it."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from domctx_core.layout.kinds.base import Kind, describe

__all__ = ["REQUIRED", "Field"]


class _Required:
    """The type of `REQUIRED`."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()
"""The default of a field that has none."""


class Field(NamedTuple):
    """One field of a body: a kind with a name, documentation and how it behaves over time."""

    kind: Kind
    name: str = ""
    doc: str = ""
    unit: str = ""
    volatile: bool = False
    default: Any = REQUIRED

    def initial(self) -> Any:
        """Return a copy of the default for a new body; `REQUIRED` where there is none."""
        return self.default if self.default is REQUIRED else copy.deepcopy(self.default)

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the field's values, with its documentation."""
        unit = f" [{self.unit}]" if self.unit else ""
        described = {"description": self.doc + unit} if self.doc or unit else {}
        return described | self.kind.schema()

    def describe(self) -> dict[str, Any]:
        """Return the field as `types --layout` prints it."""
        return {
            "name": self.name,
            **describe(self.kind),
            "doc": self.doc,
            "unit": self.unit or None,
            "volatile": self.volatile,
        }
