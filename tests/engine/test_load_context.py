"""What load handlers may call, what they get, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from support import (
    THIRD,
    end,
    formats,
    image,
    rec,
    start,
)
from word_records import Handler, Noting, Word, WordType, fresh, load, refused, with_handler, word

from domctx_core import (
    Body,
    BufferSource,
    Domain,
    Errno,
    Extent,
    ImageError,
    LoadContext,
    MisuseError,
    PluginError,
    Problem,
    RecordType,
    array,
    load_domain,
    u8,
    verify,
)


def test_a_handler_may_take_its_record_in_pieces() -> None:
    taken: list[Any] = []

    def handler(domain: Domain, context: LoadContext) -> None:
        taken.append(context.begin(0x100))
        taken.append(context.data(2))
        taken.append(context.data(0))
        context.sink(3)
        taken.append(context.extent(4))
        taken.append(context.rest())
        taken.append(context.rest())
        context.end()

    load(fresh(with_handler(handler)), image(rec(0x100, 8, b"ab---wordrest!")))
    extent = taken.pop(3)
    assert isinstance(extent, Extent)
    assert (extent.offset, extent.read()) == (24 + 16 + 5, b"word")
    assert taken == [8, b"ab", b"", b"rest!", b""]


def misuse(handler: Handler) -> MisuseError:
    domain = fresh(with_handler(handler))
    with pytest.raises(MisuseError) as caught:
        load(domain, image(word(5, 1)))
    assert domain.log == []
    error = caught.value
    assert (error.type, error.instance, error.provider) == (0x100, 5, THIRD)
    assert error.errno is Errno.EINVAL
    return error


def _begin_twice(domain: Domain, context: LoadContext) -> None:
    context.begin(0x100)
    context.begin(0x100)


def _negative(domain: Domain, context: LoadContext) -> None:
    context.begin(0x100)
    context.data(-1)


def _end_twice(domain: Domain, context: LoadContext) -> None:
    context.begin(0x100)
    context.rest()
    context.end()
    context.end()


def _pause(domain: Domain, context: LoadContext) -> None:
    domain.pause()


def _unpause(domain: Domain, context: LoadContext) -> None:
    domain.unpause()


MISUSES: dict[str, tuple[Handler, str]] = {
    "another type": (lambda d, c: c.begin(0x101), "another type"),  # type: ignore[dict-item]
    "begin twice": (_begin_twice, "begins its record twice"),
    "data before begin": (lambda d, c: c.data(1), "outside of its record"),  # type: ignore[dict-item]
    "sink before begin": (lambda d, c: c.sink(1), "outside of its record"),
    "end before begin": (lambda d, c: c.end(), "did not begin"),
    "end twice": (_end_twice, "did not begin"),
    "nothing at all": (lambda d, c: None, "did not begin its record"),
    "no end": (lambda d, c: c.begin(0x100), "did not end its record"),  # type: ignore[dict-item]
    "negative size": (_negative, "negative"),
    "pause": (_pause, "must not pause"),
    "unpause": (_unpause, "must not unpause"),
}


@pytest.mark.parametrize("name", MISUSES)
def test_misuse(name: str) -> None:
    handler, message = MISUSES[name]
    assert message in str(misuse(handler))


@pytest.mark.parametrize("action", ["data", "sink", "extent"])
def test_past_the_length_nothing_is_read(action: str) -> None:
    def handler(domain: Domain, context: LoadContext) -> None:
        context.begin(0x100)
        context.data(3)
        log.append("now")
        getattr(context, action)(2)

    log: list[str] = []
    domain = fresh(with_handler(handler))
    with pytest.raises(ImageError) as caught:
        load_domain(domain, Noting(image(word(0, 1)), log), domain.registry)
    assert log[-1] == "now"
    error = caught.value
    assert (error.rule, error.errno, error.offset) == ("body-too-short", Errno.ENODATA, 43)
    assert (error.expected, error.actual) == ("2 bytes", "1 bytes")


def test_what_is_left_of_a_body() -> None:
    def some(ignore: bool) -> Handler:
        def handler(domain: Domain, context: LoadContext) -> None:
            context.begin(0x100)
            context.data(1)
            context.end(ignore_rest=ignore)

        return handler

    error = refused(fresh(with_handler(some(False))), image(word(0, 1)))
    assert (error.rule, error.errno, error.offset) == ("body-not-consumed", Errno.EINVAL, 41)
    assert load(fresh(with_handler(some(True))), image(word(0, 1), word(1, 1))).records == 2


def test_ignored_rests_are_still_framed() -> None:
    class Lax(WordType):
        ignore_rest = True

    domain = fresh(Lax)
    load(domain, image(rec(0x100, 0, b"\5\0\0\0and more"), word(1, 6)))
    assert domain.state[Word] == {0: Word(value=5), 1: Word(value=6)}
    refused(fresh(Lax), start() + rec(0x100, 0, b"\5\0\0\0and more")[:-4])
    assert refused(fresh(Lax), image(rec(0x100, 0, b"\5\0\0"))).rule == "body-too-short"
    bad = start() + rec(0x100, 0, b"\5\0\0\0!")[:-1] + b"x" + end()
    assert refused(fresh(Lax), bad).rule == "padding-not-zero"


def test_a_body_decoded_by_hand_is_located_in_the_file() -> None:
    def handler(domain: Domain, context: LoadContext) -> None:
        context.begin(0x100)
        Word.from_bytes(context.rest(), context.byteorder)
        context.end()

    error = refused(fresh(with_handler(handler)), image(word(0, 1), word(1, 101)))
    assert (error.rule, error.offset, error.record) == ("field-out-of-range", 24 + 24 + 16, 2)


def test_the_cap_limits_what_is_held() -> None:
    class Bytes(Body):
        items: list[int] = array(u8())

    class Held(RecordType[Bytes]):
        code, name, body = 0x100, "HELD", Bytes

    data = image(rec(0x100, 0, bytes(5000)))
    error = refused(fresh(Held), data, cap=4999)
    assert (error.rule, error.errno) == ("length-over-cap", Errno.E2BIG)
    assert load(fresh(Held), data, cap=5000).records == 1


def test_a_judge_with_a_bug() -> None:
    class Judging(WordType):
        def judge(self, instance: int | None, body: Word, receiver: Any) -> Iterable[Problem]:
            raise LookupError("oops")

    with pytest.raises(PluginError, match="WORD raised LookupError") as caught:
        load(fresh(Judging), image(word(0, 1)))
    assert caught.value.provider is THIRD
    verdict = verify(BufferSource(image(word(0, 1))), formats([Judging]))
    assert verdict.needs_plugin
    assert "third-party 2.5" in verdict.findings[0].message
