"""The type codes of the made-up images, in the range for private use."""

__all__ = ["BLOB", "CLOCK", "FLAGS", "SMALL", "WIDE"]

SMALL, CLOCK, FLAGS, WIDE, BLOB = range(0x80000001, 0x80000006)
