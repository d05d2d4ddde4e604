import numpy as np
import pytest
from hypothesis import given
from sklearn.base import clone

from sksvs.audio import AudioFile, Waveform, write
from sksvs.transforms import MonoDownmix
from tests.strategies import seeded_noise, waveforms


@given(samples=waveforms())
def test_every_track_becomes_the_mean_of_its_channels(samples):
    before = samples.copy()
    (mono,) = MonoDownmix().fit_transform([samples])
    columns = samples if samples.ndim == 2 else samples[:, np.newaxis]
    np.testing.assert_allclose(mono, columns.mean(axis=1), atol=1e-12)
    np.testing.assert_array_equal(samples, before)


def test_files_become_views_that_read_nothing(tmp_path):
    samples = seeded_noise((1000, 2), seed=0, scale=0.1)
    write(tmp_path / "a.wav", samples, 8000, "FLOAT")
    (mono,) = MonoDownmix().transform([AudioFile(tmp_path / "a.wav")])
    assert isinstance(mono, Waveform)
    assert (mono.shape, mono.sample_rate) == ((1000,), 8000)
    np.testing.assert_allclose(mono[:], samples.mean(axis=1), atol=1e-7)


def test_it_needs_no_fit_and_survives_clone():
    assert clone(MonoDownmix()).transform([np.ones((3, 2))])[0].shape == (3,)
    assert not MonoDownmix().__sklearn_tags__().requires_fit


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_a_wrong_track_is_named(method):
    with pytest.raises(ValueError, match=r"X\[1\] must have shape"):
        getattr(MonoDownmix(), method)([np.ones(3), np.ones((1, 1, 1))])
