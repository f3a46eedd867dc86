"""Keys and values of xenstore as a record holds them: texts in turn, each ended by a NUL."""

from __future__ import annotations

from typing import Any

from domctx_core import Field, JsonError, Text

__all__ = ["KeyValues", "key_values", "split_pairs"]


def split_pairs(text: str) -> list[tuple[str, str]]:
    """Return paths and values, in order; a path without a value or NUL is left out."""
    parts = text.split("\0")[:-1]
    return list(zip(parts[::2], parts[1::2], strict=False))


def _joined(pairs: list[tuple[str, str]]) -> str:
    return "".join(f"{path}\0{value}\0" for path, value in pairs)


class KeyValues(Text):
    """All that is left of a body, as keys and values; the value of the field is the text itself.

    JSON holds `{"path": ..., "value": ...}` for each pair. Text that is no row of pairs is one
    string there, so that none of it is lost.
    """

    label = "key-value pairs"

    def to_json(self, value: Any) -> Any:
        pairs = split_pairs(value)
        if _joined(pairs) != value:
            return value
        return [{"path": path, "value": held} for path, held in pairs]

    def from_json(self, value: Any, values: Any) -> Any:
        if not isinstance(value, list):
            return super().from_json(value, values)
        pairs = []
        for number, item in enumerate(value):
            if not isinstance(item, dict) or set(item) != {"path", "value"}:
                message = f"expected an object with path and value, found {item!r:.60}"
                raise JsonError(message).at(f"[{number}]")
            try:
                pair = tuple(
                    super(KeyValues, self).from_json(item[k], values) for k in ("path", "value")
                )
            except JsonError as fault:
                raise fault.at(f"[{number}]") from None
            if any("\0" in part for part in pair):
                raise JsonError("a path or a value has a NUL inside").at(f"[{number}]")
            pairs.append((pair[0], pair[1]))
        return _joined(pairs)

    def schema(self) -> dict[str, Any]:
        pair = {"path": {"type": "string"}, "value": {"type": "string"}}
        item = {
            "type": "object",
            "properties": pair,
            "required": list(pair),
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "array", "items": item}, {"type": "string"}]}

    def text(self, value: Any) -> str:
        pairs = split_pairs(value)
        if _joined(pairs) != value:
            return super().text(value)
        return f"{len(pairs)} key{'' if len(pairs) == 1 else 's'}"


def key_values(*, doc: str = "") -> Any:
    """Return a field for the rest of a body as keys and values; see `KeyValues`."""
    return Field(KeyValues(), "", doc)
