"""Requirements: all checks that every record type must pass.

Each is a function of a `Subject` that raises `Nonconformity`.
`domctx_core.testing.RecordTypeConformance` runs them as tests, `domctx plugins check` as a
command.
"""

from __future__ import annotations

from collections.abc import Callable

from domctx_core.authoring.body_requirements import (
    bytes_round_trip,
    examples_exist,
    json_round_trip,
    long_bodies,
    random_bodies,
    reserved_fields,
    short_bodies,
)
from domctx_core.authoring.engine_requirements import dry_run_size, instances, runs, save_and_load
from domctx_core.authoring.subject import Subject
from domctx_core.authoring.type_requirements import (
    dependence,
    documentation,
    heads,
    trusted_values,
    type_code,
)

__all__ = ["CHECKS"]


CHECKS: dict[str, Callable[[Subject], None]] = {
    check.__name__: check
    for check in (
        examples_exist,
        bytes_round_trip,
        json_round_trip,
        short_bodies,
        long_bodies,
        random_bodies,
        reserved_fields,
        dry_run_size,
        save_and_load,
        runs,
        instances,
        documentation,
        dependence,
        trusted_values,
        heads,
        type_code,
    )
}
"""All checks by name, in the order in which they are run."""
