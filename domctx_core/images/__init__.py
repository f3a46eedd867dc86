"""Handle images as objects: `tree` reads one, `diff` compares two, `edit` makes an edited copy.

Nothing here writes a file, and guest memory is never held.
"""
