"""A browser opens the built documentation; it skips where that is not built with its gallery."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.display.browser import cursor

BUILT = Path(__file__).parents[2] / "docs" / "_build" / "html"
GALLERY = BUILT / "auto_examples"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def players():
    """Return the pages of the gallery that hold players, or skip."""
    pages = [
        page for page in sorted(GALLERY.glob("plot_*.html")) if "sksvs-play" in page.read_text()
    ]
    if not pages:
        pytest.skip(f"{GALLERY} holds no page with a player: run `make docs` first")
    return pages


class Quiet(SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/favicon.ico":  # which browsers ask for, of any site
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """Return the address of a server of the documentation."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=BUILT)) as opened:
        threading.Thread(target=opened.serve_forever).start()
        yield f"http://127.0.0.1:{opened.server_port}/"
        opened.shutdown()


@pytest.mark.parametrize("name", ["see_and_hear", "what_scores_sound_like", "four_stems"])
def test_the_player_of_an_example_plays_from_its_file(open_page, players, name):
    path = GALLERY / f"plot_{name}.html"
    assert path in players
    page = open_page(path.as_uri(), BUILT.as_uri())
    player = page.locator(".sksvs-player").first
    player.locator(".sksvs-play").click()
    page.wait_for_function("document.querySelector('.sksvs-seek').value > 0.3")
    assert max(page.evaluate("loudness()")) > 0.001
    player.locator(".sksvs-play").click()
    assert 0.01 < cursor(player) < 1


def test_pages_fit_into_their_width_in_light_and_dark(open_page, players):
    for path in [*BUILT.glob("*.html"), *GALLERY.glob("*.html")]:
        page = open_page(path.as_uri(), BUILT.as_uri())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
        cut = page.evaluate(
            "[...document.querySelectorAll('div.highlight pre')]"
            ".filter(block => block.scrollWidth > block.clientWidth + 1).length"
        )
        assert cut == 0, path.name


def test_the_search_finds_a_class(open_page, players, server):
    page = open_page(f"{server}search.html?q=IdealMaskOracle", server)
    page.wait_for_selector("#search-results li a")
    links = [link.get_attribute("href") for link in page.locator("#search-results li a").all()]
    assert any("sksvs.estimators.IdealMaskOracle.html" in link for link in links)
