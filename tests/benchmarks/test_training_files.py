"""No packaged network was trained on what it is scored with."""

import re
from pathlib import Path

import pytest

import sksvs
from sksvs.datasets import load_dsd100

LISTS = Path(__file__).parents[2] / "benchmarks" / "training_files"
TEST_SONGS = {
    corpus: (Path(__file__).parent / f"{corpus}_test.txt").read_text(encoding="utf-8").splitlines()
    for corpus in ("musdb18", "dsd100")
}
MIR1K_CLIP = re.compile(r"(?P<singer>[A-Za-z]+)_\d+_\d\d")
MIR1K_DEV = {"abjones_5_08", "abjones_5_09", "amy_9_08", "amy_9_09"}


def training_files(name):
    return (LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def plain(title):
    """Return the letters and digits of a title alone."""
    return re.sub(r"[^a-z0-9]", "", title.lower())


def is_of(path, song):
    """Return whether a file is of a song "Artist - Title", by its title and its artist."""
    artist, title = map(plain, song.split(" - ", 1))
    return title in plain(path) and artist in plain(path)


@pytest.mark.parametrize("corpus", TEST_SONGS)
@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_no_song_of_a_test_set_is_in_the_training_data(name, corpus):
    songs = TEST_SONGS[corpus]
    assert len(set(songs)) == 50
    paths = training_files(name)
    assert not {(path, song) for path in paths for song in songs if is_of(path, song)}


@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_no_song_of_dsd100_at_hand_is_in_the_training_data(name, dsd100_root):
    songs = [n for subset in ("dev", "test") for n in load_dsd100(dsd100_root, subset).names]
    titles = [re.sub(r"^\d+ - ", "", song) for song in songs]
    found = {(p, t) for p in training_files(name) for t in titles if plain(t) in plain(p)}
    assert len(titles) == 5 and not found


@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_clips_of_mir1k_are_of_the_training_singers_and_none_of_dev(name):
    clips = [m for p in training_files(name) if (m := MIR1K_CLIP.fullmatch(Path(p).stem))]
    assert {clip["singer"] for clip in clips} <= {"abjones", "amy"}
    assert not MIR1K_DEV & {clip.group() for clip in clips}


def test_a_song_of_a_test_set_would_be_found():
    assert is_of("songs/Secretariat - Over the Top/vocals.wav", "Secretariat - Over The Top")
    assert MIR1K_CLIP.fullmatch("Ani_1_03")["singer"] == "Ani"
