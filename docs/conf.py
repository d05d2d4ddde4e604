"""Sphinx settings."""

from pathlib import Path

import sksvs

project = "sksvs"
author = "the sksvs developers"
copyright = "2026, the sksvs developers"
version = release = sksvs.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "templates"]
templates_path = ["templates"]
html_title = "sksvs"
html_theme = "pydata_sphinx_theme"
html_context = {"default_mode": "auto"}  # light or dark, as the browser is
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "show_nav_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}
html_static_path = ["images", "static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False

autosummary_ignore_module_all = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,  # a page that loads scripts from elsewhere
    "default_thumb_file": str(Path(__file__).parent / "images" / "spectrograms.png"),
    "abort_on_example_error": True,
}
