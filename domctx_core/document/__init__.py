"""Convert an image to JSON and back, byte for byte, and describe that JSON by a schema.

`vocabulary` has the keys. `decode` makes documents, many equal records at a time where it can
(`decode_batch`); `encode` reads them; `view` is what `show` prints, and `text_writer` writes the text
of both. `canonical` encodes what JSON alone gives, which decides what must be kept in hex beside it.
"""
