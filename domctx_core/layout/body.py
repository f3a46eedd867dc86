"""`Body`: the typed layout of a record's body, and the codec made from its declaration."""

from __future__ import annotations

import builtins
import inspect
import struct
import sys
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    NamedTuple,
    Self,
    TypeVar,
    dataclass_transform,
)

from domctx_core.base.errors import BodyError, DeclarationError
from domctx_core.base.problems import Problem
from domctx_core.base.rules import CORE_ONLY, Rules
from domctx_core.base.text import suggestion
from domctx_core.layout import specifiers
from domctx_core.layout.codegen.constructors import NOT_PLAIN, NotPlain, initializer, packer
from domctx_core.layout.codegen.decoder import ODD, Decode, decoder
from domctx_core.layout.field import REQUIRED, Field
from domctx_core.layout.kinds.aggregates import Array, BySize, Nested, Optional
from domctx_core.layout.kinds.base import (
    BYTE_ORDERS,
    ORDERS,
    ByteOrder,
    Checker,
    JsonError,
    Kind,
    Reader,
)
from domctx_core.layout.kinds.scalars import Blob, Count, Int, Reserved

if TYPE_CHECKING:
    import random

__all__ = ["Body", "Decoded", "Empty"]

B = TypeVar("B", bound="Body")


class Decoded(NamedTuple, Generic[B]):
    """What became of a body's bytes.

    `body` is None where they cannot be decoded at all; `problems` says what is wrong, in order of
    offset; `consumed` counts the bytes that fields describe.
    """

    body: B | None
    problems: tuple[Problem, ...]
    consumed: int


_WARM = 8
"""Bodies of a class that are decoded before a function for them is made."""


class Run:
    """Neighbouring fields of fixed size and no inner structure: one `struct` call for all."""

    def __init__(self, members: list[Field]) -> None:
        self.fields = members
        codes = ""
        for field in members:
            kind = field.kind
            codes += kind.code if isinstance(kind, Int) else f"{kind.size}s"
        self.structs = {prefix: struct.Struct(prefix + codes) for prefix in ORDERS.values()}
        self.size = self.structs["<"].size
        self.offsets: list[int] = []
        at = 0
        for field in members:
            self.offsets.append(at)
            at += field.kind.size or 0
        self.names = [field.name for field in members]
        # What a raw value still needs, with its place in the tuple: so little, a record, that
        # a body in order costs no more than this.
        self.reserved: list[tuple[int, Reserved, Field]] = []
        self.named: list[tuple[int, Int, str]] = []
        self.ranges: list[tuple[int, int, int, Field]] = []
        for index, field in enumerate(members):
            kind = field.kind
            if isinstance(kind, Reserved):
                self.reserved.append((index, kind, field))
            elif isinstance(kind, Int) and kind.enum is not None:
                self.named.append((index, kind, field.name))
            elif isinstance(kind, Int) and kind.checked:
                low = kind.lowest if kind.minimum is None else kind.minimum
                high = kind.highest if kind.maximum is None else kind.maximum
                self.ranges.append((index, low, high, field))

    def decode(self, reader: Reader, values: dict[str, Any]) -> None:
        if self.size > reader.end - reader.pos:
            for field, offset in zip(self.fields, self.offsets, strict=True):
                if offset + (field.kind.size or 0) > reader.end - reader.pos:
                    reader.pos += offset
                    raise reader.short(field.kind.size or 0, field.name)
        at = reader.pos
        row = self.structs[reader.order].unpack_from(reader.data, at)
        reader.pos = at + self.size
        values.update(zip(self.names, row, strict=True))
        for index, reserved, field in self.reserved:
            if row[index].strip(b"\0"):
                reserved.inspect(row[index], at + self.offsets[index], reader, field.name)
        for index, integer, name in self.named:
            number = row[index]
            values[name] = integer.wrap(number)
            if number not in integer.values:
                reader.suspect = True
        for index, low, high, field in self.ranges:
            if not low <= row[index] <= high:
                reader.suspect = True
                if isinstance(field.kind, Count):
                    field.kind.inspect(row[index], at + self.offsets[index], reader, field.name)

    def encode(self, body: Any, out: bytearray, order: str) -> None:
        row = [
            b"" if isinstance(field.kind, Reserved) else getattr(body, field.name)
            for field in self.fields
        ]
        out += self.structs[order].pack(*row)


