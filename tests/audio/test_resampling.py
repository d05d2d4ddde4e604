import numpy as np
import pytest
import soundfile

from sksvs.audio import AudioFile, resample
from tests.strategies import seeded_noise

STEREO = seeded_noise((3000, 2), seed=1, scale=0.1)


@pytest.fixture
def wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", STEREO, 16000, "FLOAT")
    return tmp_path / "a.wav"


def test_resampling_keeps_a_tone_and_its_level():
    seconds = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 1000 * seconds)
    slow = resample(tone, 44100, 16000)
    expected = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    np.testing.assert_allclose(slow[200:-200], expected[200:-200], atol=1e-3)


def test_resampling_a_waveform_gives_one_that_knows_its_rate(wav):
    slow = resample(AudioFile(wav), 16000, 8000)
    assert (slow.shape, slow.sample_rate, slow.name) == ((1500, 2), 8000, str(wav))
    with pytest.raises(ValueError, match=r"16000 Hz; got sample_rate=44100"):
        resample(AudioFile(wav), 44100, 8000)
