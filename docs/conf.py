"""The documentation's build: `make docs`, with warnings as errors."""

from domctx_core._version import __version__

project = "domctx"
author = "the domctx maintainers"
copyright = "2026, the domctx maintainers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"domctx {__version__}"

# Docstrings are read in an editor far more often than here, so they mark code with one backtick.
default_role = "literal"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_use_legacy_class_based = False


def _skip(app, what, name, obj, skip, options):
    """Leave out what a tuple's fields say of themselves, which is their number."""
    return skip or (obj.__doc__ or "").startswith("Alias for field number")


def setup(app):
    app.connect("autodoc-skip-member", _skip)
