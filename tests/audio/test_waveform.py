import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import Sources
from sksvs.audio.waveform import ArrayWaveform, Sum, Waveform, before_downmix, energy
from tests.strategies import seeded_noise, waveforms

NOISE = seeded_noise((400, 3), seed=0)


def in_parts(waveform, length):
    return np.concatenate(list(waveform.blocks(length)))


@given(samples=waveforms(), length=st.integers(1, 700), data=st.data())
def test_views_are_what_the_same_arithmetic_on_arrays_gives(samples, length, data):
    waveform = ArrayWaveform(samples)
    start = data.draw(st.integers(0, len(samples) - 1))
    stop = data.draw(st.integers(start + 1, len(samples)))
    columns = samples if samples.ndim == 2 else samples[:, np.newaxis]
    expected = {
        "slice": (waveform.time_slice(start, stop), samples[start:stop]),
        "gain": (waveform.gain(-0.5), -0.5 * samples),
        "sum": (waveform + waveform.gain(2.0), 3 * samples),
        "mono": (waveform.to_mono(), columns.mean(axis=1)),
        "channel": (waveform.channel(0), columns[:, 0]),
        "norm": (waveform.unit_norm(), samples / np.linalg.norm(samples)),
    }
    for view, array in expected.values():
        assert view.shape == array.shape
        np.testing.assert_allclose(in_parts(view, length), array, atol=1e-12)


def test_views_of_views_read_through():
    waveform = ArrayWaveform(NOISE, sample_rate=8000, name="song")
    view = (waveform.channel(2).gain(2.0) + waveform.channel(0)).time_slice(100, 300)
    np.testing.assert_allclose(view[50:60], 2 * NOISE[150:160, 2] + NOISE[150:160, 0])
    assert (view.sample_rate, view.name) == (8000, "song")


def test_what_a_downmix_is_the_mean_of_can_be_had_back():
    waveform = ArrayWaveform(NOISE)
    mono = waveform.channel(0)
    assert before_downmix(waveform.to_mono()) is waveform
    assert before_downmix(mono) is mono
    assert (waveform.n_channels, mono.n_channels) == (3, 1)


class Counted(ArrayWaveform):
    """Samples in memory that count how many of them have been read, and in how many ranges."""

    n_read = n_ranges = 0

    def _read(self, start, stop):
        self.n_read += stop - start
        self.n_ranges += 1
        return super()._read(start, stop)


@given(samples=waveforms(max_samples=60))
def test_one_sample_is_that_of_an_array_and_read_alone(samples):
    waveform = Counted(samples)
    for i in range(-len(samples), len(samples)):
        np.testing.assert_array_equal(waveform[i], samples[i])
        np.testing.assert_array_equal(waveform[np.int64(i), ...], samples[i])
    assert waveform.n_read == waveform.n_ranges == 4 * len(samples)
    if samples.ndim == 2:
        assert waveform[-1, 0] == samples[-1, 0]
    for i in (len(samples), -len(samples) - 1):
        with pytest.raises(IndexError, match=rf"song has .* so there is no sample {i}\."):
            ArrayWaveform(samples, name="song")[i]


@pytest.mark.parametrize("samples", [NOISE, NOISE[:, 0]])
def test_iterating_reads_every_sample_once_in_blocks(samples, monkeypatch):
    monkeypatch.setattr(Waveform.blocks, "__defaults__", (150,))
    waveform = Counted(samples)
    np.testing.assert_array_equal(list(waveform), samples)
    assert (waveform.n_read, waveform.n_ranges) == (len(samples), 3)
    assert next(iter(waveform)).shape == samples.shape[1:]
    assert waveform.n_ranges == 4


def test_a_value_is_found_without_reading_what_comes_after_it(monkeypatch):
    monkeypatch.setattr(Waveform.blocks, "__defaults__", (150,))
    for samples in (NOISE, NOISE[:, 0]):
        waveform = Counted(samples)
        assert samples[160].item(0) in waveform
        assert waveform.n_ranges == 2
        assert 7.0 not in waveform
        assert (waveform.n_read, waveform.n_ranges) == (300 + len(samples), 5)


def test_negative_bounds_of_a_time_slice_count_from_the_end():
    view = ArrayWaveform(NOISE).time_slice(-10, None)
    np.testing.assert_array_equal(view[:], NOISE[-10:])


def test_no_view_changes_what_it_views():
    samples = NOISE.copy()
    waveform = ArrayWaveform(samples)
    for view in (waveform.gain(3.0), waveform + waveform, waveform.unit_norm(), waveform.to_mono()):
        view[:]
    np.testing.assert_array_equal(samples, NOISE)


def test_the_norm_of_a_view_is_measured_once_and_never_pickled():
    view = ArrayWaveform(NOISE).unit_norm()
    before = pickle.dumps(view)
    assert np.linalg.norm(view[:]) == pytest.approx(1.0)
    assert pickle.dumps(view) == before


