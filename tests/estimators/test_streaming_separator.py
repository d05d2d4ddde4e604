import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksvs.estimators import MixtureBaseline, StreamingSeparator
from sksvs.transforms import STFTTransformer
from tests.strategies import centred_noise, seeded_noise, tiny_tracks
from tests.tiny_separators import analysed, three_sources, tiny_crn, tiny_drnn, tiny_separator

N_FFT, HOP = 64, 32  # of `analysed`


KINDS = {
    "GRU": tiny_separator(hidden_layer_sizes=(6, 4)),
    "GRU, three sources": tiny_separator(hidden_layer_sizes=(6, 4)),
    "CRN": tiny_crn(dual_path_sizes=((2, 3),), filter_bank=(8, 6), bottleneck_factor=4),
}


@pytest.fixture(scope="module", params=KINDS)
def forwards(request):
    X, y = tiny_tracks(2)
    y = three_sources(y) if request.param == "GRU, three sources" else y
    separator = clone(KINDS[request.param]).set_params(bidirectional=False, max_iter=1)
    return separator.fit(*analysed(X, y))


def level_of(samples):
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    return np.sqrt(np.mean(mono**2)) or 1.0


def stream_through(stream, samples, lengths):
    """Return the estimates of samples that come in blocks of these lengths and of the rest."""
    blocks = np.split(samples, np.minimum(np.cumsum(lengths), len(samples)))
    parts = [stream.process(block) for block in blocks]
    return np.concatenate([*parts, stream.flush()], axis=1)


@given(
    n_samples=st.integers(1, 1500),
    n_channels=st.integers(0, 2),
    lengths=st.lists(st.integers(0, 400), max_size=8),
    side_weight=st.sampled_from([0.0, 1.0]),
)
def test_with_its_level_a_stream_gives_what_predict_gives(
    forwards, n_samples, n_channels, lengths, side_weight
):
    forwards = copy.copy(forwards).set_params(side_weight=side_weight)
    shape = (n_samples, n_channels) if n_channels else (n_samples,)
    samples = centred_noise(shape, seed=n_samples, scale=0.1)
    (expected,) = forwards.predict(analysed([samples]))
    estimates = stream_through(StreamingSeparator(forwards, level_of(samples)), samples, lengths)
    assert estimates.shape == expected.shape
    assert estimates.dtype == np.float32
    np.testing.assert_allclose(estimates, expected, atol=1e-5 * np.abs(samples).max())


@given(lengths=st.lists(st.integers(0, 400), max_size=8), silence=st.sampled_from([0, 300]))
def test_without_a_level_blocks_make_no_difference_either(forwards, lengths, silence):
    samples = seeded_noise((1200, 2), seed=1, scale=0.1)
    samples[:silence] = 0
    whole = stream_through(StreamingSeparator(forwards), samples, [])
    estimates = stream_through(StreamingSeparator(forwards), samples, lengths)
    np.testing.assert_allclose(estimates, whole, atol=1e-6)
    np.testing.assert_allclose(estimates.sum(axis=0), samples, atol=1e-6)


def test_what_is_to_come_changes_nothing(forwards):
    samples = seeded_noise(1000, seed=2, scale=0.1)
    stream, other = StreamingSeparator(forwards), StreamingSeparator(forwards)
    first = stream.process(samples)
    second = other.process(np.concatenate([samples, 5 * samples]))
    np.testing.assert_allclose(second[:, : first.shape[1]], first, atol=1e-6)


def test_the_level_of_a_steady_stream_comes_close_to_that_of_the_whole(forwards):
    samples = centred_noise(20_000, seed=3, scale=0.1)
    (expected,) = forwards.predict(analysed([samples]))
    estimates = stream_through(StreamingSeparator(forwards), samples, [])
    np.testing.assert_allclose(estimates[:, 10_000:], expected[:, 10_000:], atol=2e-3)


