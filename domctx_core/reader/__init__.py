"""Read an input of any known format as a flat sequence of events.

* `sources`: `Source`, the bytes of a file, pipe or memory by offset
* `passing`, `copying`: sources that keep the latest bytes of a pipe, or copy what they read
* `header`, `framing`: record headers, and what precedes the records of a container
* `record`: `Record`, which decodes its body when it is asked for, and the container that holds it
* `events`: what a walk yields
* `walker`: `walk`, through any nesting of formats
* `splice`: outputs that are ranges of an input and bytes of their own

Imports `model` and what is below. Used by `verification`, `document`, `images` and `cli`. The reader judges
framing alone, and no record type by name. A body is held only up to a cap, and bytes are never read twice.
"""
