"""Conformance: what every record type must do, whoever wrote it.

Each check is a function of a `Subject`; it raises `Nonconformity` that says what is wrong.
`domctx_core.testing.RecordTypeConformance` runs them as tests, `domctx plugins check` as a
command.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Any, TypeVar

from domctx_core.authoring.type_codes import code_fault
from domctx_core.base.errors import PLUGIN_ERRORS, DomctxError, describe
from domctx_core.base.rules import Rules
from domctx_core.base.xen_version import XenVersion
from domctx_core.engine.load import load_domain
from domctx_core.engine.ops import MemoryLoadOps, MemorySaveOps
from domctx_core.engine.save import save_domain, size_domain
from domctx_core.engine.sim_domain import SimDomain
from domctx_core.layout.body import Body
from domctx_core.layout.codegen.regex import NoPattern, body_pattern
from domctx_core.layout.columns.columns import Columns
from domctx_core.layout.kinds.aggregates import Nested, leaves
from domctx_core.layout.kinds.base import ByteOrder
from domctx_core.layout.kinds.scalars import Reserved
from domctx_core.model.attributes import FIRST
from domctx_core.model.domain import Guest
from domctx_core.model.record_type import RecordType, all_bodies, body_class
from domctx_core.model.registry import Registry
from domctx_core.model.validation import copy_name
from domctx_core.model.wire import DOMAIN_CONTEXT

__all__ = ["CHECKS", "Nonconformity", "Subject"]

__tracebackhide__ = True  # the message says it all: pytest need not show how it was found

B = TypeVar("B", bound=Body)

_EXAMPLES = 24
_ORDERS: tuple[ByteOrder, ...] = ("little", "big")


class Nonconformity(AssertionError):  # a finding, told as a failed assertion
    """A record type does not do what every record type must."""


class Subject:
    """The record type under examination and what is needed around it.

    `registry` has it, START, END, and the types that it says must come earlier (`after`); `dist`
    is its distribution, where that is known.
    """

    def __init__(
        self,
        record_type: RecordType[Any],
        registry: Registry,
        *,
        format: str = DOMAIN_CONTEXT,
        dist: str | None = None,
    ) -> None:
        self.record_type = record_type
        self.registry = registry
        self.format = format
        self.dist = dist

    @property
    def rules(self) -> Rules:
        """The rules that settle which problems are errors."""
        return self.registry.rules

    def to_bytes(self, body: Body, byteorder: ByteOrder = "little") -> bytes:
        """Return the bytes of a body, which may have warnings."""
        if type(body).to_bytes is not Body.to_bytes:  # an author's own need not take `rules`
            return body.to_bytes(byteorder)
        return body.to_bytes(byteorder, rules=self.rules)

    def from_bytes(self, kind: type[Body], raw: bytes, byteorder: ByteOrder) -> Body:
        """Return the body that bytes decode to, which may have warnings."""
        if any("from_bytes" in vars(each) for each in kind.__mro__ if each is not Body):
            return kind.from_bytes(raw, byteorder)
        return kind.from_bytes(raw, byteorder, rules=self.rules)

    @property
    def bodies(self) -> tuple[type[Body], ...]:
        """The body classes: one, or as many as records before it can choose from."""
        return all_bodies(self.record_type)

    def examples(self) -> Iterator[Body]:
        """Valid bodies: made up by the layouts, and those that a simulated domain has."""
        for kind in self.bodies:
            for seed in range(_EXAMPLES):
                body = kind.example(random.Random(seed))
                if all(self.rules.refusal(problem) is None for problem in body.problems()):
                    yield body
        yield from self.simulated().values()

    def simulated(self) -> dict[int, Body]:
        """The made-up state of a simulated domain, by instance."""
        made = self.record_type.simulate(_guest(), random.Random(1))
        return dict(made)

    def domain(self, guest: Guest | None = None, *, one_by_one: bool = False) -> SimDomain:
        """A simulated domain with state of this type and of those before it.

        One that is `one_by_one` gives and takes single records, and no runs.
        """
        guest = guest or _guest()
        kind = _OneByOne if one_by_one else SimDomain
        domain = kind(self.registry, xen_version=XenVersion(4, 17), guest=guest)
        for name in (*self.record_type.after, self.record_type.name):
            entry = self.registry.find(name)
            if entry is not None:
                made = entry.record_type.simulate(guest, random.Random(1))
                domain.adopt(entry.code, dict(made))
        return domain

    def fail(self, message: str) -> Nonconformity:
        """The error that names this record type."""
        return Nonconformity(f"{self.record_type.name}: {message}")


def _guest() -> Guest:
    return Guest(kind="pv", width=8, arch="x86", vcpus=2, channels=6)


def _many() -> Guest:
    """A guest with so much of everything that its records make runs."""
    return Guest(kind="pv", width=8, arch="x86", vcpus=24, channels=40)


def examples_exist(subject: Subject) -> None:
    """There is at least one valid body, so that the other checks have something to look at."""
    found = {type(body) for body in subject.examples()}
    for body in subject.bodies:
        if body not in found:
            raise subject.fail(
                f"no example of {body.__name__} is valid: override `simulate`, so that it gives some"
            )


def bytes_round_trip(subject: Subject) -> None:
    """Body to bytes and back is the same body, in both byte orders, of the size that it says."""
    for body in subject.examples():
        for order in _ORDERS:
            raw = subject.to_bytes(body, order)
            if subject.from_bytes(type(body), raw, order) != body:
                raise subject.fail(f"{body!r} changes when written {order}-endian and read again")
            if len(raw) != body.size():
                raise subject.fail(f"size() says {body.size()}, and {len(raw)} bytes are written")


def json_round_trip(subject: Subject) -> None:
    """Body to JSON text and back is the same body and the same bytes."""
    for body in subject.examples():
        text = json.dumps(body.to_json(), allow_nan=False)
        again = type(body).from_json(json.loads(text))
        if again != body or subject.to_bytes(again) != subject.to_bytes(body):
            raise subject.fail(f"{body!r} changes when written as JSON and read again: {text:.200}")


def _survives(subject: Subject, body: type[Body], raw: bytes) -> None:
    for order in _ORDERS:
        try:
            decoded = body.inspect(raw, order)
        except PLUGIN_ERRORS as error:
            raise subject.fail(
                f"inspecting {len(raw)} bytes ({raw[:16].hex()}...) raises {describe(error)}"
            ) from error
        for problem in decoded.problems:
            if problem.offset is not None and not 0 <= problem.offset <= len(raw):
                raise subject.fail(f"a problem is at {problem.offset}, outside of the body")
        if decoded.body is None and not decoded.problems:
            raise subject.fail("a body that cannot be decoded has no problem that says why")


def short_bodies(subject: Subject) -> None:
    """A body cut anywhere gives problems with offsets, never another error."""
    for body in subject.examples():
        raw = subject.to_bytes(body)
        step = max(1, len(raw) // 64)
        for size in (*range(0, len(raw), step), max(0, len(raw) - 1)):
            _survives(subject, type(body), raw[:size])
            cut = size < len(raw) == type(body).fixed_size()
            if cut and not type(body).inspect(raw[:size]).problems:
                raise subject.fail(f"a body of {size} instead of {len(raw)} bytes is accepted")


def long_bodies(subject: Subject) -> None:
    """A body with bytes after its end gives problems, unless the type ignores the rest."""
    for body in subject.examples():
        raw = subject.to_bytes(body)
        for extra in (b"\0", b"\xff" * 7, bytes(64)):
            _survives(subject, type(body), raw + extra)
        fixed = type(body).fixed_size() is not None
        if fixed and not type(body).inspect(raw + b"\0").problems:
            raise subject.fail("a byte after the end of a fixed body is accepted")


def random_bodies(subject: Subject) -> None:
    """Random bytes give problems, never another error."""
    rng = random.Random(2)
    for body in subject.bodies:
        sizes = [0, 1, 7, 8, 16, 20, 24, 32, 64, 255, 4096, body.fixed_size() or 100]
        for size in sizes * 4:
            _survives(subject, body, rng.randbytes(size))
            _survives(subject, body, bytes(size))


def reserved_fields(subject: Subject) -> None:
    """Reserved bytes that are not zero are reported, at their offset."""
    for body in subject.examples():
        at = 0
        raw = subject.to_bytes(body)
        for field in type(body).__layout__.fields:
            size = field.kind.size
            if size is None:
                size = field.kind.size_of(getattr(body, field.name))
            if isinstance(field.kind, Reserved) and size:
                bad = raw[:at] + b"\1" + raw[at + 1 :]
                problems = type(body).inspect(bad).problems
                if not any(p.rule == "reserved-not-zero" and p.offset == at for p in problems):
                    raise subject.fail(f"reserved `{field.name}` at {at} is not checked")
            at += size


def dry_run_size(subject: Subject) -> None:
    """A dry run gives exactly the size that a save writes."""
    if subject.format != DOMAIN_CONTEXT:
        return
    domain = subject.domain()
    size, image = size_domain(domain, subject.registry), _image(subject, domain)
    if size != len(image):
        raise subject.fail(f"a dry run says {size} bytes, and a save writes {len(image)}")


def save_and_load(subject: Subject) -> None:
    """What a simulated domain saves, another one loads, and saves again with the same records."""
    if subject.format != DOMAIN_CONTEXT:
        return
    image = _image(subject, subject.domain())
    target = SimDomain(subject.registry, xen_version=XenVersion(4, 17), guest=_guest())
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
    """Records come to the same whether they are taken and given one by one or as a whole run.

    The same state, the same bytes, and where a domain refuses them, the same error.
    """
    if subject.format != DOMAIN_CONTEXT or not subject.record_type.loadable:
        return
    record_type = subject.record_type
    source = subject.domain(_many(), one_by_one=True)
    if type(record_type).simulate is RecordType.simulate and not record_type.instances.per_vcpu:
        # nothing need fit together, and so little would make no run
        kind, limit = record_type.body, record_type.instances.limit
        examples = (each for each in subject.examples() if type(each) is kind)
        source.adopt(record_type.code, dict(enumerate(islice(examples, limit))))
    image = _image(subject, source)
    body = record_type.body
    if body.fixed_size() is not None and not record_type.depends:
        batch = subject.domain(_many())
        batch.adopt(record_type.code, {})
        state = {number: source.read(body, number) for number in source.instances(body)}
        batch.write_run(body, Columns.of_bodies(body, state))
        if _image(subject, batch) != image:
            raise subject.fail("records given as a run are saved otherwise than one by one")
    for guest in (_many(), Guest(kind="pv", width=8, arch="x86", vcpus=1)):
        outcomes = []
        for domain, ops in (
            (SimDomain(subject.registry, guest=guest), MemoryLoadOps(image)),
            (_OneByOne(subject.registry, guest=guest), _Unseen(image)),
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
                "records taken as a run come to something else than one by one:"
                f" {_difference(as_run, singly)}"
            )


def _difference(one: Any, other: Any) -> str:
    """What two outcomes of a load say differently, in a few words."""
    if isinstance(one, tuple) or isinstance(other, tuple):
        told = (each[2] if isinstance(each, tuple) else "no error" for each in (one, other))
        return " and ".join(f"{each!r:.80}" for each in told)
    for left, right in zip_longest(*(each[0] for each in (one, other))):
        if left != right:
            return f"{left!r:.120} and {right!r:.120}"
    return "the images that they are saved to"


class _OneByOne(SimDomain):
    """Sees each record: it overrides the forms for single records, and not those for runs."""

    def read(self, body: type[B], instance: int = 0) -> B:
        return super().read(body, instance)

    def write(self, body: type[B], instance: int, value: B) -> None:
        super().write(body, instance, value)


class _Unseen(MemoryLoadOps):
    """Bytes that cannot be looked at ahead."""

    def read(self, size: int) -> bytes:
        return super().read(size)


def instances(subject: Subject) -> None:
    """Two instances are kept apart; one that is not allowed is refused."""
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
            target = SimDomain(subject.registry, guest=_guest())
            image = _image(subject, domain)
            load_domain(target, MemoryLoadOps(image), subject.registry)
        except DomctxError:
            return
        raise subject.fail(f"instance {limit} is accepted, and the limit is {limit}")
    state = subject.simulated()
    if len(state) < 2:
        return
    target = SimDomain(subject.registry, guest=_guest())
    load_domain(target, MemoryLoadOps(_image(subject, domain)), subject.registry)
    if list(target.instances(subject.record_type.body)) != sorted(state):
        raise subject.fail("not every instance arrives")


def documentation(subject: Subject) -> None:
    """The record type, its body and every field say what they are."""
    faults = []
    if not (type(subject.record_type).__doc__ or "").strip() or (
        type(subject.record_type).__doc__ == RecordType.__doc__
    ):
        faults.append("the record type has no docstring")
    bodies = set(subject.bodies) | {
        kind.body
        for body in subject.bodies
        for field in body.__layout__.fields
        for kind in leaves(field.kind)
        if isinstance(kind, Nested)
    }
    for each in sorted(bodies, key=lambda cls: cls.__name__):
        if not (each.__doc__ or "").strip() or each.__doc__ == Body.__doc__:
            faults.append(f"{each.__name__} has no docstring")
        for field in each.__layout__.fields:
            if not field.doc and not isinstance(field.kind, Reserved):
                faults.append(f"{each.__name__}.{field.name} has no doc")
    if faults:
        raise subject.fail("; ".join(faults))


def dependence(subject: Subject) -> None:
    """What the body depends on is remembered, and chooses among the bodies that are declared."""
    record_type = subject.record_type
    rng = random.Random(3)
    chosen = {_chosen(subject, {})}
    for code in record_type.depends:
        entry = subject.registry.get(code)
        if entry is None:
            raise subject.fail(f"`depends` names type code {code}, which is not at hand")
        if not entry.record_type.remembered:
            raise subject.fail(f"`depends` names {entry.name}, which is not `remembered`")
        for _ in range(_EXAMPLES):
            chosen.add(_chosen(subject, {code: entry.record_type.body.example(rng)}))
    if len(record_type.depends) == 1:  # of several, chance need not find the right ones together
        for body in set(subject.bodies) - chosen:
            raise subject.fail(f"no example of what it depends on chooses {body.__name__}")


def _chosen(subject: Subject, earlier: Mapping[int, Body]) -> type[Body]:
    try:
        return body_class(subject.record_type, earlier)
    except PLUGIN_ERRORS as error:
        raise subject.fail(f"`body_for` raises {describe(error)}") from error


def trusted_values(subject: Subject) -> None:
    """Of trusted values and instances, `check` and `judge` have nothing to say."""
    rng = random.Random(4)
    record_type = subject.record_type
    for kind in subject.bodies:
        for order in _ORDERS:
            try:
                match = re.compile(body_pattern(kind, order), re.DOTALL).fullmatch
            except NoPattern:
                break
            for _ in range(4 * _EXAMPLES):
                example = kind.example(rng)
                _set_trusted(example, rng)
                raw = bytearray(example.to_bytes(order, check=False))
                for _ in range(rng.randrange(3) if raw else 0):
                    raw[rng.randrange(len(raw))] = rng.choice([0, 1, 2, rng.randrange(256)])
                if not match(raw):
                    continue
                body, problems, _ = kind.inspect(raw, order)
                found = list(problems)
                for instance in _some(record_type.trusted_values, rng) if body is not None else ():
                    found += record_type.judge(instance, body, None)
                if found:
                    raise subject.fail(f"{body!r} has trusted values, and: {found[0].message}")


def _set_trusted(body: Any, rng: random.Random) -> None:
    """Give the fields that have trusted values such values, in bodies inside it too."""
    for name, values in (type(body).__trusted_values__ or {}).items():
        setattr(body, name, rng.choice(values if isinstance(values, Sequence) else [*values]))
    for name in type(body).__layout__.stored:
        value = getattr(body, name)
        for inner in value if isinstance(value, list) else (value,):
            if isinstance(inner, Body):
                _set_trusted(inner, rng)


def _some(numbers: range | None, rng: random.Random) -> list[int]:
    return [numbers[0], numbers[-1], rng.choice(numbers)] if numbers else []


def heads(subject: Subject) -> None:
    """Of a bulk type, `prefix` finds the whole head, and `measure` says no other than `extent`."""
    record_type = subject.record_type
    if not record_type.bulk:
        return
    rng = random.Random(5)
    for body in subject.examples():
        for order in _ORDERS:
            raw = bytearray(subject.to_bytes(body, order))
            size = _told(subject, "prefix", bytes(raw[:FIRST]), order)
            if not size:
                continue
            if size != len(raw):
                raise subject.fail(f"`prefix` says {size} of a head of {len(raw)} bytes")
            for _ in range(_EXAMPLES):
                told = _told(subject, "measure", bytearray(raw), order)
                if told is not None:
                    _agrees(subject, type(body), raw, order, told)
                again = bytearray(raw)
                again[rng.randrange(size)] ^= 1 << rng.randrange(8)
                if _told(subject, "prefix", bytes(again[:FIRST]), order) == size:
                    raw = again


def _told(subject: Subject, method: str, *given: Any) -> Any:
    """What a method of the record type says of bytes."""
    try:
        return getattr(subject.record_type, method)(*given)
    except PLUGIN_ERRORS as error:
        raise subject.fail(f"`{method}` raises {describe(error)}") from error


def _agrees(
    subject: Subject, body: type[Body], raw: bytearray, order: ByteOrder, told: int
) -> None:
    """Fails where a head that `measure` says something of breaks a rule, or means another length."""
    decoded, problems, _ = body.inspect(bytes(raw), order)
    if decoded is None or problems:
        why = problems[0].message if problems else "it cannot be decoded"
        raise subject.fail(f"`measure` says {told} of a head that breaks a rule: {why}")
    extent = subject.record_type.extent(decoded)
    if extent != told:
        raise subject.fail(f"`measure` says {told}, and `extent` {extent}, of the same head")


def type_code(subject: Subject) -> None:
    """The type code is in the range that its author may use, and the name fits its buffer."""
    if subject.format != DOMAIN_CONTEXT:
        return
    copy_name(subject.record_type.name)
    fault = code_fault(subject.record_type.code, subject.dist)
    if fault is not None:
        raise subject.fail(fault)


def _image(subject: Subject, domain: SimDomain) -> bytes:
    ops = MemorySaveOps()
    save_domain(domain, ops, subject.registry)
    return ops.image


CHECKS: dict[str, Callable[[Subject], None]] = {
    check.__name__: check
    for check in (
        examples_exist,
        bytes_round_trip,
        json_round_trip,
        short_bodies,
        long_bodies,
        random_bodies,
        reserved_fields,
        dry_run_size,
        save_and_load,
        runs,
        instances,
        documentation,
        dependence,
        trusted_values,
        heads,
        type_code,
    )
}
"""All checks by name, in the order in which they are run."""
