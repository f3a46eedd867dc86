"""Compare two images, record by record and field by field.

* `model`, `changes`: what differs, as data
* `compare`: `diff_images`; `image_pair`: both images, and what their record types answer
* `containers`: containers of one format, joined
* `identity`: what tells records apart; `pairing`: pairs of records that are the same one
* `records`, `bodies`, `bytes`: differences of a pair, field by field or byte by byte
* `parts`: bulk records, page by page
* `equivalents`: records of two formats that hold the same state
"""