def test_a_silent_waveform_of_unit_norm_stays_silent():
    np.testing.assert_array_equal(ArrayWaveform(np.zeros(5)).unit_norm()[:], np.zeros(5))


def test_energy_is_the_sum_of_squares_over_blocks():
    assert energy(ArrayWaveform(NOISE)) == pytest.approx(np.sum(NOISE**2), rel=1e-12)


def test_other_floats_become_float32_and_copies_are_copies():
    for dtype in (np.float16, np.longdouble, ">f4"):
        assert ArrayWaveform(NOISE.astype(dtype))[:].dtype == np.float32
    waveform = ArrayWaveform(NOISE)
    assert not np.shares_memory(np.array(waveform), NOISE)
    with pytest.raises(ValueError, match="that is a copy"):
        np.array(waveform, copy=False)


def test_a_sum_knows_the_rate_of_any_part_and_refuses_two():
    parts = [ArrayWaveform(NOISE, rate, str(rate)) for rate in (None, 16000, 44100)]
    assert Sum(parts[:2]).sample_rate == Sources(parts[:2]).sample_rate == 16000
    for combine in (Sum, Sources):
        with pytest.raises(ValueError, match="44100 has a sample rate of 44100 Hz, but 16000 has"):
            combine(parts)


def test_sources_look_like_a_stacked_array():
    sources = Sources([ArrayWaveform(NOISE, 8000), ArrayWaveform(2 * NOISE, 8000)])
    assert (sources.shape, sources.ndim, len(sources)) == ((2, 400, 3), 3, 2)
    np.testing.assert_array_equal(np.asarray(sources), np.stack([NOISE, 2 * NOISE]))
    np.testing.assert_array_equal(sources[1][5:7], 2 * NOISE[5:7])


def test_sources_keep_their_names_when_they_are_cut():
    waveforms = [ArrayWaveform(NOISE, name="song"), ArrayWaveform(2 * NOISE)]
    assert Sources(waveforms).source_names is None
    assert Sources(waveforms).time_slice(5, 7).source_names is None
    sources = Sources(waveforms, ["voice", "rest"])
    assert (sources.name, sources.source_names) == ("song", ("voice", "rest"))
    assert repr(sources) == "<Sources of song: shape (2, 400, 3) (voice, rest)>"
    cut = sources.time_slice(5, 7)
    assert cut.source_names == ("voice", "rest")
    np.testing.assert_array_equal(cut, np.asarray(sources)[:, 5:7])


@pytest.mark.parametrize("names", ["ab", ["a"], ["a", "a"], ["a", 1], ["a", "b", "c"], []])
def test_names_that_are_not_one_for_every_source_are_refused(names):
    waveforms = [ArrayWaveform(NOISE, name="song"), ArrayWaveform(NOISE)]
    with pytest.raises(ValueError, match="2 different texts, one for every waveform of song; got"):
        Sources(waveforms, names)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.zeros(5, np.int16), TypeError, r"song must hold floating-point .* got int16"),
        (np.zeros(5, complex), TypeError, "got complex128"),
        (np.array(["a"]), TypeError, "song must hold floating-point"),
        (np.zeros((2, 3, 4)), ValueError, r"n_channels\); got \(2, 3, 4\)"),
        (np.float64(1.0), ValueError, r"got \(\)"),
        (np.zeros(0), ValueError, "song is empty"),
        (np.zeros((5, 0)), ValueError, "song is empty"),
        (np.zeros((2, 48000)), ValueError, "48000 channels. Transpose it"),
    ],
)
def test_arrays_that_are_no_waveform_are_refused(samples, error, message):
    with pytest.raises(error, match=message):
        ArrayWaveform(samples, name="song")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_named_when_read(bad):
    samples = NOISE.copy()
    samples[300, 1] = bad
    waveform = ArrayWaveform(samples, name="song").to_mono()
    waveform[:300]
    with pytest.raises(ValueError, match="song has 1 sample.* the first at sample 300"):
        waveform[250:350]


def test_waveforms_that_do_not_fit_are_not_added():
    mono = ArrayWaveform(NOISE[:, 0], 8000, "mono")
    with pytest.raises(ValueError, match=r"mono has shape \(400,\), but stereo has \(400, 3\)"):
        Sum([ArrayWaveform(NOISE, name="stereo"), mono])
    with pytest.raises(ValueError, match=r"8000 Hz, but fast has 44100 Hz. Resample"):
        ArrayWaveform(NOISE[:, 0], 44100, "fast") + mono
    with pytest.raises(TypeError):
        mono + 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: w.channel(3), "has 3 channel"),
        (lambda w: w.to_mono().channel(1), "has 1 channel"),
        (lambda w: w.time_slice(400, 500), "no sample between 400 and 500"),
        (lambda w: w.time_slice(20, 10), "no sample between 20 and 10"),
        (lambda w: w.gain(np.nan), "gain of song must be finite"),
        (lambda w: Sources([]), "at least one waveform"),
    ],
)
def test_views_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(ArrayWaveform(NOISE, name="song"))
