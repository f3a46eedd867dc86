"""The scaffold: writes the package of a new plugin (new_plugin.py) from templates (templates/)."""
