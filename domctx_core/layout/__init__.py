"""Compile the typed fields of a body to bytes, JSON, columns and patterns.

* `kinds/`: how one value is laid out
* `field`: a kind with name, documentation and default; `specifiers`: how authors write one
* `protocol`: what kinds and generated code need of a class and its layout
* `struct_group`: neighbouring fields as one `struct` call
* `compiled`: `Layout`, the compiled declaration of a class; `declaration`: how it comes about
* `body`: `Body`, which authors subclass
* `spans`: which bytes are which field; `field_path`: one field by its path
* `codegen/`: generated functions, for valid input only
* `columns/`: many bodies of fixed size, field by field

Imports `base`. Used by every room above. A kind decides what is valid; `codegen` and `columns` must give
what `Layout` gives, or not apply.
"""
