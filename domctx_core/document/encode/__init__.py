"""Encode: what `decode` gave, edited or not, as the bytes of an image.

Everything that a document says is checked, and all faults are told, each with its place. Lengths,
counts and padding that are left out are computed. Whether the outcome makes sense as an image is
for `verify` to say: a document can describe a broken image, since it can be made of one.
"""
