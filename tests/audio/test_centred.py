import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio.centred import Centred, difference_from_sum, measure_track
from sksvs.audio.waveform import ArrayWaveform, AtRate, Downmix
from tests.strategies import centred_noise, seeded_noise, waveforms


class Counted(ArrayWaveform):
    """Samples that count how often each is read."""

    def __init__(self, samples):
        super().__init__(samples, name="song")
        self.n_read = 0

    def _read(self, start, stop):
        self.n_read += stop - start
        return super()._read(start, stop)


@given(samples=waveforms(), constant=st.sampled_from([0, 0.3, -20.0]), data=st.data())
def test_every_channel_lacks_its_mean_and_the_level_is_that_of_the_downmix(samples, constant, data):
    samples = samples + constant
    start = data.draw(st.integers(0, len(samples)))
    centred, expected = Centred(ArrayWaveform(samples)), samples - samples.mean(axis=0)
    atol = 1e-12 * max(1, abs(constant))
    np.testing.assert_allclose(centred[start:], expected[start:], atol=atol)
    np.testing.assert_allclose(centred.constant, samples.mean(axis=0), atol=atol)
    mono = expected if samples.ndim == 1 else expected.mean(axis=1)
    level = mono.std() if len(mono) > 1 else 1
    assert centred.level == pytest.approx(level, rel=1e-6)
    np.testing.assert_allclose(centred.to_mono()[:], mono, atol=atol)
    assert centred.to_mono().level == centred.level


def test_views_of_channels_and_of_the_downmix_share_what_was_measured_once():
    noise = seeded_noise((400, 3), seed=0) * [1, 2, 3] + [5, 0, 1]
    waveform = Counted(noise)
    centred = Centred(waveform)
    assert waveform.n_read == 0
    channel, mono = centred.channel(2), Centred(Downmix(waveform), centred.measurement)
    views = [centred, channel, mono, centred.to_mono(), mono.with_channels()]
    assert [view.level for view in views] == pytest.approx(
        [noise.mean(axis=1).std(), noise[:, 2].std(), *3 * [noise.mean(axis=1).std()]]
    )
    assert channel.constant == pytest.approx(noise[:, 2].mean())
    assert channel.channel(0) is channel.to_mono() is channel
    assert waveform.n_read == 400
    np.testing.assert_allclose(mono.with_channels()[:], centred[:])
    np.testing.assert_allclose(channel[:], centred[:][:, 2])
    assert channel.with_channels() is channel


def test_what_has_been_measured_is_never_pickled():
    centred = Centred(ArrayWaveform(seeded_noise((400, 2), seed=0)))
    before = pickle.dumps(centred)
    level = centred.level
    assert centred.measurement.is_done
    assert pickle.dumps(centred) == before
    again = pickle.loads(before)
    assert not again.measurement.is_done
    assert again.level == level


def test_samples_keep_their_precision():
    for dtype in (np.float32, np.float64):
        assert Centred(ArrayWaveform(seeded_noise(50, 0).astype(dtype)))[:].dtype == dtype


def test_measuring_in_blocks_of_a_long_waveform_is_exact():
    noise = seeded_noise((600_000, 2), seed=1) + [1000.0, -3.0]
    noise[300_000:] += [7.0, 0.0]
    centred = Centred(ArrayWaveform(noise))
    np.testing.assert_allclose(centred.constant, noise.mean(axis=0), rtol=1e-12)
    assert centred.level == pytest.approx(noise.mean(axis=1).std(), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0, 0.1, -300.0])
@pytest.mark.parametrize("shape", [(1,), (1000,), (1000, 2)])
def test_a_constant_or_silence_has_level_one(dtype, constant, shape):
    centred = Centred(ArrayWaveform(np.full(shape, constant, dtype)))
    assert (centred.level, centred.power, centred.cancels) == (1, 0, False)
    np.testing.assert_allclose(centred[:], 0, atol=1e-12)


@pytest.mark.parametrize(("scale", "level"), [(1e-46, 1), (1e-39, 1), (1e-37, 1e-37), (1e29, 1e29)])
def test_a_level_is_one_that_float32_can_hold(scale, level):
    samples = scale * np.sign(centred_noise(1000, seed=0))
    assert Centred(ArrayWaveform(samples)).level == pytest.approx(level, rel=1e-2)


@pytest.mark.parametrize(
    ("gains", "cancels"),
    [
        ([1, -1], True),
        ([1, -1.05], True),  # the downmix has -32 dB of the power
        ([1, -1.1], False),  # -26 dB
        ([1, -0.5, -0.5], True),
        ([1, 0], False),
        ([0, 0], False),
        ([1], False),
    ],
)
def test_channels_cancel_if_their_mean_has_next_to_nothing_of_them(gains, cancels):
    song = seeded_noise((1000, 1), seed=2) * gains
    waveform = ArrayWaveform(song + np.arange(len(gains)))
    assert Centred(waveform).cancels == cancels
    assert Centred(AtRate(waveform.to_mono(), 8000)).cancels == cancels
    assert not Centred(waveform).channel(0).cancels
    assert not Centred(ArrayWaveform(song.mean(axis=1))).cancels


def test_a_mixture_and_its_sources_are_measured_in_one_pass():
    sources = seeded_noise((2, 500, 2), seed=3)
    parts = [Centred(Counted(samples)) for samples in (sources.sum(axis=0), *sources)]
    assert measure_track(parts[0].to_mono(), [part.to_mono() for part in parts[1:]]) == -np.inf
    for part, samples in zip(parts, (sources.sum(axis=0), *sources)):
        assert part.level == pytest.approx(samples.mean(axis=1).std(), rel=1e-9)
        assert part.waveform.n_read == 500


@given(
    decibels=st.floats(-50, 20),
    constant=st.sampled_from([0, 5.0]),
    n_channels=st.integers(0, 2),
)
def test_the_difference_from_the_sum_is_its_power_over_that_of_the_mixture(
    decibels, constant, n_channels
):
    shape = (4000, n_channels) if n_channels else (4000,)
    sources = np.stack([centred_noise(shape, seed=seed) for seed in (4, 5)])
    noise = centred_noise(shape, seed=6)
    mixture = sources.sum(axis=0)
    noise *= np.linalg.norm(mixture) / np.linalg.norm(noise) * 10 ** (decibels / 20)
    wrong = sources + np.stack([noise + constant, 0 * noise])
    assert difference_from_sum(mixture, wrong) == pytest.approx(decibels, abs=1e-6)
    if n_channels < 2:
        parts = [Centred(ArrayWaveform(samples)) for samples in (mixture, *wrong)]
        assert measure_track(parts[0], parts[1:]) == pytest.approx(decibels, abs=1e-6)


def test_rounding_is_no_difference_and_a_silent_mixture_differs_without_bound():
    noise = seeded_noise(1000, seed=6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert difference_from_sum(0 * noise, np.stack([noise, -noise * (1 + 1e-5)])) == -np.inf
        assert difference_from_sum(0 * noise, np.stack([noise, noise])) == np.inf
        assert difference_from_sum(0 * noise, np.stack([0 * noise, 0 * noise])) == -np.inf
        assert difference_from_sum(np.nan * noise, np.stack([noise, noise])) == -np.inf
