"""Authoring: what a plugin author is helped by: conformance, a check-up, a scaffold, type codes."""
