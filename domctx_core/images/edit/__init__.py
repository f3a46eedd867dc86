"""Edit an image of any known format: change some things and keep every other byte.

* `operations`: what can be done, as data; `outcome`: the result, as chunks and changes
* `editor`: `edit_image`; `drafts`: the tree with what is done to it
* `selection`: the records that a user means
* `setting`, `fields`: fields set; `rearranging`: records inserted, dropped and moved
* `assembler`: drafts to chunks; `change_log`: the changes, with their places

Nothing is written here, and guest memory is never held: chunks are bytes of their own or ranges of the input.
"""
