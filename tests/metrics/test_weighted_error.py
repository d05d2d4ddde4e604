import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.metrics import log_wmse
from tests.strategies import seeded_noise

RATE = 44100
PERFECT = -4 * np.log(1e-8)


def signals(n_channels=0, seed=0, n=4000):
    """Return (references, estimates, mixture) of two sources of which one is silent."""
    shape = (n, n_channels) if n_channels else (n,)
    voice, noise, accompaniment = seeded_noise((3, *shape), seed)
    references = np.stack([voice, np.zeros_like(voice)])
    return references, references + 0.1 * noise, voice + accompaniment


@given(st.floats(-60, 60), st.booleans(), st.integers(0, 2), st.integers(0, 99))
def test_a_common_gain_and_polarity_change_nothing(gain_db, negative, n_channels, seed):
    references, estimates, mixture = signals(n_channels, seed)
    gain = (-1) ** negative * 10 ** (gain_db / 20)
    found = log_wmse(references, estimates, mixture, RATE)
    again = log_wmse(gain * references, gain * estimates, gain * mixture, RATE)
    np.testing.assert_allclose(again, found, atol=1e-6)


@given(st.integers(0, 2), st.integers(0, 99))
def test_it_depends_on_the_error_alone_so_a_silent_reference_counts_like_any(n_channels, seed):
    references, estimates, mixture = signals(n_channels, seed)
    errors = estimates - references
    found = log_wmse(references, estimates, mixture, RATE)
    np.testing.assert_allclose(log_wmse(0 * references, errors, mixture, RATE), found, atol=1e-6)
    swapped = log_wmse(references[::-1], estimates[::-1], mixture, RATE)
    np.testing.assert_array_equal(swapped, found[::-1])


@given(st.floats(-50, 20), st.integers(0, 99))
def test_a_silent_source_scores_how_far_the_mixture_is_attenuated(gain_db, seed):
    _, _, mixture = signals(seed=seed)
    left = 10 ** (gain_db / 20) * mixture[np.newaxis]
    found = log_wmse(np.zeros_like(left), left, mixture, RATE)
    assert found == pytest.approx(-4 * np.log(10 ** (gain_db / 10) + 1e-8), abs=0.05)


@given(st.integers(0, 99), st.floats(0.05, 0.95))
def test_less_error_scores_more_up_to_a_bound(seed, less):
    references, estimates, mixture = signals(2, seed)
    better = references + less * (estimates - references)
    found = [log_wmse(references, e, mixture, RATE) for e in (estimates, better, references)]
    assert (found[0] < found[1]).all()
    assert (found[1] < found[2]).all()
    assert found[2] == pytest.approx(PERFECT)


def test_channels_are_scored_by_themselves_and_those_with_a_silent_mixture_left_out():
    references, estimates, mixture = signals(2)
    alone = [log_wmse(references[..., c], estimates[..., c], mixture[:, c], RATE) for c in range(2)]
    found = log_wmse(references, estimates, mixture, RATE)
    np.testing.assert_allclose(found, np.mean(alone, axis=0))
    half = log_wmse(references, estimates, mixture * [1, 0], RATE)
    np.testing.assert_allclose(half, alone[0])
    assert np.isnan(log_wmse(references, estimates, 0 * mixture, RATE)).all()


@pytest.mark.parametrize(
    ("rate", "n_channels", "silent", "expected"),
    [
        (44100, 1, False, 14.536472),
        (44100, 2, False, 13.227268),
        (44100, 2, True, 13.169603),
        (16000, 1, False, 21.69098),
        (48000, 2, True, 12.472828),
    ],
)
def test_scores_are_those_of_the_original(rate, n_channels, silent, expected):
    """log-wmse-audio-quality 0.2.0 printed them for these signals, in float32."""
    reference, noise, mixture = seeded_noise((3, 20000, n_channels), seed=0)
    reference = 0 * reference if silent else reference.cumsum(axis=0) / 50
    estimate = reference + 0.03 * noise.cumsum(axis=0)
    mixture = mixture + reference
    copies = reference.copy(), estimate.copy(), mixture.copy()
    found = log_wmse(reference[np.newaxis], estimate[np.newaxis], mixture, rate)
    assert found == pytest.approx(expected, abs=1e-5)
    for signal, copy in zip((reference, estimate, mixture), copies):
        np.testing.assert_array_equal(signal, copy)


@pytest.mark.parametrize(
    ("frequency", "decibel"), [(50, -16.0), (1000, 1.3), (3000, 4.2), (16000, -11.8)]
)
def test_frequencies_weigh_as_the_tests_of_the_original_say(frequency, decibel):
    error = np.sin(2 * np.pi * frequency * np.arange(40_000) / RATE)[np.newaxis]
    mixture = np.zeros(40_000)
    mixture[20_000] = 1  # flat, so its RMS after the filter does not depend on the frequency
    level = 2e-3  # keeps the samples above the tolerance, and the score below its bound
    at_1000 = np.sin(2 * np.pi * 1000 * np.arange(40_000) / RATE)[np.newaxis]
    found = [log_wmse(0 * e, level * e, mixture, RATE)[0] for e in (error, at_1000)]
    relative = (found[1] - found[0]) / 4 * 10 / np.log(10)
    assert relative == pytest.approx(decibel - 1.3, abs=1.0)


def test_errors_below_minus_68_db_of_the_mixture_count_as_none():
    mixture = np.sin(2 * np.pi * 1000 * np.arange(20_000) / RATE)  # its peak is 3 dB above its RMS
    for level_db, counts in ((-72, False), (-70, True)):
        error = 10 ** (level_db / 20) * mixture[np.newaxis]
        found = log_wmse(0 * error, error, mixture, RATE)
        assert (found[0] < PERFECT - 0.1) == counts


def test_an_estimate_with_nan_touches_its_source_alone():
    references, estimates, mixture = signals()
    estimates[0, 7] = np.nan
    assert np.isnan(log_wmse(references, estimates, mixture, RATE)).tolist() == [True, False]


def test_references_and_mixture_must_be_finite_and_shapes_agree():
    references, estimates, mixture = signals()
    with pytest.raises(ValueError, match="references must be finite"):
        log_wmse(np.full_like(references, np.inf), estimates, mixture, RATE)
    with pytest.raises(ValueError, match="mixture must be finite"):
        log_wmse(references, estimates, np.full_like(mixture, np.nan), RATE)
    with pytest.raises(ValueError, match=r"mixture must have shape \(4000,\), as each reference"):
        log_wmse(references, estimates, mixture[:-1], RATE)
    with pytest.raises(ValueError, match="references and estimates must have one shape"):
        log_wmse(references, estimates[:, :-1], mixture, RATE)
