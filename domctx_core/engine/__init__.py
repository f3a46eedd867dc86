"""The engine: saves a domain to an image and loads one, with the semantics of the seed's C engine.

`save` runs the save handlers, which write through `save_context`. `load` has `load_records` read the
image: its bytes come from `look_ahead`, `cursor` goes from record to record, `load_context` is what
the load handlers call, `staging` the domain that they see. `ops` are for memory, files and pipes, and
`sim` is the domain that needs no hypervisor.
"""
