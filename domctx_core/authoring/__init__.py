"""Help plugin authors: requirements, the check-up, the scaffold, type codes.

* `subject`: a record type under examination
* `type_requirements`, `body_requirements`, `engine_requirements`: one function for each requirement
* `requirements`: the list of them, for `domctx_core.testing` and the check-up
* `checkup`: `domctx plugins check`
* `type_codes`: which code is whose
* `scaffold/`: `domctx plugins new`

Imports `engine`, `host` and what is below. Used by `cli` and `testing`. A requirement that is added here holds
for every plugin from then on; it needs a sentence in the guide on testing plugins.
"""
