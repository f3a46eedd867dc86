"""Images as objects: the tree of an image, the difference of two, an edited copy of one."""
