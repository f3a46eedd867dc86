"""Kinds of fields: how a value of each is decoded, encoded, checked, and written as JSON and text.

A new kind is a subclass of `base.Kind`, and a specifier for it. It works everywhere at once; where
it is worth a fast path, `codegen` learns of it too.
"""
