"""Several runs of columns: of an instance in more than one, the last counts."""

from __future__ import annotations

from column_bodies import Point

from domctx_core import Columns
from domctx_core.layout.columns.column_runs import ColumnRuns


def points(*instances: int) -> Columns[Point]:
    return Columns(Point, instances, {"x": list(instances), "y": [0] * len(instances)})


def test_runs_are_kept_in_the_order_in_which_they_come() -> None:
    first, second = points(1, 2), points(7)
    runs = ColumnRuns([first])
    runs.append(second)
    assert list(runs) == [first, second]
    assert (len(runs), runs[1]) == (2, second)
    assert len(ColumnRuns()) == 0


def test_the_last_run_that_has_an_instance_is_found() -> None:
    runs = ColumnRuns([points(1, 2, 3), points(9, 2)])
    assert runs.find(1) == (0, 0)
    assert runs.find(3) == (0, 2)
    assert runs.find(2) == (1, 1)
    assert runs.find(4) is None


def test_runs_added_after_a_search_are_found_too() -> None:
    runs = ColumnRuns(points(n, 1000) for n in range(40))
    assert runs.find(1000) == (39, 1)
    assert runs.find(5) == (5, 0)
    runs.append(points(5, 6))
    assert runs.find(5) == (40, 0)
    assert runs.find(1000) == (39, 1)
    assert runs.find(77) is None
