import numpy as np
import pytest
import soundfile
from sklearn.model_selection import GroupKFold

from sksvs.audio import AudioFile
from sksvs.datasets import load_mir1k
from tests.strategies import leave_system_files, seeded_noise

DEV = ["abjones_5_08", "abjones_5_09", "amy_9_08", "amy_9_09"]


def write_clip(folder, name, channels=2):
    samples = seeded_noise((800, channels), seed=len(name), scale=0.1)
    soundfile.write(folder / f"{name}.wav", samples, 16000, "FLOAT")
    return samples


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "Wavfile"
    folder.mkdir()
    for name in [*DEV, "abjones_1_01", "amy_1_01", "Ani_1_01", "yifen_2_03"]:
        write_clip(folder, name)
    return tmp_path


@pytest.mark.parametrize(
    ("subset", "names", "singers"),
    [
        ("train", ["abjones_1_01", "amy_1_01"], ["abjones", "amy"]),
        ("dev", DEV, ["abjones", "abjones", "amy", "amy"]),
        ("test", ["Ani_1_01", "yifen_2_03"], ["Ani", "yifen"]),
    ],
)
def test_the_split_is_by_singer(root, subset, names, singers):
    for folder in (root, root / "Wavfile"):
        data = load_mir1k(folder, subset)
        assert (data.names, data.groups) == (names, singers)
        assert len(data.X) == len(data.y) == len(names)
        assert {sources.source_names for sources in data.y} == {("vocals", "accompaniment")}


@pytest.mark.parametrize("subset", ["train", "dev", "test"])
def test_what_systems_and_tools_leave_is_passed_over(root, subset):
    before = load_mir1k(root, subset).names
    for folder in (root, root / "Wavfile"):
        leave_system_files(folder, "._yifen_1_01.wav")
        leave_system_files(folder / "__MACOSX", "._abjones_1_01.wav")
    (root / "Wavfile" / "._abjones_1_01.wav").write_bytes(b"no sound")
    assert load_mir1k(root, subset).names == before


@pytest.mark.parametrize("mix", ["0dB", "natural"])
def test_the_voice_is_right_and_the_music_left(root, mix):
    samples = AudioFile(root / "Wavfile" / "amy_1_01.wav")[:]
    music, voice = samples.T
    if mix == "0dB":
        music, voice = music / np.linalg.norm(music), voice / np.linalg.norm(voice)
    X, y = load_mir1k(root, "train", mix, return_X_y=True)
    np.testing.assert_allclose(y[1], [voice, music], atol=1e-6)
    np.testing.assert_allclose(X[1], voice + music, atol=1e-6)


def test_loading_reads_no_samples(root, monkeypatch):
    monkeypatch.setattr(AudioFile, "_read", None)
    load_mir1k(root, "train")


def test_what_is_missing_or_wrong_is_named(root):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist"):
        load_mir1k(root / "nowhere")
    (root / "Wavfile" / "amy_9_08.wav").unlink()
    with pytest.raises(FileNotFoundError, match=r"amy_9_08\.wav does not exist"):
        load_mir1k(root, "dev")
    write_clip(root / "Wavfile", "amy_9_08", channels=1)
    with pytest.raises(ValueError, match=r"amy_9_08\.wav must have two channels"):
        load_mir1k(root, "dev")
    with pytest.raises(ValueError, match="subset must be one of 'train', 'dev', 'test'; got 'all'"):
        load_mir1k(root, "all")
    with pytest.raises(ValueError, match="mix must be one of '0dB', 'natural'; got '3dB'"):
        load_mir1k(root, mix="3dB")
    for path in (root / "Wavfile").glob("*.wav"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="holds no clips of subset 'test'"):
        load_mir1k(root, "test")


def test_a_clip_that_was_cut_short_is_named(root):
    path = root / "Wavfile" / "amy_1_01.wav"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=r"amy_1_01\.wav is cut short: \d+ samples"):
        assert load_mir1k(root).X
    with pytest.raises(ValueError, match=r"amy_1_01\.wav is cut short"):
        load_mir1k(root, strict=True)


def test_the_real_clips(mir1k_root):
    train, dev = load_mir1k(mir1k_root), load_mir1k(mir1k_root, "dev")
    assert (len(train.X), len(dev.X)) == (171, 4)
    assert dev.names == DEV
    assert {w.sample_rate for w in train.X} == {16000}
    voice, music = (np.asarray(s) for s in dev.y[0])
    assert np.linalg.norm(voice) == pytest.approx(1, abs=1e-4)
    assert np.linalg.norm(music) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(dev.X[0], voice + music, atol=1e-7)
    folds = GroupKFold(2).split(train.X, groups=train.groups)
    for learnt, judged in folds:
        assert {train.groups[i] for i in learnt}.isdisjoint(train.groups[i] for i in judged)
