"""Kinds of fields: how a value of each is read, written, checked and shown."""
