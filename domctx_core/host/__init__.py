"""Find plugins, isolate them, give each a status, and build the registries.

* `discovery`: all entry points in a fixed order, none imported; the only use of importlib-metadata
* `plugin_filter`: what the user turned off
* `plugin`: `Plugin`, an entry point with its status and the reason for it
* `compatibility`: whether a plugin accepts this version of the core
* `entry_values`: the import of what an entry point names, and its checks
* `hookspecs`: the hooks; `pluggy_modules`: the modules that implement them. The only uses of pluggy
* `claims`: names that two plugins bring; neither of them counts
* `contributions`: what plugins bring, by name
* `host`: `Host`, which all others ask

Imports `model` and what is below. Used by `cli`, `authoring`, `testing` and programs. Whatever a plugin
raises ends here as a status; nothing of a plugin is imported before somebody asks for what it brings.
"""
