"""Networks are shown a song higher and lower; what they say is moved back and averaged."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.estimators import VotingSeparator
from sksvs.prediction.transposition import TransposedNetwork, transpose_bins
from tests.strategies import seeded_noise, tiny_tracks
from tests.tiny_separators import analysed, three_sources, tiny_crn, tiny_drnn, tiny_separator

ratios = st.floats(0.5, 2.0)


@given(place=st.integers(4, 40), ratio=ratios)
def test_a_tone_moves_to_the_multiple_of_its_frequency(place, ratio):
    spectrum = np.exp(-0.5 * ((np.arange(100) - place) / 2) ** 2).astype(np.float32)
    moved = transpose_bins(spectrum, ratio)
    assert abs(moved.argmax() - ratio * place) <= 1
    assert moved.dtype == np.float32


@given(n_sources=st.integers(2, 4), ratio=ratios, seed=st.integers(0, 2**31))
def test_masks_go_on_adding_up_to_one(n_sources, ratio, seed):
    masks = np.random.default_rng(seed).random((n_sources, 3, 17), np.float32)
    masks /= masks.sum(axis=0)
    moved = transpose_bins(masks, ratio)
    np.testing.assert_allclose(moved.sum(axis=0), 1, atol=1e-6)
    assert moved.min() >= 0 and moved.max() <= 1


def test_what_is_not_transposed_is_not_copied():
    values = seeded_noise((3, 5), seed=0)
    assert transpose_bins(values, 1) is values


class Echo:
    """A network whose masks are what it sees."""

    is_causal, lookahead, beyond = False, 0, None

    def __init__(self):
        self.seen = []

    def initial_state(self):
        return []

    def run(self, features, state=()):
        self.seen.append(features)
        return features, []


def test_a_mask_comes_back_to_where_it_was_seen():
    peak = np.exp(-0.5 * ((np.arange(200) - 60) / 8) ** 2).astype(np.float32)
    echo = Echo()
    network = TransposedNetwork(echo, (0.8, 1.5), n_sources=2, n_freqs=200)
    ((output,), _) = network.run(peak[np.newaxis])
    assert [spectrum.argmax() for spectrum in echo.seen] == [48, 90]
    np.testing.assert_allclose(output, peak, atol=0.01)


@pytest.fixture(scope="module", params=["two sources", "three sources"])
def voting(request, tracks):
    X, y = tracks
    y = three_sources(y) if request.param == "three sources" else y
    members = [
        ("both_ways", tiny_separator(max_iter=1)),
        ("forwards", tiny_separator(max_iter=1, bidirectional=False)),
        ("drnn", tiny_drnn(max_iter=1)),
        ("crn", tiny_crn(max_iter=1)),
        ("crn_forwards", tiny_crn(max_iter=1, bidirectional=False)),
    ]
    return VotingSeparator(members).fit(*analysed(X, y))


def masks(voting, X, *transpositions):
    return copy.deepcopy(voting).set_params(transpositions=transpositions).predict_mask(X)[0]


def test_the_masks_are_the_mean_over_transpositions(voting):
    X = analysed(tiny_tracks(1, duration=8.0)[0])
    assert X[0].n_frames > 1200  # more than one block, of every kind of network
    lower, as_it_is, higher = (masks(voting, X, ratio) for ratio in (0.9, 1.0, 1.1))
    together = masks(voting, X, 0.9, 1.0, 1.1)
    np.testing.assert_allclose(together, (lower + as_it_is + higher) / 3, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=0), 1, atol=1e-5)
    assert abs(lower - higher).max() > 0.01


def test_to_show_a_song_twice_as_it_is_changes_nothing(voting, tracks):
    X = analysed(tracks[0])
    np.testing.assert_allclose(masks(voting, X, 1, 1), masks(voting, X, 1), atol=1e-6)


def test_a_louder_song_has_the_same_masks_in_any_transposition(voting):
    x = tiny_tracks(1)[0][0]
    soft, loud = (masks(voting, analysed([gain * x]), 0.8, 1.3) for gain in (1, 4))
    np.testing.assert_allclose(soft, loud, atol=1e-5)


@pytest.mark.parametrize(
    "wrong", [(), 1.0, (0.4,), (1.0, 2.1), (np.nan,), ("1",), (True,), (1.0,) * 9, "1.0"]
)
def test_what_are_no_factors_of_frequencies_is_refused(voting, tracks, wrong):
    message = "VotingSeparator: transpositions must be a tuple of 1 to 8 numbers from 0.5 to 2"
    with pytest.raises(ValueError, match=message):
        VotingSeparator(voting.estimators, transpositions=wrong).fit(*analysed(*tracks))
    with pytest.raises(ValueError, match=message):
        masked = copy.deepcopy(voting).set_params(transpositions=wrong)
        masked.predict(analysed(tracks[0]))
