"""Edit an image of any known format: change some things and keep every other byte.

An edit is a list of operations. Its result is the outcome as chunks (bytes of its own and ranges of
the input) and a list of what changed; nothing is written here, and guest memory is never held.
"""
