"""Settings of Sphinx."""

from importlib import metadata

from tools.site import names

project = "arrayconv"
author = "arrayconv developers"
project_copyright = author
release = metadata.version("arrayconv")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
]
suppress_warnings = ["misc.highlighting_failure"]  # fences of the architecture page are marked for its test
default_role = "autolink"  # `name` in a docstring links to its page if it has one
autodoc_typehints = "none"  # numpydoc's sections have them
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "attrs_block"]

html_theme = "pydata_sphinx_theme"
html_title = "arrayconv"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "show_nav_level": 1,
    "navigation_with_keys": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "article_footer_items": [],
}
html_context = {"default_mode": "auto"}


def escape_asterisks(app, what, name, content, options, lines):
    """Escape the asterisk of ``*size`` in a docstring, which would begin an emphasis."""
    lines[:] = [names.escaped(line) for line in lines]


def setup(app):
    """Connect what Sphinx calls for each docstring, before numpydoc reads it."""
    app.connect("autodoc-process-docstring", escape_asterisks, priority=100)
