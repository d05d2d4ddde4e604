import re
from base64 import b64decode

import numpy as np
import pytest

from sksvs.audio import AudioFile
from sksvs.display.player import Stem, minutes, read_asset, render_player
from tests.display.conftest import Elements
from tests.strategies import seeded_noise

BAD = '<b onclick="x">\'&</b><script>'


def stems(n_samples=8000, n_channels=2, names=("mixture", "voice")):
    x = seeded_noise((len(names), n_samples, n_channels), 0, 0.1)
    x = x if n_channels > 1 else x[..., 0]
    return [Stem(name, part, i == 0) for i, (name, part) in enumerate(zip(names, x))]


def test_everything_is_in_the_block():
    html = render_player("song", stems(), 8000)
    for tag, attributes in Elements(html).found:
        for name in ("src", "href", "action", "data", "poster", "srcset", "background"):
            assert attributes.get(name, "data:").startswith("data:"), tag
    styles = read_asset("player.css")
    assert "url(" not in styles and "@import" not in styles
    assert not re.search(r"fetch|XMLHttpRequest|import\(|https?:", read_asset("player.js"))


def test_names_are_escaped_wherever_they_are():
    plain = Elements(render_player("song", stems(), 8000))
    odd = Elements(render_player(BAD, stems(names=("mixture", BAD)), 8000))
    assert [tag for tag, _ in odd.found] == [tag for tag, _ in plain.found]
    assert odd.of_class("sksvs-player")[0]["aria-label"] == f"Player: {BAD}"
    assert odd.of_class("sksvs-stem")[1]["data-name"] == BAD
    assert odd.of_class("sksvs-solo")[1]["aria-label"] == f"Solo {BAD}"


def test_two_players_have_different_identities():
    pages = [Elements(render_player("song", stems(), 8000)) for _ in range(2)]
    assert pages[0].of_class("sksvs-player")[0]["id"] != pages[1].of_class("sksvs-player")[0]["id"]


def test_its_style_applies_to_nothing_else():
    styles = re.sub(r"\{[^{}]*\}", "{}", read_asset("player.css"))
    rules = re.findall(r"[^{}]+(?=\{)", styles)
    assert len(rules) > 15
    for rule in rules:
        assert rule.strip().startswith((".sksvs-player", "@container"))
        for selector in re.sub(r"\([^)]*\)", "", rule).split(","):
            assert selector.strip().startswith((".sksvs-player", "@container")), rule


@pytest.mark.parametrize("rate", [6000, 8000, 22050, 48000, 96000])
@pytest.mark.parametrize("n_channels", [1, 2, 5])
def test_the_audio_is_that_of_the_stems(tmp_path, rate, n_channels):
    time = np.arange(rate) / rate
    sine = 0.5 * np.sin(2 * np.pi * 440 * time)
    sine = sine if n_channels == 1 else np.stack([sine] * n_channels, axis=1)
    page = Elements(render_player("song", [Stem("a", sine, False)], rate))
    (audio,) = (attributes for tag, attributes in page.found if tag == "audio")
    path = tmp_path / "a.mp3"
    path.write_bytes(b64decode(audio["src"].removeprefix("data:audio/mpeg;base64,")))
    file = AudioFile(path)
    assert file.n_channels == min(n_channels, 2) if n_channels < 3 else file.n_channels == 1
    assert file.n_samples / file.sample_rate == pytest.approx(1, abs=0.001)
    heard = file.to_mono()[:]
    own = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / file.sample_rate)
    middle = slice(len(own) // 4, -len(own) // 4)
    assert np.abs(heard - own)[middle].max() < 0.03


def test_scores_have_a_bar_where_they_are_known():
    part = stems()[1]._replace(scores=np.array([5.0, np.nan, -100.0, 12.0]))
    windows = [(0.25 * i, 0.25 * i + 0.25) for i in range(4)]
    page = Elements(render_player("song", [part], 8000, 60.0, windows))
    bars = [attributes for tag, attributes in page.found if tag == "rect"]
    assert [float(bar["x"]) for bar in bars] == [0, 50, 75]
    assert [float(bar["height"]) for bar in bars] == pytest.approx([500 / 32, 62.5, 37.5], abs=0.1)
    assert "median 5.0 dB" in page.text and "from\n-20 to 12 dB" in page.text
    assert "1:00.5: -100.0 dB" in page.text
    unknown = part._replace(scores=np.full(4, np.nan))
    page = Elements(render_player("song", [unknown], 8000, 60.0, windows))
    assert [tag for tag, _ in page.found if tag == "rect"] == []


def test_the_axis_has_the_times_of_the_song():
    page = Elements(render_player("song", stems(80_000), 8000, 61.0))
    assert re.findall(r"\d:\d\d", page.text) == ["1:02", "1:04", "1:06", "1:08", "1:10"]


def test_times_as_text():
    assert [minutes(x) for x in (0, 59.96, 61.5, 3600)] == ["0:00", "1:00", "1:01.5", "60:00"]


def test_one_sample_has_a_player():
    assert "sksvs-stem" in render_player("song", stems(1, 1), 8000)
