"""Field: one typed, documented member of a body, as its class declares it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

from domctx_core.layout.kinds import base as kinds

if TYPE_CHECKING:
    pass

__all__ = ["REQUIRED", "Field"]


class _Required:
    """The type of `REQUIRED`."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()
"""The default of a field that has none."""


class Field(NamedTuple):
    """One field of a body: a kind with a name, documentation and how it behaves over time."""

    kind: kinds.Kind
    name: str = ""
    doc: str = ""
    unit: str = ""
    volatile: bool = False
    default: Any = REQUIRED

    def initial(self) -> Any:
        """The default for a new body, `REQUIRED` where there is none; never shared by two bodies."""
        return self.default if self.default is REQUIRED else copy.deepcopy(self.default)

    def schema(self) -> dict[str, Any]:
        """The field's values as a JSON Schema, with what is said of it."""
        unit = f" [{self.unit}]" if self.unit else ""
        said = {"description": self.doc + unit} if self.doc or unit else {}
        return said | self.kind.schema()

    def describe(self) -> dict[str, Any]:
        """The field as `types --layout` prints it."""
        return {
            "name": self.name,
            **kinds.describe(self.kind),
            "doc": self.doc,
            "unit": self.unit or None,
            "volatile": self.volatile,
        }
