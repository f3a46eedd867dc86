"""A program that uses domctx as a library; checked by `mypy --strict`, and run by a test."""

import sys
from pathlib import Path

from domctx_core import (
    Domain,
    DomctxError,
    Finding,
    Host,
    ImageError,
    MemoryLoadOps,
    Plugin,
    PluginFilter,
    Record,
    Verdict,
    XenVersion,
    load_domain,
    open_source,
    save_image,
    verify,
    walk,
)


def audit(paths: list[Path]) -> int:
    """How many images are not valid for Xen 4.17."""
    host = Host(PluginFilter(disabled={}))
    broken: list[Plugin] = host.failures()
    bad = len(broken)
    for path in paths:
        with open_source(path) as source:
            verdict: Verdict = verify(
                source, host.formats, checks=host.checks(), receiver=XenVersion(4, 17)
            )
            findings: tuple[Finding, ...] = verdict.findings
            bad += not verdict.valid
            names: list[str | None] = [
                event.name for event in walk(source, host.formats) if isinstance(event, Record)
            ]
        print(path, verdict.format, len(findings), names)
    return bad


def clone(host: Host) -> bytes:
    """The image of a copy of a made-up domain."""
    one: Domain = host.open_domain("sim:vcpus=2,seed=3", "save")
    other: Domain = host.open_domain("sim:vcpus=2", "load")
    image: bytes = save_image(one, host.registry)
    try:
        load_domain(other, MemoryLoadOps(image), host.registry)
    except ImageError as error:
        print(error.rule, error.offset, error.errno)
        raise
    except DomctxError as error:
        print(error.message)
        raise
    return save_image(other, host.registry)


if __name__ == "__main__":
    clone(Host())
    sys.exit(audit([Path(argument) for argument in sys.argv[1:]]))
