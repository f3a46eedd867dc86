"""Encode what `decode` gave, edited or not, as the bytes of an image.

* `parse`: text as JSON, with the faults that `json` accepts; `values`: numbers and hex in it, and all faults
* `nodes`: containers and records in order, from a document or from lines
* `containers`: format, byte order and prologue of a container
* `records`: header, body and padding of one record; `batch`: records that are nothing but fields
* `encode`: `encode_image` and `encode_lines`, over all of these

Lengths, counts and padding that are left out are computed. Whether the outcome is a valid image is for
`verify` to judge: a document can describe a broken image, since it can be decoded from one.
"""
