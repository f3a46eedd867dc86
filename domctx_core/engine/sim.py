"""Open the domains of the scheme `sim:`, which are simulated."""

from __future__ import annotations

from pathlib import Path

from domctx_core.base.errors import UsageError
from domctx_core.base.text import did_you_mean
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.engine.sim_file import MOST_VCPUS, read_state
from domctx_core.model.declarations import DomainRequest
from domctx_core.model.domain import Guest

__all__ = ["open_sim"]

_MOST_CHANNELS = 131072


def open_sim(request: DomainRequest) -> SimDomain:
    """Return the domain of `sim:REST`, where REST is a state file, parameters, both, or nothing.

    Parameters are separated by commas: `vcpus`, `channels`, `seed`, `kind` (pv, hvm), `width` (4,
    8), `arch` (x86, arm), `xen` (4.17), `domid`. A file that exists is opened; one that does not
    is made by a load. Without a file, a save with `vcpus`, `channels` or `seed` makes state up.
    """
    path, parameters = _parse(request.rest)
    registry = request.formats.registry("domain-context")
    if path is not None and (path.exists() or request.purpose == "save"):
        if parameters and path.exists():
            raise UsageError(
                f"{path} exists, and cannot be combined with parameters",
                actual=", ".join(parameters),
                hint="give a file that does not exist yet, or no parameters",
            )
        loading = request.purpose == "load"
        return SimDomain.from_json(read_state(path), registry, path, loading=loading)
    domid = _int(parameters, "domid", 0, 0x7FEF)
    seed = _int(parameters, "seed", 0, 2**63) or 0
    domain = SimDomain(
        registry,
        domid=1 if domid is None else domid,
        xen_version=XenVersion.parse(parameters.get("xen", "4.17")),
        guest=Guest(
            kind=_one_of(parameters, "kind", ("pv", "hvm")) or "pv",
            width=_int(parameters, "width", 4, 8),
            arch=_one_of(parameters, "arch", ("x86", "arm")) or "x86",
            vcpus=_int(parameters, "vcpus", 1, MOST_VCPUS),
            channels=_int(parameters, "channels", 0, _MOST_CHANNELS),
        ),
        path=path,
        loading=request.purpose == "load",
    )
    if request.purpose == "save" and parameters.keys() & {"vcpus", "channels", "seed"}:
        domain.make_up(seed)
    return domain


_PARAMETERS = ("vcpus", "channels", "seed", "kind", "width", "arch", "xen", "domid")


def _parse(rest: str) -> tuple[Path | None, dict[str, str]]:
    path: Path | None = None
    parameters: dict[str, str] = {}
    for part in rest.split(",") if rest else ():
        name, equals, value = part.partition("=")
        if equals and name in _PARAMETERS:
            parameters[name] = value
        elif equals and "/" not in name and not Path(part).exists():
            raise UsageError(
                f"sim: has no parameter {name!r}",
                expected=", ".join(_PARAMETERS),
                hint=did_you_mean(name, _PARAMETERS),
            )
        elif path is None:
            path = Path(part)
        else:
            raise UsageError(
                f"sim: takes one file, and {str(path)!r} was given before", actual=part
            )
    return path, parameters


def _int(parameters: dict[str, str], name: str, low: int, high: int) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
        raise UsageError(
            f"sim: {name} is not a number in its range",
            expected=f"{low} to {high}",
            actual=text[:40],
        )
    if name == "width" and text not in ("4", "8"):
        raise UsageError("sim: width must be 4 or 8", actual=text)
    return int(text)


def _one_of(parameters: dict[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    text = parameters.get(name)
    if text is not None and text not in choices:
        raise UsageError(f"sim: {name} must be {' or '.join(choices)}", actual=text)
    return text
