"""Edit an image of any known format: change some things and keep every other byte.

`editor` applies `operations` to drafts of the containers and records that `selection` finds: `setting`
sets fields, `rearranging` moves records. `assembler` turns the drafts into chunks (bytes of its own and
ranges of the input), `outcome` is the result. Nothing is written here.
"""
