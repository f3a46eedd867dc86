"""What the bodies of this format have in common: how grave a problem is to Xen.

Most unused bytes are written as zero and never looked at again, and a few types of record may be
shorter than they are today: Xen then takes the missing bytes for zeros.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from domctx_core import Body, ByteOrder, Decoded, Errno, Instances, Problem, Severity

__all__ = ["PER_DOMAIN", "PER_VCPU", "HvmBody", "ZeroExtended"]

PER_DOMAIN = Instances(limit=1, errno=Errno.EINVAL)
"""One record a domain; Xen answers EINVAL to a bad instance."""

PER_VCPU = Instances(errno=Errno.EINVAL, per_vcpu=True)
"""One record a vCPU; Xen answers EINVAL where the domain has no such vCPU."""


class HvmBody(Body):
    """A body of an HVM context.

    `must_be_zero` are the reserved fields that Xen checks on load; in any other, bytes that are
    not zero are only a warning. `errnos` gives the errno of a rule where it is not the usual one.
    """

    must_be_zero: ClassVar[frozenset[str]] = frozenset()
    errnos: ClassVar[Mapping[str, Errno]] = {}

    @classmethod
    def inspect(
        cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder = "little"
    ) -> Decoded[Self]:
        """Decode a whole body; each problem is as grave as it is to Xen.

        Never raises for bad bytes. Offsets count from the start of `data`.
        """
        decoded = super().inspect(data, byteorder)
        if decoded.problems:
            decoded = decoded._replace(problems=tuple(map(cls._restate, decoded.problems)))
        return decoded

    @classmethod
    def _restate(cls, problem: Problem) -> Problem:
        if problem.rule in cls.errnos and problem.errno is None:
            return problem._replace(errno=cls.errnos[problem.rule])
        if problem.rule == "reserved-not-zero" and problem.severity is None:
            leaf = (problem.field or "").rpartition(".")[2]
            if leaf not in cls.must_be_zero:
                message = f"{problem.message}; Xen ignores them"
                return problem._replace(message=message, severity=Severity.WARNING)
        return problem


class ZeroExtended(HvmBody):
    """A body that may be shorter than its layout: Xen takes the missing bytes for zeros.

    `forms` are the lengths in bytes of which it is known exactly which fields they hold, the
    longest last; those up to `current` are written by releases of Xen in use. `tail` says at which
    of them a field is there. A body of another length below the longest is decoded with the zeros
    that Xen adds, so `to_bytes` gives the longest form.
    """

    forms: ClassVar[tuple[int, ...]]
    current: ClassVar[int]
    tail: ClassVar[Mapping[str, frozenset[int]]]

    @classmethod
    def inspect(
        cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder = "little"
    ) -> Decoded[Self]:
        """Decode a body of any length up to the longest form; a short one is a warning.

        Never raises for bad bytes. Offsets count from the start of `data`.
        """
        size, longest = len(data), cls.forms[-1]
        if size > longest:
            decoded = super().inspect(bytes(data[:longest]), byteorder)
            excess = Problem(
                "body-not-consumed",
                f"{size - longest} bytes of the body are left over",
                longest,
                expected=f"at most {longest} bytes",
                actual=f"{size} bytes",
            )
            return decoded._replace(problems=(*decoded.problems, excess))
        if size in cls.forms:
            decoded = super().inspect(data, byteorder)
            if size >= cls.current:
                return decoded
        else:
            decoded = super().inspect(bytes(data) + bytes(longest - size), byteorder)
            decoded = decoded._replace(consumed=size)
        short = Problem(
            "body-too-short",
            f"the record is zero-extended: Xen takes the {longest - size} bytes that it lacks for"
            " zeros",
            size,
            expected=f"{longest} bytes",
            actual=f"{size} bytes",
            severity=Severity.WARNING,
        )
        return decoded._replace(problems=(*decoded.problems, short))

    def check(self) -> Iterable[Problem]:
        """Check that the fields at the end are those of one of the known forms."""
        size = self.size()
        for name, lengths in self.tail.items():
            present = getattr(self, name) is not None
            if present != (size in lengths):
                yield Problem(
                    "field-out-of-range",
                    f"`{name}` is {'there' if present else 'missing'}, and the other fields at the"
                    " end belong to another form of the record",
                    field=name,
                    expected=f"one of the forms of {', '.join(map(str, self.forms))} bytes",
                    actual=f"{size} bytes",
                )

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """Return a body in one of its forms."""
        size = rng.choice(cls.forms)
        body = super().example(rng)
        for name, lengths in cls.tail.items():
            value = None
            while value is None and size in lengths:
                value = getattr(super().example(rng), name)
            setattr(body, name, value)
        return body
