import numpy as np
import pytest

from sksvs.audio import write
from sksvs.datasets import load_ikala
from tests.strategies import leave_system_files, seeded_noise


@pytest.fixture
def ikala(tmp_path):
    folder = tmp_path / "Wavfile"
    folder.mkdir()
    clips = {}
    for name in ("21025_verse", "10161_chorus", "10161_verse"):
        clips[name] = seeded_noise((300, 2), seed=len(clips), scale=0.1).astype(np.float32)
        write(folder / f"{name}.wav", clips[name], 44100, subtype="FLOAT")
    leave_system_files(folder, "._10161_verse.wav")
    return tmp_path, clips


def test_the_voice_is_right_and_the_music_left(ikala):
    root, clips = ikala
    for folder in (root, root / "Wavfile"):
        data = load_ikala(folder)
        assert data.names == ["10161_chorus", "10161_verse", "21025_verse"]
        assert data.groups == ["10161", "10161", "21025"]
        assert data.duration == pytest.approx(900 / 44100)
        for name, x, y in zip(data.names, data.X, data.y):
            music, voice = clips[name].T
            np.testing.assert_allclose(x, music + voice, atol=1e-6)
            np.testing.assert_allclose(y, [voice, music], atol=1e-6)
            assert y.source_names == ("vocals", "accompaniment")


def test_voice_and_music_can_be_equally_loud(ikala):
    [_, y, _] = load_ikala(ikala[0], mix="0dB", return_X_y=True)[1]
    np.testing.assert_allclose(np.linalg.norm(y, axis=1), 1, atol=1e-5)


def test_other_folders_are_refused(ikala, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty holds no clips of iKala, .* 10161_chorus"):
        load_ikala(tmp_path / "empty")
    with pytest.raises(ValueError, match="mix must be one of '0dB', 'natural'; got 'loud'"):
        load_ikala(ikala[0], mix="loud")
    mono = tmp_path / "Wavfile" / "1_verse.wav"
    write(mono, np.ones(50), 44100)
    with pytest.raises(ValueError, match=r"1_verse\.wav must have two channels"):
        load_ikala(ikala[0])
