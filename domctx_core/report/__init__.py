"""Render an image as one HTML page, readable without network or script.

* `plan`: what of an image is in the page, and how fully
* `model`: `Report`, the page as data; `blocks`, `cards`: its parts, each made when the page comes to it
* `fields`, `dump`: fields beside their bytes
* `bands`, `graphs`: where the shapes of its pictures are
* `comparison`: a second image beside the first
* `page`: `render_report`, which fills in the templates; the only use of jinja2

Imports `images` and what is below. Used by `cli`, and by programs that show objects in a notebook. All text
is escaped by the templates; no module but `page` knows HTML.
"""
