"""xl save files, libxl and libxc migration streams for domctx.

Three formats with their record types, and the domain scheme `stream:`, which reads the state of a
saved domain from such a file (see `domctx_plugin_xen_streams.domain`).
"""

from domctx_plugin_xen_streams.formats import Libxc, Libxl, Xl

__all__ = ["Libxc", "Libxl", "Xl"]
