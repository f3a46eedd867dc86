"""xenstore migration streams for domctx: what one xenstored hands to the next.

The format is `xenstore`, versions 1 and 2; its record types are in `globals`, `connections` and
`nodes`, and the check of what refers to what in `checks`.
"""

from domctx_plugin_xenstore_stream.format import Xenstore

__all__ = ["Xenstore"]
