"""The domain context image as versions 3 to 9 of the series had it; for looking, not for loading.

The format is `legacy-context`; `records` has its four record types.
"""

from domctx_plugin_legacy_context.format import LegacyContext

__all__ = ["LegacyContext"]
