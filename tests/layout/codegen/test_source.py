"""The source of generated functions: in tracebacks, for as long as they live."""

from __future__ import annotations

import gc
import inspect
import linecache
import traceback
from collections.abc import Iterable
from typing import Any

import pytest

from domctx_core import Body, Problem, u32
from domctx_core.layout.codegen.decoder import decoder


def generated() -> list[str]:
    return [name for name in linecache.cache if name.startswith("<domctx ")]


class Faulty(Body):
    """Its `check` fails, not just finds something."""

    left: int = u32()
    right: int = u32()

    def check(self) -> Iterable[Problem]:
        raise ZeroDivisionError


def test_a_traceback_shows_the_line_of_a_generated_function() -> None:
    decode = decoder(Faulty.__layout__, "<")
    assert decode is not None
    with pytest.raises(ZeroDivisionError) as caught:
        decode(bytes(8))
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "<domctx decoder of Faulty, little>", line 6, in __decode' in text
    assert "    for __problem in __self.check(): raise __NotApplicable\n" in text
    linecache.checkcache()  # as pdb does before it shows a file
    assert "<domctx decoder of Faulty, little>" in generated()


def test_generated_functions_of_one_name_have_their_own_source() -> None:
    one, two = (
        type("Twin", (Body,), {"a": u32(maximum=limit), "__module__": __name__}) for limit in (7, 8)
    )
    for body, limit in ((one, 7), (two, 8)):
        decode: Any = decoder(body.__layout__, "<")  # type: ignore[attr-defined]
        assert f"a <= {limit}" in inspect.getsource(decode)


def test_the_source_goes_when_the_function_goes() -> None:
    before = generated()
    fleeting: Any = type("Fleeting", (Body,), {"a": u32(), "__module__": __name__})
    for _ in range(20):
        fleeting.from_bytes(fleeting(a=3).to_bytes("big"), "big").problems()
    titles = {name for name in generated() if name not in before}
    assert titles == {
        "<domctx constructor of Fleeting>",
        "<domctx decoder of Fleeting, big>",
        "<domctx encoder of Fleeting, big>",
        "<domctx strict encoder of Fleeting, little>",
    }
    del fleeting
    gc.collect()
    assert not titles & set(generated())
