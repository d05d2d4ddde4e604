"""Sphinx settings."""

import sksvs

project = "sksvs"
author = "the sksvs developers"
copyright = "2026, the sksvs developers"
version = release = sksvs.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Singing voice separation as scikit-learn estimators",
    "page_width": "1080px",
    "fixed_sidebar": True,
}
html_static_path = ["images"]
html_show_sourcelink = False

autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"plot_",
    "download_all_examples": False,
    "show_memory": False,
    "abort_on_example_error": True,
}
