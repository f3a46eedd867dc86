"""Generated constructors do what `Body.__init__` does."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from sample_bodies import Pair, everything

from domctx_core import Body, BodyError, array, u8


class TestMaking:
    def test_what_is_missing_or_unknown_is_told(self) -> None:
        for _ in range(2):  # the first body of a class is made in another way than the rest
            with pytest.raises(TypeError, match=r"^Pair needs `low`$"):
                Pair()  # type: ignore[call-arg]
            with pytest.raises(TypeError, match=r"^Pair has no field middle, top$"):
                Pair(low=1, middle=2, top=3)  # type: ignore[call-arg]
            with pytest.raises(TypeError, match=r"^Pair needs `low`$"):
                Pair(middle=2)  # type: ignore[call-arg]
            with pytest.raises(TypeError, match="positional"):
                Pair(1)  # type: ignore[call-arg]
            assert (Pair(low=1).low, Pair(low=1).high, Pair(high=3, low=2).high) == (1, 255, 3)

    def test_defaults_that_can_change_are_not_shared(self) -> None:
        class Row(Body):
            numbers: list[int] = array(u8(), 2, default=[1, 2])

        one, two, three = Row(), Row(), Row()
        one.numbers.append(3)
        two.numbers.append(4)
        assert three.numbers == [1, 2]

    def test_inheritance(self) -> None:
        class Base(Body):
            a: int = u8()

        class Derived(Base):
            b: int = u8(default=4)

        assert Base(a=1).a == Base(a=1).a == 1
        for _ in range(2):
            assert (Derived(a=1).b, Derived(a=2, b=3).a) == (4, 2)
            with pytest.raises(TypeError, match=r"^Derived needs `a`$"):
                Derived(b=1)  # type: ignore[call-arg]

    def test_an_author_s_own_init(self) -> None:
        class Own(Body):
            a: int = u8()
            b: int = u8(default=1)

            def __init__(self, **values: Any) -> None:
                super().__init__(**({"a": 7} | values))

        class Below(Own):
            c: int = u8(default=2)

        class Beside(Own):
            d: int = u8()

            def __init__(self, **values: Any) -> None:
                super().__init__(d=3, **values)

        below: Any = Below
        for _ in range(2):
            assert (Own().a, Own(a=2).a) == (7, 2)
            assert (below(c=9).a, below(c=9).c, below().c) == (7, 9, 2)
            assert (Beside(b=5).b, Beside().d) == (5, 3)

    def test_fields_named_like_what_python_has(self) -> None:
        class Named(Body):
            type: int = u8()
            int: Any = u8()
            self: Any = u8()
            others: Any = u8()
            struct: Any = u8(maximum=5)
            body: Any = u8()
            number: Any = u8()

        values = {"type": 1, "int": 2, "self": 3, "others": 4, "struct": 5, "body": 6, "number": 7}
        for _ in range(2):
            made = Named(**values)
            assert made.to_bytes() == bytes(range(1, 8))
        with pytest.raises(BodyError, match="outside its range"):
            Named(**(values | {"struct": 6})).to_bytes()

    def test_copies(self) -> None:
        body = everything()
        assert copy.copy(body) == copy.deepcopy(body) == body == body.replace()
        assert pickle.loads(pickle.dumps(body)) == body
