"""The base class of domains: no state, and batch forms that call the single ones."""

from __future__ import annotations

from typing import Any

import pytest

from domctx_core import Body, Columns, Domain, DomainError, NoState, u8


class Level(Body):
    """One byte."""

    value: int = u8()


class Bare(Domain):
    """Overrides what it must, and nothing else."""

    def pause(self) -> None:
        pass

    def unpause(self) -> None:
        pass


class Kept(Bare):
    """Keeps levels below 9, and notes what it is asked."""

    def __init__(self) -> None:
        self.state: dict[int, Level] = {}
        self.asked: list[int] = []

    def read(self, body: Any, instance: int = 0) -> Any:
        return self.state[instance] if instance in self.state else super().read(body, instance)

    def accepts(self, body: Any, instance: int, value: Any) -> None:
        self.asked.append(instance)
        if value.value >= 9:
            raise DomainError("too high")

    def write(self, body: Any, instance: int, value: Any) -> None:
        self.accepts(body, instance, value)
        self.state[instance] = value


def run(*values: int) -> Columns[Level]:
    return Columns(Level, range(3, 3 + len(values)), {"value": list(values)})


def test_the_base_class_has_no_state_and_takes_none() -> None:
    domain = Bare()
    assert (domain.offers(), list(domain.instances(Level))) == (frozenset(), [])
    assert domain.read_run(Level) is None
    with pytest.raises(NoState, match=r"Level\[4\]") as caught:
        domain.read(Level, 4)
    assert caught.value.instance == 4
    with pytest.raises(DomainError, match="Level"):
        domain.write(Level, 0, Level(value=1))
    domain.accepts(Level, 0, Level(value=1))


def test_pause_and_unpause_must_be_overridden() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Domain()  # type: ignore[abstract]


def test_update_gets_the_present_state_or_none() -> None:
    domain = Kept()
    seen = []

    def change(now: Level | None) -> Level:
        seen.append(now)
        return Level(value=1 if now is None else now.value + 1)

    domain.update(Level, 0, change)
    domain.update(Level, 0, change)
    assert seen == [None, Level(value=1)]
    assert domain.state == {0: Level(value=2)}


def test_a_run_is_accepted_and_written_row_by_row() -> None:
    domain = Kept()
    domain.accepts_run(Level, run(1, 2))
    assert (domain.asked, domain.state) == ([3, 4], {})
    domain.write_run(Level, run(1, 2))
    assert domain.state == {3: Level(value=1), 4: Level(value=2)}


@pytest.mark.parametrize("method", ["accepts_run", "write_run"])
def test_a_row_that_is_refused_is_located(method: str) -> None:
    with pytest.raises(DomainError, match="too high") as caught:
        getattr(Kept(), method)(Level, run(1, 9, 2))
    assert caught.value.instance == 4