def _in_run(kind: Kind) -> bool:
    return isinstance(kind, (Int, Reserved)) or (type(kind) is Blob and kind.size is not None)


class Layout:
    """The compiled declaration of one body class."""

    def __init__(self, body: type[Body], fields: list[Field], order: ByteOrder | None) -> None:
        self.body = body
        self.fields = fields
        self.order = None if order is None else ORDERS[order]
        self.stored = [
            field.name for field in fields if not isinstance(field.kind, (Reserved, Count))
        ]
        self.by_name = {field.name: field for field in fields}
        #: Fields that say how another one is laid out.
        self.deciding = {getattr(field.kind, "selector", None) for field in fields}
        self.parts: list[Run | Field] = []
        run: list[Field] = []
        for field in fields:
            if _in_run(field.kind):
                run.append(field)
                continue
            if run:
                self.parts.append(Run(run))
                run = []
            self.parts.append(field)
        if run:
            self.parts.append(Run(run))
        for field in fields:  # they become part of functions; see decoder.py
            if not field.name.isidentifier() or iskeyword(field.name):
                raise DeclarationError("the name of a field is a Python name", actual=field.name)
        sizes = [field.kind.size for field in fields]
        self.size = None if None in sizes else sum(size for size in sizes if size is not None)
        self.minimum_size = sum(size for size in sizes if size is not None)
        self.varying = [field for field in fields if field.kind.size is None]
        self.own_check = body.check is not Body.check
        self.checked = self.own_check or any(field.kind.checked for field in fields)
        #: What makes a body of bytes that plainly break no rule, by byte order.
        self.decoders: dict[ByteOrder, Decode | None] = {}
        self.met = 0
        #: What makes the bytes of a body that plainly breaks no rule, by byte order.
        self.packers: dict[ByteOrder, Callable[[Any], bytes]] = {}
        self.asked = 0
        self._strict: Callable[[Any], bytes] | None = None
        #: Patterns of bytes that break no rule, by byte order, once made; None where there is none.
        self.patterns: dict[ByteOrder, bytes | None] = {}
        #: What makes bodies of rows of values, once somebody has asked for it.
        self.make: Callable[[Iterable[Sequence[Any]]], list[Any]] | None = None

    # ------------------------------------------------------------------------------------ bytes

    def decoder(self, byteorder: ByteOrder, count: int = 1) -> Decode | None:
        """What makes a body of bytes that plainly break no rule, if there is such a way.

        To make it costs as much as some bodies, so that it is made when as many have been decoded,
        of which `count` are now.
        """
        self.met += count
        if self.met <= _WARM:
            return None
        made = self.decoders[byteorder] = decoder(self, ORDERS[byteorder])
        return made

    def decode(self, reader: Reader) -> Any:
        """Read a body at the reader's place; raises `BodyError` where bytes are missing."""
        values: dict[str, Any] = {}
        outer = reader.order
        if self.order is not None:
            reader.order = self.order
        for part in self.parts:
            if isinstance(part, Run):
                part.decode(reader, values)
            else:
                reader.path.append(part.name)
                values[part.name] = part.kind.decode(reader, values)
                reader.path.pop()
        reader.order = outer
        if self.own_check and reader.path:
            reader.suspect = True
        body = object.__new__(self.body)
        for name in self.stored:
            setattr(body, name, values[name])
        return body

    def row(self, reader: Reader, count: int) -> list[Any] | None:
        """Read `count` bodies of fixed size in a row, whose bytes are there.

        None, with nothing read, where it is not plain that none of them breaks a rule.
        """
        byteorder, size = BYTE_ORDERS[reader.order], self.size
        known = self.decoders
        decode = known[byteorder] if byteorder in known else self.decoder(byteorder, count)
        if decode is None or size is None:
            return None
        start, end = reader.pos, reader.pos + count * size
        try:
            row = [decode(reader.data[at : at + size]) for at in range(start, end, size)]
        except ODD:
            return None
        reader.pos = end
        return row

    def encode(self, body: Any, out: bytearray, order: str) -> None:
        """Append a body's bytes; values must fit (see `check`)."""
        order = self.order or order
        for part in self.parts:
            if isinstance(part, Run):
                part.encode(body, out, order)
            else:
                part.kind.encode(getattr(body, part.name), out, order)

    def packer(self, byteorder: ByteOrder) -> Callable[[Any], bytes]:
        """Makes the bytes of a body that plainly breaks no rule; else it raises `NOT_PLAIN`."""
        if self.size is None:
            return _not_plain
        made = self.packers[byteorder] = packer(self, ORDERS[byteorder])
        return made

    def size_of(self, body: Any) -> int:
        if self.size is not None:
            return self.size
        return self.minimum_size + sum(
            field.kind.size_of(getattr(body, field.name)) for field in self.varying
        )

    def check(self, body: Any, checker: Checker) -> None:
        """Report every problem of the values; `checker.pos` is the body's offset and stays so."""
        if self.size is not None:
            self.asked += 1
            if self.asked > _WARM and self.fits(body):
                return
        start, told = checker.pos, len(checker.problems)
        values = _Attributes(body)
        for field in self.fields:
            kind = field.kind
            try:
                value = None if isinstance(kind, Reserved) else getattr(body, field.name)
            except (TypeError, ValueError):  # counts something that has no length: that is reported
                checker.pos += kind.size or 0
                continue
            if kind.checked or checker.thorough:
                checker.path.append(field.name)
                kind.check(value, checker, values)
                checker.path.pop()
            checker.pos += kind.length_of(value)
        checker.pos = start
        if not self.own_check:
            return
        try:
            self.check_own(body, checker)
        except (TypeError, AttributeError):  # of a value of the wrong type, if one was told of
            if len(checker.problems) == told:
                raise

    def fits(self, body: Any) -> bool:
        """Whether it is plain that a body of fixed size breaks no rule, where its class is this one;
        where it is not, `check` has the answer."""
        if self._strict is None:
            self._strict = packer(self, ORDERS["little"], strict=True)
        try:
            self._strict(body)
        except NOT_PLAIN:
            return False
        return True

    def check_own(self, body: Any, checker: Checker) -> None:
        """Report what the class's own `check` says."""
        prefix = "".join(f"{name}." for name in checker.path)
        for problem in body.check():
            at, name = problem.offset, problem.field
            if at is None and name is not None:
                at = self.offset_of(body, name)
            checker.problems.append(
                problem._replace(
                    offset=None if at is None else checker.pos + at,
                    field=None if name is None else prefix + name,
                )
            )

    def offset_of(self, body: Any, name: str) -> int | None:
        """Where a field (or what is inside it) starts, from the start of the body."""
        at = 0
        head = name.partition(".")[0].partition("[")[0]
        for field in self.fields:
            if field.name == head:
                return at
            kind = field.kind
            at += kind.size if kind.size is not None else kind.length_of(getattr(body, field.name))
        return None

    # ------------------------------------------------------------------------------------- JSON

    def to_json(self, body: Any) -> dict[str, Any]:
        return {
            field.name: field.kind.to_json(getattr(body, field.name))
            for field in self.fields
            if not isinstance(field.kind, Reserved)
        }

    def from_json(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise JsonError(f"expected an object with fields, found {value!r:.60}")
        known = [f for f in self.fields if not isinstance(f.kind, Reserved)]
        names = [field.name for field in known]
        errors: list[JsonError] = []
        values: dict[str, Any] = {}
        for field in known:
            try:
                if field.name in value:
                    values[field.name] = field.kind.from_json(value[field.name], values)
                elif isinstance(field.kind, Count):
                    continue
                elif field.default is REQUIRED:
                    raise JsonError("the field is missing")
                else:
                    values[field.name] = field.initial()
            except JsonError as fault:
                errors.append(fault.at(field.name))
                if field.name in self.deciding:  # whatever is said of the rest would be a guess
                    break
        for name in value:
            if name not in names:
                near = suggestion(name, names)
                errors.append(
                    JsonError(f"unknown field {name!r:.60}; known are {', '.join(names)}{near}")
                )
        if errors:
            raise JsonError.of(errors)
        for field in known:
            if isinstance(field.kind, Count) and field.name in values:
                actual = _length(values[field.kind.of])
                if values[field.name] != actual:
                    wrong = JsonError(
                        f"says {values[field.name]}, and `{field.kind.of}` has {actual}"
                    )
                    errors.append(wrong.at(field.name))
                del values[field.name]
        if errors:
            raise JsonError.of(errors)
        return self.body(**values)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a body; see `Kind.schema`."""
        known = [field for field in self.fields if not isinstance(field.kind, Reserved)]
        required = [
            field.name
            for field in known
            if field.default is REQUIRED and not isinstance(field.kind, Count)
        ]
        return {
            "type": "object",
            "properties": {field.name: field.schema() for field in known},
            "required": required,
            "additionalProperties": False,
        }

    # ------------------------------------------------------------------------- everything else

    def example(self, rng: random.Random) -> Any:
        values: dict[str, Any] = {}
        for field in self.fields:
            if not isinstance(field.kind, (Reserved, Count)):
                values[field.name] = field.kind.example(rng, values)
        return self.body(**values)

    def describe(self) -> list[dict[str, Any]]:
        at: int | None = 0
        rows = []
        for field in self.fields:
            rows.append({"offset": at, **field.describe()})
            size = field.kind.size
            at = None if at is None or size is None else at + size
        return rows


class _Attributes(Mapping[str, Any]):
    """A body's attributes as the mapping that kinds ask about their neighbours."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __getitem__(self, name: str) -> Any:
        return getattr(self._body, name)

    def __iter__(self) -> Iterator[str]:
        return iter(type(self._body).__layout__.stored)

    def __len__(self) -> int:
        return len(type(self._body).__layout__.stored)


def _length(value: Any) -> int:
    """What a `count_of` field says of a value: elements, or bytes of a blob or text."""
    return len(value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value)


def _count(name: str) -> property:
    return property(
        lambda body: _length(getattr(body, name)), doc=f"Number of elements of `{name}`."
    )


class _BodyType(type):
    """Turns the declared fields of a class into slots, and compiles them when first needed."""

    __fields__: dict[str, Field]
    __byteorder__: ByteOrder | None
    __trusted_values__: Mapping[str, Collection[int]] | None

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        byteorder: ByteOrder | None = None,
        trusted_values: Mapping[str, Collection[int]] | None = None,
    ) -> Any:
        inherited: dict[str, Field] = {}
        for base in reversed(bases):
            inherited |= getattr(base, "__fields__", {})
        own = {key: f._replace(name=key) for key, f in namespace.items() if isinstance(f, Field)}
        for key, field in own.items():
            if key in inherited or key.startswith("__") or (bases and hasattr(Body, key)):
                raise DeclarationError(f"{name}: `{key}` cannot be the name of a field")
            if isinstance(field.kind, Count):
                namespace[key] = _count(field.kind.of)
            else:
                del namespace[key]
        namespace["__slots__"] = tuple(
            key for key, f in own.items() if not isinstance(f.kind, (Reserved, Count))
        )
        if byteorder is not None and byteorder not in ORDERS:
            raise DeclarationError(f"{name}: byteorder is 'little' or 'big', not {byteorder!r}")
        cls = super().__new__(mcs, name, bases, namespace)
        cls.__fields__ = inherited | own
        cls.__byteorder__ = byteorder or getattr(cls, "__byteorder__", None)
        if trusted_values is not None or "check" in namespace:
            cls.__trusted_values__ = trusted_values
        else:
            cls.__trusted_values__ = getattr(cls, "__trusted_values__", None)
        for key in trusted_values or ():
            kind = cls.__fields__[key].kind if key in cls.__fields__ else None
            if not isinstance(kind, Int) or isinstance(kind, Count):
                raise DeclarationError(
                    f"{name}: `trusted_values` names `{key}`, which is no integer"
                )
        return cls

    def __init__(cls, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args)

    @property
    def __layout__(cls) -> Layout:
        """The compiled layout, made when the class is first used."""
        layout: Layout | None = cls.__dict__.get("_compiled")
        if layout is None:
            layout = cls._compile()
            type.__setattr__(cls, "_compiled", layout)
        return layout

    def _compile(cls) -> Layout:
        """Resolve annotations (an enumeration names an integer's values) and check the whole."""
        hints = cls._hints()
        fields = [f._replace(kind=f.kind.adopt(hints.get(n))) for n, f in cls.__fields__.items()]
        for index, field in enumerate(fields):
            if _takes_the_rest(field.kind) and index + 1 < len(fields):
                raise DeclarationError(
                    f"{cls.__name__}: `{field.name}` takes all bytes that are left,"
                    " so nothing can follow it"
                )
            before = [f for f in fields[:index] if isinstance(f.kind, Count)]
            count = getattr(field.kind, "count", None)
            if isinstance(count, str) and all(f.name != count for f in before):
                raise DeclarationError(
                    f"{cls.__name__}: `{field.name}` is counted by `{count}`, which must be a"
                    " count_of field before it"
                )
            inner = getattr(field.kind, "element", getattr(field.kind, "inner", None))
            if inner is not None and isinstance(getattr(inner, "count", None), str):
                raise DeclarationError(
                    f"{cls.__name__}: what is inside `{field.name}` cannot be counted by"
                    f" `{inner.count}`; give it a body of its own with the count in it"
                )
            if isinstance(field.kind, Array) and _takes_the_rest(field.kind.element):
                raise DeclarationError(
                    f"{cls.__name__}: an element of `{field.name}` takes all bytes that are left,"
                    " so no other can follow it"
                )
            selector = getattr(field.kind, "selector", None)
            if selector is not None and all(f.name != selector for f in fields[:index]):
                raise DeclarationError(
                    f"{cls.__name__}: `{field.name}` is chosen by `{selector}`, which must be a"
                    " field before it"
                )
            if isinstance(field.kind, Count) and field.kind.of not in cls.__fields__:
                raise DeclarationError(
                    f"{cls.__name__}: `{field.name}` counts `{field.kind.of}`, which is no field"
                )
            if isinstance(field.kind, Count):
                counted = cls.__fields__[field.kind.of].kind
                if getattr(counted, "count", None) != field.name:
                    raise DeclarationError(
                        f"{cls.__name__}: `{field.name}` counts `{field.kind.of}`, which must name"
                        f" it as its count"
                    )
        return Layout(typing.cast("type[Body]", cls), fields, cls.__byteorder__)

    def _hints(cls) -> dict[str, Any]:
        hints: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            space = vars(sys.modules.get(base.__module__, typing))
            for name, hint in inspect.get_annotations(base).items():
                if name in cls.__fields__ and isinstance(hint, str):
                    head, *attributes = hint.split(".")
                    if not all(part.isidentifier() for part in [head, *attributes]):
                        continue  # unions and generics name no enumeration
                    hint = space.get(head, getattr(builtins, head, None))
                    for attribute in attributes:
                        hint = getattr(hint, attribute, None)
                    if hint is None:
                        raise DeclarationError(
                            f"{cls.__name__}: the annotation of `{name}` names something that"
                            f" {base.__module__} does not have; define it at module level"
                        )
                hints[name] = hint
        return hints


