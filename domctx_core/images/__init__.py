"""Read an image as a tree, compare two of them, and edit one.

* `tree`: `read_image`, containers and records with their places in the input
* `diff/`: what differs in two images, record by record and field by field
* `edit/`: a changed copy of an image, in which all other bytes stay as they are
* `moves`: orders by dependence, and which records have moved, for both

Imports `verification`, `reader` and what is below. Used by `report`, `cli` and programs. A tree holds no
bodies: they are read from the input when they are looked at, and guest memory never as a whole.
"""
