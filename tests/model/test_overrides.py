"""The batch form of a method is used unless a subclass overrides the single one alone."""

from __future__ import annotations

from domctx_core.model.overrides import prefers_batch


class Base:
    def read(self) -> None: ...

    def skip(self) -> None: ...

    def peek(self) -> None: ...


class Single(Base):
    def read(self) -> None: ...


class Other(Base):
    def skip(self) -> None: ...


class Both(Single):
    def peek(self) -> None: ...


class Inherits(Both):
    pass


class SingleAgain(Both):
    def skip(self) -> None: ...


def test_the_most_derived_class_that_has_either_decides() -> None:
    preferred = {
        kind.__name__: prefers_batch(kind, "peek", "read", "skip")
        for kind in (Base, Single, Other, Both, Inherits, SingleAgain)
    }
    assert preferred == {
        "Base": True, "Single": False, "Other": False, "Both": True, "Inherits": True,
        "SingleAgain": False,
    }  # fmt: skip


def test_a_class_with_neither_has_no_batch_form() -> None:
    assert not prefers_batch(object, "peek", "read")
