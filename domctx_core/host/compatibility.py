"""Compatibility: does the version of the core that a plugin's metadata asks for fit this one?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from domctx_core.host.discovery import normalise
from domctx_core.model.registry import CORE

__all__ = ["incompatibility"]


def incompatibility(requires: Iterable[str], core: str) -> str:
    """Return why a distribution with these requirements does not fit this core; "" if it does.

    pip refuses such a pair, but pip can be bypassed.
    """
    asked = [text for text in requires if "domctx" in text.lower()]
    if all(_is_usual_and_met(text, core) for text in asked):
        return ""
    # `packaging` knows all forms, but takes longer to import than all else that a run needs
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            return f"its metadata has an invalid requirement: {text!r}"
        if normalise(requirement.name) != CORE:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        if not requirement.specifier.contains(core, prereleases=True):
            return f"it requires {CORE}{requirement.specifier}, but this is {core}"
    return ""


_USUAL = re.compile(
    r"domctx-(?P<which>core|plugin-[a-z0-9-]+)\s*(?P<bounds>((>=|<)[0-9]+(\.[0-9]+)*,?)*)"
)


def _is_usual_and_met(text: str, core: str) -> bool:
    """Return True if a requirement has the usual form, `domctx-core>=0.1,<1`, and is met."""
    match = _USUAL.fullmatch(text)
    if match is None or not re.fullmatch(r"[0-9]+(\.[0-9]+)*", core):
        return False
    if match["which"] != "core":
        return True
    have = _release(core)
    for sign, bound in re.findall(r"(>=|<)([0-9.]+)", match["bounds"]):
        if (have < _release(bound)) == (sign == ">="):
            return False
    return True


def _release(text: str) -> list[int]:
    """Return a version's numbers without the zeros at its end, which mean nothing."""
    numbers = [int(part) for part in text.split(".") if part]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers
