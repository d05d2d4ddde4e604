"""A display, and a parser of HTML, that the tests share."""

from html.parser import HTMLParser

import numpy as np
import pytest

from sksvs.display import SeparationDisplay
from tests.display.browser import browser, open_page  # noqa: F401
from tests.strategies import SAMPLE_RATE, seeded_noise
from tests.tiny_separators import analysed, tiny_separator


class Elements(HTMLParser):
    """Collects the elements of a page as (tag, attributes), and its text."""

    def __init__(self, html):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of_class(self, name):
        return [a for _, a in self.found if name in (a.get("class") or "").split()]


@pytest.fixture
def make_display():
    """Return a function that makes a display of noise, the mixture of two sources."""

    def make(n_channels=2, seconds=2.0, with_sources=True, **options):
        n_samples = round(seconds * SAMPLE_RATE)
        sources = seeded_noise((2, n_samples, n_channels), 0, 0.1).astype(np.float32)
        sources = sources if n_channels > 1 else sources[..., 0]
        estimates = np.stack([0.9 * sources[0] + 0.1 * sources[1], 1.1 * sources[1]])
        sources_or_none = sources if with_sources else None
        options = {"sample_rate": SAMPLE_RATE, "sources": sources_or_none, **options}
        return SeparationDisplay.from_estimates(sources.sum(axis=0), estimates, **options)

    return make


@pytest.fixture(scope="session")
def trained(tracks):
    """Return a small separator that was trained for two epochs."""
    return tiny_separator(bidirectional=False).fit(*analysed(*tracks))
