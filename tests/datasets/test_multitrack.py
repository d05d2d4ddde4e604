import numpy as np
import pytest
import soundfile

from sksvs.audio import AudioFile
from sksvs.datasets import load_dsd100, load_musdb18hq
from tests.strategies import leave_system_files, seeded_noise

STEMS = ["bass", "drums", "other", "vocals"]


def write_song(mixture_folder, stem_folder, seed):
    """Write four stems and their sum; return them by name."""
    stems = dict(zip(STEMS, seeded_noise((4, 500, 2), seed, scale=0.05)))
    for folder in (mixture_folder, stem_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, samples in stems.items():
        soundfile.write(stem_folder / f"{name}.wav", samples, 44100, "FLOAT")
    mixture = sum(stems.values())
    soundfile.write(mixture_folder / "mixture.wav", mixture, 44100, "FLOAT")
    return {**stems, "mixture": mixture}


@pytest.fixture
def dsd100(tmp_path):
    songs = {}
    for name in ("052 - Bob - Other", "051 - Anna - A - Song", "053 - Nameless"):
        folders = tmp_path / "Mixtures" / "Dev" / name, tmp_path / "Sources" / "Dev" / name
        songs[name] = write_song(*folders, seed=len(name))
    return tmp_path, songs


def test_dsd100_gives_voice_and_accompaniment_in_order_of_names(dsd100):
    root, songs = dsd100
    data = load_dsd100(root)
    assert data.names == sorted(songs)
    assert data.groups == ["Anna", "Bob", "Nameless"]
    assert "DSD100" in data.DESCR
    assert data.y[0].source_names == ("vocals", "accompaniment")
    for name, x, sources in zip(data.names, data.X, data.y):
        stems = songs[name]
        assert (x.shape, sources.shape) == ((500, 2), (2, 500, 2))
        np.testing.assert_allclose(x, stems["mixture"], atol=1e-6)
        np.testing.assert_allclose(sources[0], stems["vocals"], atol=1e-6)
        np.testing.assert_allclose(
            sources[1], stems["bass"] + stems["drums"] + stems["other"], atol=1e-6
        )


def test_what_systems_and_tools_leave_is_passed_over(dsd100):
    root, songs = dsd100
    for folder in (root, *(root / kind / "Dev" for kind in ("Mixtures", "Sources"))):
        leave_system_files(folder)
    leave_system_files(root / "Mixtures" / "Dev" / "053 - Nameless", "._mixture.wav")
    assert load_dsd100(root).names == sorted(songs)


def test_any_stems_can_be_chosen(dsd100):
    root, songs = dsd100
    X, y = load_dsd100(root, sources=["drums", "bass", "vocals", "other"], return_X_y=True)
    stems = songs["051 - Anna - A - Song"]
    expected = [stems[name] for name in ("drums", "bass", "vocals", "other")]
    np.testing.assert_allclose(y[0], expected, atol=1e-6)
    np.testing.assert_allclose(np.asarray(y[0]).sum(axis=0), X[0], atol=1e-6)
    assert {sources.source_names for sources in y} == {("drums", "bass", "vocals", "other")}


def test_loading_reads_no_samples(dsd100, monkeypatch):
    monkeypatch.setattr(AudioFile, "_read", None)
    load_dsd100(dsd100[0])


def test_musdb18hq_keeps_everything_in_one_folder(tmp_path):
    song = tmp_path / "test" / "Anna - A Song"
    stems = write_song(song, song, seed=1)
    leave_system_files(tmp_path / "test")
    data = load_musdb18hq(tmp_path, "test")
    assert (data.names, data.groups) == (["Anna - A Song"], ["Anna"])
    np.testing.assert_allclose(data.y[0][0], stems["vocals"], atol=1e-6)


def test_musdb18hq_tells_the_songs_on_which_its_makers_validate(tmp_path):
    names = ["Anna - A Song", "ANiMAL - Rockshow", "Young Griffo - Pennies", "Meaxic - You Listen"]
    for name in names:
        write_song(tmp_path / "train" / name, tmp_path / "train" / name, seed=1)
    train, dev = load_musdb18hq(tmp_path), load_musdb18hq(tmp_path, "dev")
    assert dev.names == ["ANiMAL - Rockshow", "Young Griffo - Pennies"]
    assert train.names == sorted(names)
    assert train.validation_tracks.tolist() == [name in dev.names for name in train.names]
    assert dev.validation_tracks.all()
    assert dev.duration == pytest.approx(2 * 500 / 44100)
    assert "2 tracks of 0.0 minutes in all" in dev.DESCR


def test_what_is_missing_or_wrong_is_named(dsd100):
    root, _ = dsd100
    with pytest.raises(
        FileNotFoundError,
        match=r"Mixtures/Test does not exist. root must be .* Mixtures and Sources",
    ):
        load_dsd100(root, "test")
    with pytest.raises(FileNotFoundError, match=r"train does not exist"):
        load_musdb18hq(root)
    (root / "Mixtures" / "Test").mkdir()
    with pytest.raises(FileNotFoundError, match="Test holds no songs"):
        load_dsd100(root, "test")
    with pytest.raises(ValueError, match="subset must be one of 'dev', 'test'; got 'train'"):
        load_dsd100(root, "train")
    for wrong in ("vocals", ["voice", "bass"], ("vocals",), ()):
        with pytest.raises(ValueError, match="sources must be two names or more among bass"):
            load_dsd100(root, sources=wrong)
    for twice in (["vocals", "drums", "accompaniment"], ["vocals", "vocals"]):
        with pytest.raises(ValueError, match="sources must have every stem once"):
            load_dsd100(root, sources=twice)
    bass = root / "Sources" / "Dev" / "052 - Bob - Other" / "bass.wav"
    soundfile.write(bass, np.zeros((400, 2)), 44100)
    with pytest.raises(ValueError, match=r"\(500, 2\), but .*052 - Bob - Other/bass\.wav has"):
        load_dsd100(root)
    bass.unlink()
    with pytest.raises(FileNotFoundError, match=r"052 - Bob - Other/bass\.wav does not exist"):
        load_dsd100(root)


def test_a_stem_of_another_rate_is_named(dsd100):
    path = dsd100[0] / "Sources" / "Dev" / "053 - Nameless" / "vocals.wav"
    soundfile.write(path, np.zeros((500, 2)), 48000)
    with pytest.raises(ValueError, match=r"44100 Hz, but .*053 - Nameless/vocals\.wav has 48000"):
        load_dsd100(dsd100[0])


def test_the_real_songs_are_the_sums_of_their_sources(dsd100_root):
    for subset, n_songs in (("dev", 3), ("test", 2)):
        data = load_dsd100(dsd100_root, subset)
        assert len(data.X) == n_songs
        for x, sources in zip(data.X, data.y):
            np.testing.assert_allclose(np.asarray(sources).sum(axis=0), x, atol=2**-13)
