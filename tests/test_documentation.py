"""The HTML of estimators links to their pages."""

import re
from inspect import isabstract
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator

import sksvs
from sksvs import effects, estimators, transforms
from sksvs.augmentation import Augmentation
from sksvs.documentation import DOCS
from sksvs.estimators import GRUMaskSeparator
from tests.tiny_separators import analysed, tiny_separator

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference" / "index.rst").read_text()
LISTED = set(re.findall(r"^ +(sksvs\.[\w.]+)$", REFERENCE, re.M))
PUBLIC = [
    kind
    for module in (estimators, transforms)
    for name in module.__all__
    if isinstance(kind := getattr(module, name), type)
    and issubclass(kind, BaseEstimator)
    and not isabstract(kind)
]


@pytest.mark.parametrize("kind", [*PUBLIC, Augmentation])
def test_every_estimator_links_to_its_page_of_the_reference(kind):
    page = kind.__new__(kind)._get_doc_link().removeprefix(f"{DOCS}/reference/generated/")
    name = page.removesuffix(".html")
    module, _, own = name.rpartition(".")
    assert getattr(__import__(module, fromlist=[own]), own) is kind
    assert name in LISTED


PACKAGES = [effects, *(getattr(sksvs, name) for name in sksvs._SUBPACKAGES)]
SUBPACKAGES = [module for module in PACKAGES if hasattr(module, "__all__")]
AT_THE_TOP = {"export_onnx", "load", "pretrained", "pretrained_names", "save", "with_balance"}


def test_the_reference_has_every_public_class_and_function():
    public = {f"sksvs.{name}" for name in sksvs._LAZY_EXPORTS} | {"sksvs.augmentation.Augmentation"}
    for module in SUBPACKAGES:
        names = {name for name in module.__all__ if not name.isupper()} - AT_THE_TOP
        public |= {f"{module.__name__}.{name}" for name in names}
    assert public == LISTED


def test_an_estimator_of_another_package_has_no_link():
    class Own(GRUMaskSeparator):
        __module__ = "elsewhere"

    assert Own()._get_doc_link() == ""


def test_a_notebook_shows_the_link_and_fitted_attributes_in_a_few_words(tracks):
    html = tiny_separator(max_iter=1).fit(*analysed(*tracks))._repr_html_()
    assert f"{DOCS}/reference/generated/sksvs.estimators.GRUMaskSeparator.html" in html
    cells = [re.sub("<[^>]*>", "", cell) for cell in re.findall("<td>.*?</td>", html, re.S)]
    assert max(map(len, cells)) < 300
