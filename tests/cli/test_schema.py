"""`domctx schema`: the JSON Schema of documents, of all types or of some."""

from __future__ import annotations

from cli_runs import Domctx


def test_the_schema_is_limited_to_the_types_asked_for(domctx: Domctx) -> None:
    everything, some = domctx("schema"), domctx("schema", "TSC_INFO")
    assert everything.status == some.status == 0
    assert "khz" in some.out
    assert "EVENT_CHANNEL" in everything.out
    assert len(some.out) < len(everything.out)


def test_unknown_types_are_refused_with_near_names(domctx: Domctx) -> None:
    run = domctx("schema", "TSC_INF")
    assert run.status == 2
    assert "TSC_INFO" in run.err
