import numpy as np
import pytest

from sksvs.audio import write
from sksvs.display import writing_report
from sksvs.estimators import VotingSeparator
from tests.display.conftest import Elements
from tests.separation.conftest import make_song, tiny_pipeline
from tests.strategies import SAMPLE_RATE, seeded_noise
from tests.tiny_separators import tiny_separator


def reported(folder, song, stems, *facts):
    with writing_report(folder / "report.html", "a title") as report:
        report.add_song(song, stems, *facts)
    return Elements((folder / "report.html").read_text())


def song_and_stems(folder, shape=(20_000, 2)):
    (folder / "a #b").mkdir()
    names = "song.wav", "a #b/vocals.wav", "a #b/drums.wav"
    return [make_song(folder / name, shape, seed=i) for i, name in enumerate(names)]


def test_a_song_has_a_player_its_levels_and_links_to_its_stems(tmp_path):
    song, *stems = song_and_stems(tmp_path)
    page = reported(tmp_path, song, stems, ["it is <b>cut</b> short"])
    rows = [row["data-name"] for row in page.of_class("sksvs-stem")]
    assert rows == ["mixture", "vocals", "drums"]
    links = [attributes["href"] for tag, attributes in page.found if tag == "a"]
    assert links == ["a%20%23b/vocals.wav", "a%20%23b/drums.wav"]
    assert "it is <b>cut</b> short" in page.text
    # Noise of standard deviation 0.1 has an RMS of -20 dB.
    assert page.text.count("-20.0") + page.text.count("-19.9") == 3
    assert list(page.of_class("warning")) == [{"class": "warning"}]


@pytest.mark.parametrize("ending", ["opus", "mp3", "ogg"])
def test_stems_of_another_sample_rate_and_length_are_shown_in_step(tmp_path, ending):
    song = make_song(tmp_path / "song.wav", (22_050, 2))
    write(song, seeded_noise((22_050, 2), 0, 0.1), 22050)
    stem = tmp_path / f"vocals.{ending}"
    write(stem, seeded_noise((22_050, 2), 1, 0.1), 22050)
    page = reported(tmp_path, song, [stem])
    (player,) = page.of_class("sksvs-player")
    assert float(player["data-duration"]) == pytest.approx(1, abs=0.05)


def test_what_is_wrong_with_a_song_is_said(tmp_path):
    noise = seeded_noise(30_000, 0)
    song, stem = tmp_path / "song.wav", tmp_path / "vocals.wav"
    write(song, np.clip(np.stack([2 * noise, -noise], axis=1), -1, 1), SAMPLE_RATE, "PCM_16")
    write(stem, noise / 10, SAMPLE_RATE)
    text = reported(tmp_path, song, [stem]).text
    assert "The song is clipped: a channel stays at full scale" in text
    assert "The channels are out of phase" in text


def test_where_the_networks_of_a_vote_disagree_most_is_said(tmp_path):
    members = [(n, tiny_separator(max_iter=1, random_state=i)) for i, n in enumerate("ab")]
    song, stem = song_and_stems(tmp_path, (SAMPLE_RATE * 12,))[:2]
    voting = tiny_pipeline(last=VotingSeparator(members))
    text = reported(tmp_path, song, [stem], (), voting).text
    assert "The separators that vote disagree most on the voice in the 5 s from 0:0" in text
    alone = tiny_pipeline(last=tiny_separator(max_iter=1))
    assert "disagree" not in reported(tmp_path, song, [stem], (), alone).text


def test_a_report_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "report.html"
    with pytest.raises(KeyboardInterrupt), writing_report(path, "a title") as report:
        report.add_failure("song.wav", "it is <empty>")
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []
    with writing_report(path, "<title>") as report:
        report.add_failure("caf\udce9.wav", "it is <empty>")
        assert not path.exists()
    page = Elements(path.read_text())
    assert "it is <empty>" in page.text and "<title>" in page.text
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
