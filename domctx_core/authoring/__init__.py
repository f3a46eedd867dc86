"""Tools for plugin authors: conformance requirements, a check-up, a scaffold, type codes."""
