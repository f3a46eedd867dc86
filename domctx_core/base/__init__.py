"""The ground: errors, rules and problems, text for messages, files, versions of Xen. Knows nothing of images."""
