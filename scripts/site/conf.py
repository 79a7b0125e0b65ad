"""Sphinx's settings for `make docs`. Warnings are errors there: links to pages and headings are checked."""

project = "smoothtopk"
html_title = "smoothtopk"
extensions = ["myst_nb", "sphinx_copybutton"]
# As they are stored: a test runs them.
nb_execution_mode = "off"
myst_enable_extensions = ["smartquotes", "strikethrough"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
pygments_style = "friendly"
