"""Layouts: the typed, documented fields of a body, compiled to bytes, JSON, columns and patterns.

In the order in which they import each other:

    kinds.base, kinds.bits   how one value is laid out; what reads, and what collects problems
    field                    a kind with a name, documentation and a default
    protocol                 what kinds and generated code need of a body class and its layout
    kinds                    numbers, bytes, bodies inside bodies, what varies
    codegen                  functions written for one class: fast, and for valid input only
    struct_group, compiled   the fields of a class in a row: `Layout`
    specifiers               what an author writes for a field: `u32(doc=...)`
    declaration, body        the class statement, and `Body`
    columns                  many bodies of one class and of fixed size
    field_path, spans        a field by its path, and the bytes that each field is
"""
