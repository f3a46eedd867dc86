"""The version of the core, which is also that of its plugin interface."""

__version__ = "0.1.0"
