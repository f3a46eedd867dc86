"""Layouts: the typed, documented fields of a body, compiled to and from bytes, JSON and columns."""
