"""A browser without a window, for the tests that open pages and play them."""

import shutil

import pytest

NAMES = "chromium", "chromium-browser", "google-chrome"
ARGUMENTS = "--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"
# Every gain is measured where it leads out: the loudest sample of the last 46 ms.
MEASURE_GAINS = """
window.meters = [];
const createGain = BaseAudioContext.prototype.createGain;
BaseAudioContext.prototype.createGain = function () {
  const gain = createGain.call(this), meter = this.createAnalyser();
  gain.connect(meter);
  meters.push(meter);
  return gain;
};
window.loudness = () => meters.map((meter) => {
  const samples = new Float32Array(meter.fftSize);
  meter.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs));
});
"""


@pytest.fixture(scope="module")
def browser():
    """Return a browser; skip where there is none, or nothing to drive it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser is installed: {', '.join(NAMES)}")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser):
    """Return a function that opens a page; errors and requests to elsewhere fail the test.

    `home` is where its requests may go, by default to the page alone.
    """
    problems = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(MEASURE_GAINS)
    page.on("console", lambda m: m.type in ("error", "warning") and problems.append(m.text))
    page.on("pageerror", lambda error: problems.append(str(error)))

    def opened(url, home=None):
        local = home or url, "data:", "blob:"
        page.on("request", lambda r: None if r.url.startswith(local) else problems.append(r.url))
        page.goto(url)
        return page

    yield opened
    page.close()
    assert problems == [], problems  # which pytest shows in test modules alone


def cursor(player):
    """Return where the cursor is, as a share of the spectrogram."""
    return player.locator(".sksvs-lane").first.evaluate(
        "lane => { const box = lane.getBoundingClientRect(), line ="
        " lane.querySelector('.sksvs-cursor').getBoundingClientRect();"
        " return (line.x + line.width / 2 - box.x) / box.width }"
    )
