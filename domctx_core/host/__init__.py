"""The host: finds plugins, isolates them, gives each a status and builds the registries.

The only room that knows entry points (discovery.py) and pluggy (hookspecs.py, pluggy_modules.py).
All other rooms ask a `Host`.
"""
