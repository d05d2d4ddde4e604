import re

import numpy as np
import pytest

from sksvs.audio import AudioFile, write
from sksvs.datasets import load_stems
from tests.strategies import leave_system_files, seeded_noise

RATE = 8000


def write_stems(folder, *names, n=400, rate=RATE, **stereo):
    """Write a file of noise for every name; return the samples by name, without the ending."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name in names:
        n_channels = stereo.get(name.partition(".")[0], 1)
        shape = (n,) if n_channels == 1 else (n, n_channels)
        samples = seeded_noise(shape, seed=len(written) + len(folder.name), scale=0.1)
        write(folder / name, samples, rate)
        written[name.rpartition(".")[0]] = np.asarray(AudioFile(folder / name)[:])
    return written


def test_what_is_not_the_voice_is_the_accompaniment(tmp_path):
    stems = write_stems(tmp_path / "A song", "vocals.wav", "Bass.flac", "guitar 2.wav")
    data = load_stems(tmp_path)
    assert (data.names, data.groups) == (["A song"], ["A song"])
    assert data.y[0].source_names == ("vocals", "accompaniment")
    np.testing.assert_allclose(data.y[0][0], stems["vocals"], atol=1e-6)
    np.testing.assert_allclose(data.y[0][1], stems["Bass"] + stems["guitar 2"], atol=1e-6)
    np.testing.assert_allclose(data.X[0], sum(stems.values()), atol=1e-6)
    assert data.duration == pytest.approx(400 / RATE)


def test_a_mixture_and_an_accompaniment_are_read_where_there_are_files_of_them(tmp_path):
    names = ["VOX.wav", "instrumental.wav", "mix.wav", "bass.wav"]
    stems = write_stems(tmp_path / "song", *names)
    X, y = load_stems(tmp_path, return_X_y=True)
    np.testing.assert_allclose(X[0], stems["mix"], atol=1e-6)
    np.testing.assert_allclose(y[0], [stems["VOX"], stems["instrumental"]], atol=1e-6)


def test_any_sources_can_be_named_and_files_be_called_anything(tmp_path):
    stems = write_stems(tmp_path / "song", "lead.wav", "choir 1.wav", "playback.wav")
    aliases = {"choir": ["choir 1"], "band": "PLAYBACK"}
    data = load_stems(tmp_path, ["choir", "lead", "band"], aliases=aliases)
    assert data.y[0].source_names == ("choir", "lead", "band")
    expected = [stems[name] for name in ("choir 1", "lead", "playback")]
    np.testing.assert_allclose(data.y[0], expected, atol=1e-6)
    np.testing.assert_allclose(data.X[0], sum(expected), atol=1e-6)


def test_mono_stems_are_the_same_in_all_channels_of_a_song_that_has_some(tmp_path):
    stems = write_stems(tmp_path / "song", "vocals.wav", "bass.wav", "other.wav", other=2)
    [x], [y] = load_stems(tmp_path, return_X_y=True)
    assert (x.shape, y.shape) == ((400, 2), (2, 400, 2))
    np.testing.assert_allclose(y[0], np.stack([stems["vocals"]] * 2, axis=1), atol=1e-6)
    np.testing.assert_allclose(y[1], stems["bass"][:, None] + stems["other"], atol=1e-6)


@pytest.mark.parametrize(
    ("folder", "artist"),
    [
        ("Anna - A Song", "Anna"),
        ("051 - Anna - A - Song", "Anna"),
        ("Anna - A - Song", "Anna"),
        ("A Song", "A Song"),
        ("Anna/A Song", "Anna"),
        ("pop/Anna - A Song", "Anna"),
    ],
)
def test_groups_are_the_artists_that_folders_name(tmp_path, folder, artist):
    write_stems(tmp_path / folder, "vocals.wav", "other.wav")
    data = load_stems(tmp_path)
    assert (data.names, data.groups) == ([folder], [artist])


def test_a_folder_that_is_itself_a_song_is_one(tmp_path):
    write_stems(tmp_path / "My song", "vocals.wav", "other.wav")
    assert load_stems(tmp_path / "My song").names == ["My song"]


def test_loading_reads_no_samples(tmp_path, monkeypatch):
    write_stems(tmp_path / "song", "vocals.wav", "other.wav")
    monkeypatch.setattr(AudioFile, "_read", None)
    assert len(load_stems(tmp_path).X) == 1


def test_other_folders_and_what_systems_leave_are_passed_over(tmp_path):
    write_stems(tmp_path / "song", "vocals.wav", "other.wav")
    write_stems(tmp_path / "drafts", "take 1.wav", "take 2.wav")
    leave_system_files(tmp_path / "song", "._vocals.wav")
    leave_system_files(tmp_path)
    assert load_stems(tmp_path).names == ["song"]


@pytest.fixture
def incomplete(tmp_path):
    write_stems(tmp_path / "a", "vocals.wav", "other.wav")
    write_stems(tmp_path / "no band", "vocals.wav")
    write_stems(tmp_path / "other rate", "vocals.wav")
    write_stems(tmp_path / "other rate", "bass.wav", rate=4000)
    write_stems(tmp_path / "shorter", "vocals.wav", "bass.wav")
    write_stems(tmp_path / "shorter", "mixture.wav", n=399)
    write_stems(tmp_path / "twice", "vocals.wav", "voice.wav", "other.wav")
    write_stems(tmp_path / "no audio", "vocals.wav", "other.wav")
    (tmp_path / "no audio" / "other.wav").write_bytes(b"nothing")
    return tmp_path


REASONS = {
    "no band": r"no band lacks accompaniment: it holds vocals\.wav",
    "other rate": r"bass\.wav has a sample rate of 4000 Hz, but .*vocals\.wav has 8000 Hz",
    "shorter": r"vocals\.wav has shape \(400,\), but .*mixture\.wav has \(399,\)",
    "twice": r"twice has several files for vocals: vocals\.wav, voice\.wav\. Keep one",
    "no audio": r"no audio/other\.wav",
}


def test_incomplete_songs_are_named_and_left_out(incomplete):
    with pytest.warns(UserWarning, match=r"5 of 6 songs are left out: ") as caught:
        assert load_stems(incomplete).names == ["a"]
    (warning,) = caught
    for reason in REASONS.values():
        assert re.search(reason, str(warning.message))


@pytest.mark.parametrize("song", REASONS)
def test_an_incomplete_song_is_refused_if_asked(incomplete, song):
    with pytest.raises((ValueError, OSError), match=REASONS[song]):
        load_stems(incomplete / song, incomplete="raise")


def test_what_cannot_be_used_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        load_stems(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"holds no complete song.*called vocals, accompaniment"):
        load_stems(tmp_path)
    write_stems(tmp_path / "song", "vocals.wav", "other.wav")
    for wrong in ("vocals", ["vocals"], ["vocals", "Vocals"], [1, 2]):
        with pytest.raises(ValueError, match="sources must be two different names or more"):
            load_stems(tmp_path, wrong)
    with pytest.raises(ValueError, match="aliases must be for vocals, accompaniment or mixture"):
        load_stems(tmp_path, aliases={"bass": ["low"]})
    with pytest.raises(ValueError, match="'VOX' must be one source; got 'vocals' and 'accomp"):
        load_stems(tmp_path, aliases={"accompaniment": ["VOX"]})
    with pytest.raises(ValueError, match="incomplete must be one of 'skip', 'raise'; got 'no'"):
        load_stems(tmp_path, incomplete="no")
