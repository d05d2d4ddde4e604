import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform, AudioFile, resample
from sksvs.audio.resampling import Resampled
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


@settings(max_examples=60)
@given(
    rates=st.sampled_from(
        [(44100, 16000), (16000, 44100), (48000, 44100), (8000, 44100), (44099, 44100), (7, 5)]
    ),
    n_samples=st.integers(1, 30_000),
    n_channels=st.integers(0, 2),
    cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_any_range_of_the_view_is_that_of_the_whole(rates, n_samples, n_channels, cuts):
    samples = seeded_noise((n_samples, n_channels) if n_channels else n_samples, seed=n_samples)
    samples = samples.astype(np.float32)
    view = Resampled(ArrayWaveform(samples, rates[0], "a song"), rates[1])
    whole = resample(samples, *rates)
    n_expected = max(1, round(n_samples * rates[1] / rates[0]))
    assert (view.shape, view.sample_rate) == ((n_expected, *samples.shape[1:]), rates[1])
    assert view.name == "a song"
    # soxr ends one sample early where the length ends in a half.
    missing = [(0, n_expected - len(whole))] + [(0, 0)] * (samples.ndim - 1)
    expected = np.pad(whole, missing)
    start, stop = sorted(round(cut * n_expected) for cut in cuts)
    assert view[start:stop].dtype == np.float32
    np.testing.assert_allclose(view[start:stop], expected[start:stop], atol=2e-5)


def test_reading_a_range_of_the_view_reads_about_that_range():
    read = []

    class Recording(ArrayWaveform):
        def _read(self, start, stop):
            read.append((start, stop))
            return super()._read(start, stop)

    view = Resampled(Recording(np.zeros(480_000, np.float32), 48000), 44100)
    assert view[220_500:221_000].shape == (500,)
    ((start, stop),) = read
    assert 240_000 - 500 < start < 240_000 < stop < 240_545 + 500
