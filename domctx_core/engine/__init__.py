"""Save a domain to an image and load it again, as the C code of the seed does.

Both:

* `ops`: images in memory, files, pipes and sockets
* `handlers`: START and END of a registry, and errors that name the handler at fault
* `pause`: pauses that always end, and errors of a domain's backend

Save:

* `save`: `save_domain`; `save_context`: what `save` handlers are given

Load:

* `load`: `load_domain` with its two phases; `staging`: the domain as the first phase sees it
* `load_records`: the loop over records; `load_checks`: checks and observers of it
* `cursor`: the position in the image; `look_ahead`: bytes read ahead of it
* `load_context`: what `load` handlers are given
* `type_plan`: how the records of a type are loaded; `runs`: equal records that are loaded as one

The simulated domain:

* `sim_domain`: `SimDomain`; `sim_file`: its state as JSON; `sim`: the scheme `sim:`

Imports `model` and what is below. Used by `authoring`, `cli` and programs. Pauses and unpauses balance
whatever happens, a save that fails writes no END, and a load that fails in its first phase changes nothing.
"""
