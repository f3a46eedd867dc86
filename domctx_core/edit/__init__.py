"""Edit: an image of any known format with some things changed and every other byte as it was.

An edit is a list of operations. It gives the outcome as pieces (bytes of its own and spans of the
input) and a list of what changed; nothing is written here, and guest memory is never held.
"""

from domctx_core.edit.editor import edit_image
from domctx_core.edit.operations import (
    Drop,
    EditOperation,
    Insert,
    Keep,
    Order,
    Reorder,
    Selector,
    SetField,
    SetHeader,
    parse_set,
)
from domctx_core.edit.outcome import Edit, EditChange

__all__ = [
    "Drop",
    "Edit",
    "EditChange",
    "EditOperation",
    "Insert",
    "Keep",
    "Order",
    "Reorder",
    "Selector",
    "SetField",
    "SetHeader",
    "edit_image",
    "parse_set",
]
