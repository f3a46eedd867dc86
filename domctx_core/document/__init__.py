"""Convert images to JSON and back, byte for byte; describe the JSON by schemas.

* `vocabulary`: all keys with their schemas, and what all documents have in common
* `view`: what `show --json` prints
* `decode`: an image as a document or as lines; `decode_batch`: many equal records at once
* `text_writer`: a document as text, written while it is read
* `canonical`: the bytes that JSON stands for by itself; what differs from them is kept in hex
* `encode/`: documents to bytes, with a list of all that is wrong in them
* `schema`: the JSON Schemas of documents, lines and record types

Imports `verification`, `reader` and what is below. Used by `cli` and programs. Others build on the keys:
add one, but never rename one or change its meaning.
"""
