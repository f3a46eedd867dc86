"""Functions compiled from source text that is written for one body class.

As `dataclasses` does it, and for the same reason: a statement for each field costs a fraction of
what a loop over the fields does. Generated functions handle valid input only; anything else raises
`NotApplicable` and goes to the interpreted code, which reports the problems. A class gets each
function when it is first needed.

Only the names of fields come from outside, and they are Python names (`declaration` checks that).
Names of a function's own begin with two underscores, which no field's name does.
"""

from __future__ import annotations

import struct
import weakref
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from domctx_core.base.errors import BodyError
from domctx_core.layout.protocol import CompiledLayout

__all__ = ["NOT_APPLICABLE", "NotApplicable", "compile_function", "emit_check"]


class NotApplicable(Exception):
    """This fast path does not apply to the input; the general code has to look at it."""


NOT_APPLICABLE = (
    NotApplicable,
    BodyError,
    struct.error,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)
"""What a fast path raises where it does not apply.

Most rules cost nothing but the exception that Python raises anyway: `struct` for a number out of
range, a dict for one without a name, an attribute that is missing.
"""

_serial = count(2)


def compile_function(
    title: str, head: str, lines: Iterable[str], space: dict[str, Any]
) -> Callable[..., Any]:
    """Return the function with this head and these lines, whose globals are `space`.

    Tracebacks and profiles show it in a file named after `title`, with its source: `linecache` has
    the text for as long as the function lives.
    """
    import linecache

    source = "\n ".join([f"def {head}:", *lines]) + "\n"
    name = f"<domctx {title}>"
    if name in linecache.cache:  # two classes of one name, or a body inside several others
        name = f"<domctx {title} #{next(_serial)}>"
    exec(compile(source, name, "exec"), space)
    function: Callable[..., Any] = space[head.partition("(")[0]]
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    weakref.finalize(function, linecache.cache.pop, name, None).atexit = False
    return function


def emit_check(layout: CompiledLayout, space: dict[str, Any], body: str) -> list[str]:
    """Return the lines that call the `check` of the class, unless the values are `trusted_values`.

    `body` is the name that the body has in the function, whose fields have their own names.
    """
    trusted = layout.body.__trusted_values__
    if "check" not in layout.overridden or trusted == {}:
        return []
    tests = []
    for index, (name, good) in enumerate((trusted or {}).items()):
        space[f"__good{index}"] = good if isinstance(good, range) else frozenset(map(int, good))
        tests.append(f"{name} in __good{index}")
    line = f"for __problem in {body}.check(): raise __NotApplicable"
    return [f"if not ({' and '.join(tests)}):", f"  {line}"] if tests else [line]
