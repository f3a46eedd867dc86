"""What a record type's `save` and `load` are given: one operation's hold on its image.

All the state of an operation is here or in the caller's ops; nothing is shared between two.
"""

from __future__ import annotations

from domctx_core.context.load import LoadContext
from domctx_core.context.save import SaveContext

__all__ = ["LoadContext", "SaveContext"]
