"""What plugins subclass, what they are given, and the registries of both.

What an author declares:

* `record_type`: `RecordType`, and `SaveContext` and `LoadContext`, which its handlers are given
* `attributes`: the values of its class attributes, such as `SINGLE`
* `visuals`: links and amounts, by which a type describes what a report draws
* `format`: `Format`, the framing of records; `wire`: the record header of the domain context
* `check`: `Check`, which judges records against each other; `record_view`, `check_run`: records as it
  sees them, one by one and as columns
* `domain`: `Domain`, which gives and takes state; `ops`: `SaveOps` and `LoadOps`, which give and take bytes
* `observer`: `Observer`, which follows an operation
* `declarations`: what hooks and entry points return
* `builtin`: START and END, declared by the same means

What the core makes of that:

* `validation`: errors for declarations that are wrong
* `registry`: the record types of one format; `formats`: all formats, each loaded when it is needed
* `traits`, `overrides`: which types may be handled many records at a time
* `instance_set`: which instances were met before, in little memory

Imports `layout` and `base`. The first list is the plugin interface: a change there is a change for every
plugin, and is in the CHANGELOG. Nothing here reads or writes an image.
"""
