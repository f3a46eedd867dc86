"""The core's rules, and the one place that settles the severity and errno of a problem.

`Rule` and `Problem` are explained in problems.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domctx_core.base.errors import DeclarationError, Errno
from domctx_core.base.problems import Problem, Rule, Severity

__all__ = ["CORE_ONLY", "CORE_RULES", "Rules"]


def _rule(
    id: str, severity: Severity, errno: Errno | None, summary: str, meaning: str, advice: str,
    example: str,
) -> tuple[str, Rule]:  # fmt: skip
    return id, Rule(id, severity, errno, summary, meaning, advice, example)


_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE

CORE_RULES: dict[str, Rule] = dict(
    [
        _rule(
            "truncated-header",
            _E,
            Errno.ENODATA,
            "the input ends inside a record header",
            "A record must begin here, and fewer bytes are left than a header has. The file was"
            " cut, or an earlier length sends the reader to the wrong place. Where a format has a"
            " header before its records, that one may be cut too, and the message names it.",
            "Compare the file's size with its origin. If the record before it looks wrong,"
            " check its length first.",
            "a domain context image of 25 bytes: START takes 24, one byte of the next header",
        ),
        _rule(
            "truncated-body",
            _E,
            Errno.ENODATA,
            "the input ends inside a record's body",
            "The header claims more bytes of body than the input has left.",
            "Copy the file again. If it is whole, the length field is damaged: nothing after"
            " it can be trusted.",
            "a TSC_INFO header with length 20, followed by 7 bytes and the end of the file",
        ),
        _rule(
            "truncated-padding",
            _E,
            Errno.ENODATA,
            "the input ends inside the padding after a body",
            "A body is followed by zeros up to the next multiple of 8; some are missing.",
            "Usually the writer forgot the padding of the last record, or the file was cut.",
            "a TSC_INFO body of 20 bytes with 1 byte of padding instead of 4",
        ),
        _rule(
            "length-overflow",
            _E,
            Errno.ENODATA,
            "a length that no file can have",
            "Header, body and padding together would end beyond 2**64: the length field is"
            " damaged, or the input was made to test the reader.",
            "Treat the image as damaged from this record on.",
            "a record with length 0xffffffffffffffff",
        ),
        _rule(
            "length-over-cap",
            _E,
            Errno.E2BIG,
            "a body is larger than what may be held in memory",
            "The framing is sound, but decoding this body means holding it, and it is larger"
            " than the cap (128 MiB by default). It is only a note for another program's state,"
            " which no rule covers.",
            "Raise the cap (--cap) if you trust the file; or look at the other records: this"
            " one is skipped without harm.",
            "a SHARED_INFO record of 6 GiB",
        ),
        _rule(
            "first-not-start",
            _E,
            Errno.EINVAL,
            "the image does not begin with START",
            "START carries the format's version and shows the byte order; without it in first"
            " place the rest has no meaning that can be relied on. Other formats begin with a"
            " record type of their own, such as HEADER, and the message names it.",
            "Check that the file is a domain context image and not cut at the front. An xl save file or"
            " a migration stream is not one: `domctx save stream:FILE -o IMAGE` makes an image of it.",
            "an image whose first header has type 2",
        ),
        _rule(
            "start-repeated",
            _E,
            Errno.EINVAL,
            "START appears twice in the image",
            "There is one START, the first record. Two images were joined, or a record's type"
            " is damaged. The same goes for the first record of other formats.",
            "Split the file at this offset and look at both halves.",
            "two images written one after the other without the first one's END",
        ),
        _rule(
            "start-instance",
            _E,
            Errno.EINVAL,
            "START's instance is not 0",
            "There is one START, so its instance is 0.",
            "The header is damaged or was written by something else.",
            "START with instance 1",
        ),
        _rule(
            "end-instance",
            _E,
            Errno.EINVAL,
            "END's instance is not 0",
            "There is one END, so its instance is 0.",
            "The header is damaged, or these zeros are not a header at all: check the padding"
            " of the record before.",
            "END with instance 1",
        ),
        _rule(
            "end-length",
            _E,
            Errno.EINVAL,
            "END has a body",
            "END consists of a header only; its length is 0.",
            "Often the reader took zeros of a longer padding for END: check the record before.",
            "END with length 8",
        ),
        _rule(
            "end-missing",
            _E,
            Errno.ENODATA,
            "the input ends without END",
            "Every record so far is whole, but more may be missing: the saver"
            " stopped half way, or the file was cut at a record's end. The same goes for a"
            " container that is suspended, as CHECKPOINT does to a libxc stream, and not resumed.",
            "Save again. A save that fails writes no END on purpose.",
            "an image with START and TSC_INFO only",
        ),
        _rule(
            "not-suspended",
            _E,
            Errno.EINVAL,
            "a record resumes a container that is not suspended",
            "The record hands over to a container that stopped earlier, and there is none: it was"
            " never begun, never suspended, or has ended. The records after it are read as those"
            " of the outer container.",
            "Look at the records before it: the one that suspends is missing or comes too late.",
            "CHECKPOINT_END in a libxl stream whose libxc stream has no CHECKPOINT",
        ),
        _rule(
            "trailing-bytes",
            _W,
            None,
            "bytes follow after END",
            "END terminates the image and nothing after it is read. `load` ignores such bytes.",
            "Harmless if the file was padded by its carrier (xl adds a hand-shake to a live"
            " stream); otherwise see whether a second image follows.",
            "44 bytes of text after END",
        ),
        _rule(
            "unknown-type",
            _E,
            Errno.EINVAL,
            "no known record type has this type code",
            "Neither domctx nor an installed plugin declares the code. A restorer must refuse"
            " it, since skipping a record would lose state.",
            "Ask the image's producer which plugin defines it, and install that; `domctx"
            " types` lists the known types.",
            "a record of type 0x40",
        ),
        _rule(
            "no-handler",
            _N,
            None,
            "the record can be read but not loaded",
            "Its record type is known here and can be shown, but its plugin offers no load"
            " handler, so `load` would refuse the image.",
            "Remove the record with `domctx edit --drop`, or install a plugin that loads it.",
            "a record type that is declared for inspection only",
        ),
        _rule(
            "body-too-short",
            _E,
            Errno.ENODATA,
            "a body ends before its last field",
            "The record's length is smaller than its record type needs. Nothing is filled up"
            " with zeros: a short body is refused.",
            "Compare the plugin's version with the saver's; a field may have been added.",
            "TSC_INFO with length 16",
        ),
        _rule(
            "body-not-consumed",
            _E,
            Errno.EINVAL,
            "a body is longer than its record type",
            "Bytes are left in the body that no field describes. The seed's engine lost its"
            " place here; domctx refuses.",
            "Compare the plugin's version with the saver's; a newer saver may write more.",
            "TSC_INFO with length 28",
        ),
        _rule(
            "padding-not-zero",
            _E,
            Errno.EINVAL,
            "padding after a body is not zero",
            "Padding is written as zeros and checked on load. In a format whose readers may ignore"
            " it, it is a warning.",
            "Often a length that is too small: the bytes belong to the body.",
            "TSC_INFO (20 bytes) followed by 00 00 80 00",
        ),
        _rule(
            "instance-not-allowed",
            _E,
            Errno.ENXIO,
            "a record has an instance that its type does not allow",
            "The type exists once per domain (instance 0), or has fewer instances than this.",
            "Check how the saver numbers its records.",
            "SHARED_INFO with instance 1",
        ),
        _rule(
            "duplicate-record",
            _E,
            Errno.EEXIST,
            "type and instance appear twice",
            "The seed's engine let the last one win, silently. domctx refuses: one of the two"
            " is wrong.",
            "`domctx show --type` prints both; `domctx edit --drop` removes one.",
            "two EVENT_CHANNEL records of port 3",
        ),
        _rule(
            "order-not-ascending",
            _W,
            None,
            "record types do not ascend",
            "A saver writes types in ascending order, so that what depends on another comes"
            " after it. Loading goes by the image's order and may still succeed.",
            "If the load fails, reorder the image.",
            "EVENT_CHANNEL before EVTCHN_ABI",
        ),
        _rule(
            "newer-version",
            _N,
            Errno.EOPNOTSUPP,
            "the image was written by a newer Xen than the target",
            "An older Xen cannot know the newer one's record types. It is a note unless"
            " --target-xen names the target; then it is an error.",
            "Restore on a Xen at least as new; or allow it with --allow-newer if you know that"
            " no record changed.",
            "an image of Xen 4.17 checked with --target-xen 4.15",
        ),
        _rule(
            "reserved-not-zero",
            _E,
            Errno.EINVAL,
            "reserved bytes or unknown flag bits are not zero",
            "Reserved bytes and bits are written as zero and checked on load: a later version"
            " may give them a meaning that this reader would ignore.",
            "The image may come from a newer version of the record's definition.",
            "SHARED_INFO with flags 0x80000000",
        ),
        _rule(
            "field-out-of-range",
            _E,
            Errno.EINVAL,
            "a field has an invalid value",
            "The value is outside the field's range, is not a member of its enumeration, or"
            " disagrees with another field of the same body.",
            "The message names the field and what is expected.",
            "TSC_INFO with mode 3",
        ),
        _rule(
            "needs-plugin",
            _E,
            Errno.EINVAL,
            "the plugin that knows this record type cannot be used",
            "The type code is in the index, but its plugin is disabled, failed to import, does"
            " not fit this version, or is in conflict with another.",
            "`domctx plugins list` shows its status and the reason.",
            "EVENT_CHANNEL with `-p no:domctx-plugin-event-channel`",
        ),
        _rule(
            "limit",
            _E,
            Errno.E2BIG,
            "a limit of the reader was reached",
            "Containers are nested deeper, or there are more findings, than domctx processes."
            " The limit stops inputs that were made to exhaust the reader.",
            "Look at the outermost container first.",
            "a libxl stream nested in itself a hundred times",
        ),
    ]
)
"""The core's rules by id; those of plugins have ids that begin with the plugin's name and a slash."""


class Rules:
    """Declared rules by id: the core's, those that were brought, and what `beyond` finds.

    The one place that settles the severity and the errno of a problem. The core's rules cannot be
    replaced; of two rules of one id the first counts.
    """

    __slots__ = ("_beyond", "_brought")

    def __init__(
        self, brought: Iterable[Rule] = (), beyond: Callable[[str], Rule | None] | None = None
    ) -> None:
        self._brought: dict[str, Rule] = {}
        for rule in brought:
            self._brought.setdefault(rule.id, rule)
        self._beyond = beyond

    def get(self, id: str) -> Rule | None:
        """Return the rule of that id; None if it is not declared."""
        rule = CORE_RULES.get(id) or self._brought.get(id)
        if rule is None and self._beyond is not None:
            rule = self._beyond(id)
            if rule is not None:
                self._brought[id] = rule
        return rule

    def find(self, id: str) -> Rule:
        """Return the rule of that id; raise `DeclarationError` if it is not declared."""
        rule = self.get(id)
        if rule is None:
            raise DeclarationError(f"the rule {id!r} is reported but not declared")
        return rule

    def settle(self, problem: Problem) -> tuple[Severity, Errno | None]:
        """Return severity and errno of a problem: its own, or else those of its rule.

        A problem of a rule that is not declared is an error.
        """
        rule = self.get(problem.rule)
        if rule is None:
            return problem.severity or Severity.ERROR, problem.errno
        return problem.severity or rule.severity, problem.errno or rule.errno

    def refusal(self, problem: Problem) -> Errno | None:
        """Return the errno to refuse a problem with; None if it is a warning or a note."""
        severity, errno = self.settle(problem)
        return (errno or Errno.EINVAL) if severity is Severity.ERROR else None


CORE_ONLY = Rules()
"""The rules to settle problems by where no plugin's are known."""
