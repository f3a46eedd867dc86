"""The ground: errors, rules and problems, text for messages, files, versions of Xen.

Every other room may use it. It imports nothing of domctx but itself, and knows nothing of
images, plugins or the command line.
"""
