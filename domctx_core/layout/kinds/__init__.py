"""Lay out one value of a body: bytes, JSON, rules and text.

* `base`: `Kind`, and what reads, checks and describes values
* `scalars`: integers, with ranges, enumerations and flags; counts
* `binary`: reserved bytes, blobs, text, bitmaps; `bits`: the set of numbers that a bitmap is
* `aggregates`: bodies in bodies, arrays
* `variants`: optional fields, bodies by size, unions

A new kind is a subclass of `Kind`, and a specifier for it. It works everywhere at once; if it is worth a
fast way, `codegen` learns of it too.
"""
