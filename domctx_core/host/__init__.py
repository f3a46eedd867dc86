"""The host: finds plugins, keeps them apart, gives each a status and builds the registries.

The only package that knows entry points (discovery.py) and pluggy (hookspecs.py, modules.py).
"""

from domctx_core.host._host import Host
from domctx_core.host.plugins import Plugin, Status, Traced
from domctx_core.host.switches import Switches

__all__ = ["Host", "Plugin", "Status", "Switches", "Traced"]
