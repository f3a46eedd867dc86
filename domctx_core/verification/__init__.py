"""Find all that is wrong with an input, record by record and in bulk.

The findings:

* `verdict`: `verify`, a walk with a verdict at its end; `judge`, the same with what a host knows
* `verifier`: `Verifier`, the findings of each event
* `record_judge`: the findings of one record; `check_runner`: those of checks across records
* `state`: what is remembered of each container

The fast ways, which prove that records have no findings:

* `proof`: the bytes that valid records of a type may have, as one pattern
* `batches`: many records matched by it
* `bulk`: bulk records of which only the heads are read

Imports `reader`, `host` and what is below. Used by `document`, `images`, `cli` and programs. A finding is
made in one place, whatever way its record went. The fast ways may prove less than is true, and never more.
"""
