"""Requirements of saving and loading: exact sizes, equal images, runs equal to single records.

Each function checks one requirement and raises `Nonconformity` if it is not met.
"""

from __future__ import annotations

from itertools import islice, zip_longest
from typing import Any, TypeVar

from domctx_core.authoring.subject import OneByOne, Subject, large_guest, small_guest
from domctx_core.base.errors import DomctxError
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.load import load_domain
from domctx_core.engine.ops import MemoryLoadOps, MemorySaveOps
from domctx_core.engine.save import save_domain, size_domain
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.layout.body import Body
from domctx_core.layout.columns.columns import Columns
from domctx_core.model.domain import Guest
from domctx_core.model.record_type import RecordType
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["dry_run_size", "instances", "runs", "save_and_load"]

__tracebackhide__ = True  # the message is complete: pytest need not show the code


B = TypeVar("B", bound=Body)


def dry_run_size(subject: Subject) -> None:
    """Require exactly the size of a save from a dry run."""
    if subject.format != DOMAIN_CONTEXT:
        return
    domain = subject.domain()
    size, image = size_domain(domain, subject.registry), _image(subject, domain)
    if size != len(image):
        raise subject.fail(f"a dry run counts {size} bytes, but a save writes {len(image)}")


def save_and_load(subject: Subject) -> None:
    """Require that a domain loads what another saved, and saves the same records again."""
    if subject.format != DOMAIN_CONTEXT:
        return
    image = _image(subject, subject.domain())
    target = SimDomain(subject.registry, xen_version=XenVersion(4, 17), guest=small_guest())
    if not subject.record_type.loadable:
        return
    load_domain(target, MemoryLoadOps(image), subject.registry)
    if target.pauses != 1 or target.paused:
        raise subject.fail("the domain was not paused once and unpaused once")
    again = _image(subject, target)
    if len(again) != len(image):
        raise subject.fail(
            f"an image of {len(image)} bytes, loaded and saved again, has {len(again)}"
        )


def runs(subject: Subject) -> None:
    """Require the same state, bytes and errors of records as a run as of records one by one."""
    if subject.format != DOMAIN_CONTEXT or not subject.record_type.loadable:
        return
    record_type = subject.record_type
    source = subject.domain(large_guest(), one_by_one=True)
    if type(record_type).simulate is RecordType.simulate and not record_type.instances.per_vcpu:
        # nothing need fit together, and so little would make no run
        limit = record_type.instances.limit
        examples = (body for body in subject.examples() if type(body) is record_type.body)
        source.adopt(record_type.code, dict(enumerate(islice(examples, limit))))
    image = _image(subject, source)
    body = record_type.body
    if body.fixed_size() is not None and not record_type.depends:
        batch = subject.domain(large_guest())
        batch.adopt(record_type.code, {})
        state = {number: source.read(body, number) for number in source.instances(body)}
        batch.write_run(body, Columns.of_bodies(body, state))
        if _image(subject, batch) != image:
            raise subject.fail("records saved as a run differ from records saved one by one")
    for guest in (large_guest(), Guest(kind="pv", width=8, arch="x86", vcpus=1)):
        outcomes = []
        for domain, ops in (
            (SimDomain(subject.registry, guest=guest), MemoryLoadOps(image)),
            (OneByOne(subject.registry, guest=guest), _Unseen(image)),
        ):
            try:
                load_domain(domain, ops, subject.registry)
            except DomctxError as error:
                outcome: Any = type(error), error.errno, error.message, error.offset, error.instance
            else:
                outcome = [domain.to_json()["records"], _image(subject, domain)]
            outcomes.append(outcome)
        as_run, singly = outcomes
        if as_run != singly:
            raise subject.fail(
                "records loaded as a run give another result than one by one:"
                f" {_difference(as_run, singly)}"
            )


def _difference(one: Any, other: Any) -> str:
    """Return how two outcomes of a load differ, in a few words."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        errors = (each[2] if isinstance(each, tuple) else "no error" for each in (one, other))
        return " and ".join(f"{error!r:.80}" for error in errors)
    for left, right in zip_longest(one[0], other[0]):
        if left != right:
            return f"{left!r:.120} and {right!r:.120}"
    return "the images saved afterwards"


class _Unseen(MemoryLoadOps):
    """An input that cannot be read ahead."""

    def read(self, size: int) -> bytes:
        return super().read(size)


def instances(subject: Subject) -> None:
    """Require that instances are kept apart, and that one that is not allowed is refused."""
    if subject.format != DOMAIN_CONTEXT:
        return
    limit = subject.record_type.instances.limit
    domain = subject.domain()
    body = next(iter(subject.simulated().values()), None)
    if body is None or not subject.record_type.loadable:
        return
    if limit is not None:
        domain.adopt(subject.record_type.code, {limit: body})
        try:
            target = SimDomain(subject.registry, guest=small_guest())
            image = _image(subject, domain)
            load_domain(target, MemoryLoadOps(image), subject.registry)
        except DomctxError:
            return
        raise subject.fail(f"instance {limit} is accepted, but the limit is {limit}")
    state = subject.simulated()
    if len(state) < 2:
        return
    target = SimDomain(subject.registry, guest=small_guest())
    load_domain(target, MemoryLoadOps(_image(subject, domain)), subject.registry)
    if list(target.instances(subject.record_type.body)) != sorted(state):
        raise subject.fail("not every instance is loaded")


def _image(subject: Subject, domain: SimDomain) -> bytes:
    ops = MemorySaveOps()
    save_domain(domain, ops, subject.registry)
    return ops.image
