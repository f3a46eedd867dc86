"""What authors of plugins subclass or return, and the tables of it.

An author reads `record_type` (with what handlers may call), `attributes`, `format`, `check`, `domain`,
`observer`, `ops` and `declarations`. The core keeps the declared types in `registry` and `formats`,
and asks `traits` and `overrides` whether many records may be handled at once.

Nothing here reads or writes an image: `reader` and `engine` do.
"""
