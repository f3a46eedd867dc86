"""Encode what `decode` gave, edited or not, as the bytes of an image.

Everything in a document is checked, and all faults are reported, each with its path. Lengths,
counts and padding that are left out are computed. Whether the outcome is a valid image is for
`verify` to judge: a document can describe a broken image, since it can be decoded from one.
"""