def _takes_the_rest(kind: Kind) -> bool:
    """Whether decoding a value uses up, or asks for, all bytes that are left."""
    if kind.size is not None:
        return False
    if isinstance(kind, Nested):
        return any(_takes_the_rest(field.kind) for field in kind.layout.fields)
    if isinstance(kind, Optional):
        return kind.lengths is None or _takes_the_rest(kind.inner)
    if isinstance(kind, (Blob, Array)):
        return kind.count is None
    return isinstance(kind, BySize)


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        specifiers.u8, specifiers.u16, specifiers.u32, specifiers.u64,
        specifiers.i8, specifiers.i16, specifiers.i32, specifiers.i64,
        specifiers.count_of, specifiers.blob, specifiers.text, specifiers.bitmap,
        specifiers.nested, specifiers.array, specifiers.optional, specifiers.by_size,
        specifiers.switch,
    ),
)  # fmt: skip
class Body(metaclass=_BodyType):
    """A record's body: fields in the order in which they lie in the image.

    Subclass it and write one line a field: `khz: int = u32(doc="frequency", unit="kHz")`. Values
    are attributes, given as keywords. `class X(Body, byteorder="big")` fixes the byte order for
    formats whose headers do.

    Decoding is lenient: a value that breaks a rule is kept as it is and reported beside the body.
    Override `check` for what one field cannot say, such as two fields that must agree, and
    `summary` for lines that help a reader, such as a date made of seconds and nanoseconds.

    `class X(Body, trusted_values={"kind": range(8)})` says of which values of which fields, all
    taken together, `check` has nothing to say. Runs of records with such values are then proved
    good without asking it.
    """

    __layout__: ClassVar[Layout]
    __trusted_values__: ClassVar[Mapping[str, Collection[int]] | None]

    def __init__(self, /, **values: Any) -> None:
        kind = type(self)
        layout = kind.__layout__
        if fields_alone_make(kind) and "__init__" not in kind.__dict__:
            stored = [layout.by_name[name] for name in layout.stored]
            kind.__init__ = initializer(kind, stored, Body.__init__)  # type: ignore[method-assign]
        for name in layout.stored:
            if name in values:
                value = values.pop(name)
            else:
                value = layout.by_name[name].initial()
                if value is REQUIRED:
                    raise TypeError(f"{kind.__name__} needs `{name}`")
            setattr(self, name, value)
        if values:
            raise TypeError(f"{kind.__name__} has no field {', '.join(values)}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in type(self).__layout__.stored)

    __hash__ = None  # type: ignore[assignment]  # a body can be changed

    def __repr__(self) -> str:
        names = type(self).__layout__.stored
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({values})"

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        values = {name: getattr(self, name) for name in type(self).__layout__.stored}
        return type(self)(**(values | changes))

    # ------------------------------------------------------------------ for authors to override

    def check(self) -> Iterable[Problem]:
        """Problems that no single field can see. A problem's `field` gives its offset."""
        return ()

    def summary(self) -> Mapping[str, str]:
        """Derived facts for people, shown beside the fields and not part of the JSON."""
        return {}

    # ---------------------------------------------------------------------------------- reading

    @classmethod
    def inspect(
        cls, data: bytes | bytearray | memoryview, byteorder: ByteOrder = "little"
    ) -> Decoded[Self]:
        """Decode what can be decoded of `data` (a whole body, without padding) and say what is wrong.

        Never raises for bad bytes. Offsets count from the start of `data`.
        """
        layout: Layout = cls.__dict__.get("_compiled") or cls.__layout__
        known = layout.decoders
        decode = known[byteorder] if byteorder in known else layout.decoder(byteorder)
        if decode is not None:
            try:
                return Decoded(decode(data), (), len(data))
            except ODD:
                pass
        reader = Reader(data, ORDERS[byteorder])
        try:
            body = layout.decode(reader)
        except BodyError as error:
            short = Problem(
                error.rule or "body-too-short",
                error.message,
                error.offset,
                error.field,
                error.expected,
                error.actual,
            )
            return Decoded(None, (*reader.problems, short), reader.pos)
        problems = reader.problems
        if reader.suspect or layout.own_check:
            checker = Checker()
            if reader.suspect:
                layout.check(body, checker)
            else:
                layout.check_own(body, checker)
            told = {(problem.rule, problem.field, problem.offset) for problem in problems}
            problems = problems + [
                problem
                for problem in checker.problems
                if (problem.rule, problem.field, problem.offset) not in told
            ]
            problems.sort(key=_by_offset)
        if reader.pos < reader.end:
            problems = [*problems, _left_over(reader.pos, reader.end)]
        return Decoded(body, tuple(problems), reader.pos)

    @classmethod
    def from_bytes(
        cls,
        data: bytes | bytearray | memoryview,
        byteorder: ByteOrder = "little",
        *,
        rules: Rules = CORE_ONLY,
    ) -> Self:
        """Decode `data`; raise `BodyError` for the first error in it, but not for a warning.

        `rules` has the rules of plugins that the body's `check` may report.
        """
        decoded = cls.inspect(data, byteorder)
        _refuse(decoded.problems, rules)
        assert decoded.body is not None
        return decoded.body

    def problems(self) -> list[Problem]:
        """Everything that is wrong with the values, as `verify` would say it."""
        checker = Checker(thorough=True)
        type(self).__layout__.check(self, checker)
        return sorted(checker.problems, key=_by_offset)

    # ---------------------------------------------------------------------------------- writing

    def to_bytes(
        self, byteorder: ByteOrder = "little", *, check: bool = True, rules: Rules = CORE_ONLY
    ) -> bytes:
        """Return the body's bytes, without padding.

        Raise `BodyError` for a value that breaks a rule, unless that is a warning; with
        `check=False` only for one that does not fit its field. `rules` has the rules of plugins
        that the body's `check` may report.
        """
        kind = type(self)
        layout: Layout = kind.__dict__.get("_compiled") or kind.__layout__
        if check:
            try:
                return (layout.packers.get(byteorder) or layout.packer(byteorder))(self)
            except NOT_PLAIN:  # the way that explains finds what is wrong, if anything is
                pass
        if check and layout.checked:
            checker = Checker()
            layout.check(self, checker)
            _refuse(sorted(checker.problems, key=_by_offset), rules)
        out = bytearray()
        try:
            layout.encode(self, out, ORDERS[byteorder])
        except (struct.error, OverflowError, TypeError, AttributeError, ValueError) as error:
            try:
                _refuse(self.problems(), rules)
            except BodyError as found:
                raise found from error
            raise BodyError(f"{type(self).__name__}: {error}") from error
        return bytes(out)

    def size(self) -> int:
        """How many bytes `to_bytes` gives."""
        return type(self).__layout__.size_of(self)

    @classmethod
    def fixed_size(cls) -> int | None:
        """The size in bytes where it never changes, else None."""
        return cls.__layout__.size

    # ------------------------------------------------------------------------------------- JSON

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON: 64-bit numbers as decimal strings, enumerations by name, bytes in
        hex, bitmaps as lists of positions."""
        return type(self).__layout__.to_json(self)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """The body that `to_json` gave; raises `BodyError` that names the path of the fault.

        Counts may be left out; numbers may also be written in hex strings.
        """
        try:
            body: Self = cls.__layout__.from_json(value)
        except JsonError as error:
            path, fault = next(error.faults())
            raise BodyError(
                f"{path or cls.__name__}: {fault}", field=path or None, rule="field-out-of-range"
            ) from None
        return body

    @classmethod
    def layout(cls) -> list[dict[str, Any]]:
        """The declaration as data: one entry a field with offset, kind, size, doc, unit."""
        return cls.__layout__.describe()

    @classmethod
    def example(cls, rng: random.Random) -> Self:
        """A valid body made up from `rng`, for tests and simulated domains."""
        body: Self = cls.__layout__.example(rng)
        return body


class Empty(Body):
    """A body without any bytes."""


def fields_alone_make(body: type[Body]) -> bool:
    """Whether a body of this class is made by setting its fields, and nothing else."""
    return hasattr(body.__init__, "__fields__")


Body.__init__.__fields__ = ()  # type: ignore[attr-defined]


def _not_plain(body: Body) -> bytes:
    """The packer of bodies whose size varies."""
    raise NotPlain


def _by_offset(problem: Problem) -> tuple[bool, int]:
    """Sorts problems by offset, those of the whole body last."""
    return problem.offset is None, problem.offset or 0


def _left_over(pos: int, end: int) -> Problem:
    return Problem(
        "body-not-consumed",
        f"{end - pos} bytes of the body are left over",
        pos,
        None,
        expected=f"{pos} bytes",
        actual=f"{end} bytes",
    )


def _refuse(problems: Iterable[Problem], rules: Rules) -> None:
    """Raise `BodyError` for the first problem that is an error."""
    for problem in problems:
        errno = rules.refusal(problem)
        if errno is not None:
            raise BodyError(
                problem.message,
                errno=errno,
                rule=problem.rule,
                offset=problem.offset,
                field=problem.field,
                expected=problem.expected,
                actual=problem.actual,
            )
