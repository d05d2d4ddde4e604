"""A browser opens the pages and plays them; it skips where there is no browser to drive."""

import numpy as np
import pytest

from sksvs.audio import write
from sksvs.display import SeparationDisplay, writing_report
from tests.display.browser import cursor
from tests.strategies import SAMPLE_RATE

pytestmark = pytest.mark.slow
SECONDS = 40.0  # more than any test takes


def sines():
    """Return a mixture of three sines of one loudness each, and the sines: the estimates."""
    time = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    estimates = 0.2 * np.sin(2 * np.pi * np.array([[300], [700], [1100]]) * time)
    return estimates.sum(axis=0), estimates


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Return a page with two players, as a notebook that was made a page has them."""
    mixture, estimates = sines()
    names = "voice", "</script><b>band", "drums"
    display = SeparationDisplay.from_estimates(
        mixture, estimates, sample_rate=SAMPLE_RATE, source_names=names, duration=None
    )
    cells = "".join(f"<div class='output'>{display._repr_html_()}</div>" for _ in range(2))
    path = tmp_path_factory.mktemp("notebook") / "notebook.html"
    path.write_text(f"<!DOCTYPE html><meta charset='utf-8'><button>plain</button>{cells}")
    return path


def levels(page, expected):
    """Wait until the stems are as loud as expected, within a tenth; return how loud they are."""
    page.wait_for_timeout(200)
    for _ in range(30):
        found = page.evaluate("loudness()")
        if np.allclose(found, expected, atol=0.02, rtol=0.1):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"The stems are {found} loud, and should be {expected}.")


def press(player, button, stem):
    player.locator(f".sksvs-{button}").nth(stem).click()


def test_stems_play_alone_together_and_as_loud_as_their_sliders_say(open_page, notebook):
    page = open_page(notebook.as_uri())
    player = page.locator(".sksvs-player").first
    player.locator(".sksvs-play").click()
    levels(page, [0, 0.2, 0.2, 0.2])  # the estimates; the mixture would double them
    press(player, "solo", 1)
    levels(page, [0, 0.2, 0, 0])
    press(player, "solo", 0)  # the mixture in place of the voice, although it is muted
    levels(page, [0.55, 0, 0, 0])
    player.locator(".sksvs-solo").nth(3).click(modifiers=["Shift"])
    levels(page, [0.55, 0, 0, 0.2])
    press(player, "solo", 3)
    press(player, "solo", 3)
    levels(page, [0, 0.2, 0.2, 0.2])
    press(player, "mute", 2)
    levels(page, [0, 0.2, 0, 0.2])
    slider = player.locator(".sksvs-gain").nth(1)
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 30 / 36, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    gain = int(slider.input_value())
    assert gain == pytest.approx(-18, abs=2)
    levels(page, [0, 0.2 * 10 ** (gain / 20), 0, 0.2])
    assert player.locator(".sksvs-db").nth(1).inner_text() == f"{gain} dB"


def test_the_cursor_moves_with_the_sound_and_goes_where_one_clicks(open_page, notebook):
    page = open_page(notebook.as_uri())
    player = page.locator(".sksvs-player").first
    play = player.locator(".sksvs-play")
    assert cursor(player) == pytest.approx(0, abs=0.01)
    play.click()
    page.wait_for_function("document.querySelector('.sksvs-seek').value > 0.3")
    assert play.get_attribute("aria-pressed") == "true"
    play.click()
    stopped = cursor(player)
    assert 0.3 / SECONDS < stopped < 1
    assert play.get_attribute("aria-pressed") == "false"
    page.wait_for_timeout(200)
    assert cursor(player) == stopped
    lane = player.locator(".sksvs-lane").nth(2)
    width = lane.bounding_box()["width"]
    lane.click(position={"x": width * 0.75, "y": 20})
    assert cursor(player) == pytest.approx(0.75, abs=0.01)
    assert player.locator(".sksvs-clock").inner_text() == "0:30 / 0:40"
    play.click()
    page.wait_for_function("document.querySelector('.sksvs-seek').value > 30.2")
    lane.click(position={"x": width - 1, "y": 20})  # while it plays
    page.wait_for_function("document.querySelector('.sksvs-play').textContent.includes('Play')")
    assert cursor(player) == pytest.approx(0, abs=0.01)  # at the end it goes to the beginning


def test_the_keyboard_is_enough(open_page, notebook):
    page = open_page(notebook.as_uri())
    player = page.locator(".sksvs-player").first
    page.keyboard.press("Tab")  # the plain button
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.sksvs-seek').value > 0.1")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert cursor(player) == pytest.approx(1, abs=0.01)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    pressed = [button.get_attribute("aria-pressed") for button in player.locator("button").all()]
    assert pressed[:3] == ["false", "true", "true"]  # play, solo and mute of the mixture


def test_one_player_of_a_page_plays_at_a_time_and_names_are_text(open_page, notebook):
    page = open_page(notebook.as_uri())
    first, second = page.locator(".sksvs-player").all()
    first.locator(".sksvs-play").click()
    page.wait_for_function("document.querySelector('.sksvs-seek').value > 0.1")
    second.locator(".sksvs-play").click()
    page.wait_for_function("document.querySelectorAll('.sksvs-seek')[1].value > 0.1")
    states = [p.locator(".sksvs-play").get_attribute("aria-pressed") for p in (first, second)]
    assert states == ["false", "true"]
    assert first.locator(".sksvs-name").all_inner_texts()[2] == "</script><b>band"
    assert page.locator("b").count() == 0
    plain = page.get_by_role("button", name="plain")
    assert plain.evaluate("button => getComputedStyle(button).borderRadius") != "4px"


def test_a_report_plays_from_its_file_in_light_and_dark(open_page, tmp_path):
    mixture, estimates = sines()
    paths = [tmp_path / f"{name}.wav" for name in ("a & b", "vocals", "accompaniment")]
    for path, samples in zip(paths, [mixture, estimates[0], mixture - estimates[0]]):
        write(path, samples, SAMPLE_RATE)
    with writing_report(tmp_path / "report.html", "one song") as report:
        report.add_song(paths[0], paths[1:], ["something to know"])
    page = open_page((tmp_path / "report.html").as_uri())
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours.append(
            page.evaluate(
                "['body', '.sksvs-solo'].map(x =>"
                " getComputedStyle(document.querySelector(x)).color)"
            )
        )
    assert colours[0] == ["rgb(0, 0, 0)"] * 2 and colours[1] == ["rgb(255, 255, 255)"] * 2
    player = page.locator(".sksvs-player")
    player.locator(".sksvs-play").click()
    press(player, "solo", 1)
    levels(page, [0, 0.2, 0])
    assert cursor(player) > 0.001
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_every_stem_can_be_played_by_itself(browser, notebook):
    page = browser.new_page(java_script_enabled=False)
    page.goto(notebook.as_uri())
    assert page.locator("audio").count() == 8
    page.close()
