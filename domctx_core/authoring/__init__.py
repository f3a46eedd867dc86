"""Authoring: what helps plugin authors: conformance requirements, a check-up, a scaffold, type codes."""
