"""Compare two images, record by record and field by field.

`compare` pairs their containers, `pairing` the records of two containers.
`records`, `bodies` and `bytes` compare ever smaller parts of them, `parts` guest memory page by page,
`equivalents` records of different formats. `model` and `changes` are the result.
"""