def test_a_gain_of_the_stream_is_a_gain_of_the_estimates(forwards):
    samples = seeded_noise(1000, seed=4)
    estimates = stream_through(StreamingSeparator(forwards), samples, [100])
    louder = stream_through(StreamingSeparator(forwards), 300 * samples, [100])
    np.testing.assert_allclose(louder, 300 * estimates, atol=1e-5 * np.abs(300 * samples).max())


@pytest.mark.parametrize("length", [HOP, 4 * HOP])
def test_estimates_are_behind_by_the_latency(forwards, length):
    stream = StreamingSeparator(forwards, level=0.1)
    assert stream.latency == N_FFT - HOP
    returned = 0
    for i in range(1, 9):
        returned += stream.process(seeded_noise(length, seed=i)).shape[1]
        assert returned == i * length - stream.latency
    assert stream.flush().shape[1] == stream.latency


def test_a_stream_that_has_ended_begins_anew(forwards):
    samples = seeded_noise((500, 2), seed=5)
    stream = StreamingSeparator(forwards)
    assert stream.flush().shape == (forwards.n_sources_, 0)
    first = stream_through(stream, samples, [77])
    np.testing.assert_array_equal(stream_through(stream, samples, [77]), first)
    assert stream.process(samples[:0, 0]).shape == (forwards.n_sources_, 0)


def test_a_pipeline_streams_by_its_last_step(forwards):
    samples = seeded_noise(300, seed=6)
    pipeline = make_pipeline(STFTTransformer(N_FFT, HOP), forwards)
    expected = stream_through(StreamingSeparator(forwards), samples, [])
    estimates = stream_through(StreamingSeparator(pipeline), samples, [])
    np.testing.assert_array_equal(estimates, expected)


def test_what_cannot_stream_is_refused(forwards, tracks):
    for separator in (
        tiny_separator(max_iter=1),
        tiny_crn(max_iter=1, filter_bank=(8, 6)),
        tiny_drnn(max_iter=1),
    ):
        name, separator = type(separator).__name__, separator.fit(*analysed(*tracks))
        with pytest.raises(ValueError, match=f"this {name} needs later .* bidirectional=False"):
            StreamingSeparator(separator)
    with pytest.raises(TypeError, match="needs a separator with one network.*MixtureBaseline"):
        StreamingSeparator(MixtureBaseline())
    with pytest.raises(NotFittedError):
        StreamingSeparator(tiny_separator())
    for level in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="level must be positive and finite"):
            StreamingSeparator(forwards, level)
    wrong = copy.deepcopy(forwards).set_params(others_weight=0)
    with pytest.raises(ValueError, match="others_weight must be from 1e-6 to 1e6; got 0"):
        StreamingSeparator(wrong)


@pytest.mark.parametrize(
    ("block", "error", "message"),
    [
        (np.zeros(5), ValueError, r"must have shape \(n, 2\) as those before; got \(5,\)"),
        (np.zeros((5, 3)), ValueError, r"must have shape \(n, 2\) as those before; got \(5, 3\)"),
        (np.zeros((5, 2), int), TypeError, "floating-point samples; got int64"),
        (np.full((5, 2), np.nan), ValueError, "5 sample.* that are NaN or inf"),
    ],
)
def test_blocks_are_checked(forwards, block, error, message):
    stream = StreamingSeparator(forwards)
    stream.process(np.zeros((10, 2)))
    with pytest.raises(error, match=message):
        stream.process(block)


def test_the_rate_that_a_stream_is_taken_to_have_is_said_unless_it_is_given(forwards):
    known = copy.deepcopy(forwards)
    known.stft_params_ = STFTTransformer(N_FFT, HOP)._params(8000)
    with pytest.warns(UserWarning, match=r"is taken to be at 8000 Hz.*\(..., sample_rate=...\)"):
        assert StreamingSeparator(known).params.sample_rate == 8000
    assert StreamingSeparator(known, sample_rate=8000).params == known.stft_params_
