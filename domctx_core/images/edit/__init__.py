"""Edit: an image of any known format with some things changed and every other byte as it was.

An edit is a list of operations. It gives the outcome as chunks (bytes of its own and ranges of the
input) and a list of what changed; nothing is written here, and guest memory is never held.
"""
