"""What is learnt from is paired with its sources; a mixture that is not their sum is named once."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform
from sksvs.datasets import load_dsd100, load_mir1k
from sksvs.estimators import MixtureBaseline, VotingSeparator
from sksvs.metrics import evaluate
from sksvs.training.measured_tracks import measured_tracks, training_tracks
from sksvs.transforms import IRMTarget, MonoDownmix, ideal_ratio_mask
from tests.strategies import seeded_noise
from tests.tiny_separators import analysed, tiny_separator


@pytest.fixture(scope="module")
def wrong(tracks):
    """Return tracks of which the second is mixed with another accompaniment, at -12 dB."""
    X, y = tracks
    noise = seeded_noise(len(X[1]), seed=0)
    noise *= 10 ** (-12 / 20) * np.std(X[1]) / np.std(noise)
    return [X[0], ArrayWaveform(X[1] + noise, name="the song"), X[2]], y


WARNING = r"the song is not the sum of its sources: the difference has -12\.\d dB of its energy"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("separator", "held_out"),
    [
        (tiny_separator(max_iter=1), [False, False, True]),
        (tiny_separator(max_iter=1), [False, True, False]),
        (VotingSeparator([(n, tiny_separator(max_iter=1)) for n in "ab"]), [False, True, False]),
        (VotingSeparator([(n, tiny_separator(max_iter=1)) for n in "ab"], n_jobs=2), None),
    ],
)
def test_it_is_named_once_when_it_is_learnt_from_or_held_out(wrong, separator, held_out):
    with pytest.warns(UserWarning, match=WARNING) as caught:
        separator.fit(*analysed(*wrong), validation_tracks=held_out)
    # joblib may say in between that it has replaced a worker.
    assert sum(re.search(WARNING, str(x.message)) is not None for x in caught) == 1


def test_it_is_named_once_when_it_comes_several_times(wrong):
    X, y = ([tracks[i] for i in (0, 1, 1, 2, 1)] for tracks in wrong)
    with pytest.warns(UserWarning, match=WARNING) as caught:
        measured = measured_tracks(training_tracks(*analysed(X, y), None))
    assert len(caught) == 1
    assert [measured.index(x) for x in measured] == [0, 1, 1, 3, 1]


def test_a_mixture_with_other_sources_is_another_track(tracks):
    x, sources = ArrayWaveform(tracks[0][0]), tracks[1][0]
    others = sources[::-1]
    X = analysed([x, x, x])
    chosen = training_tracks(X, [sources, others, sources], None)
    assert [chosen.index(one) for one in chosen] == [0, 1, 0]
    np.testing.assert_array_equal(chosen[1].target.sources[0].waveform[:], others[0])


def test_it_is_named_once_when_it_is_scored(wrong):
    X = analysed(wrong[0])
    baseline = MixtureBaseline().fit(X, wrong[1])
    for score in (
        baseline.score,
        lambda X, y: evaluate(baseline, X, y, mixture=True),
        lambda X, y: evaluate(baseline, X, y, protocol="huang2014", n_jobs=2),
    ):
        with pytest.warns(UserWarning, match=WARNING) as caught:
            score(X, wrong[1])
        assert len(caught) == 1


def test_a_sum_with_rounding_or_a_constant_is_one(tracks):
    X, y = tracks
    mixtures = [np.round(x * 2**15) / 2**15 + 0.3 for x in X]
    measured_tracks(training_tracks(*analysed(mixtures, y), None))
    MixtureBaseline().fit(analysed(X), y).score(analysed(mixtures), y)


def test_tracks_are_measured_once_however_often_they_are_asked_for(tracks):
    once = measured_tracks(training_tracks(*analysed(*tracks), None))
    again = measured_tracks(once)
    assert [x.waveform for x in again] == [x.waveform for x in once]
    assert all(s.waveform.measurement.is_done for x in once for s in x.target.sources)


@settings(max_examples=20)
@given(
    n_sources=st.integers(2, 4),
    n_channels=st.sampled_from([0, 2]),
    p=st.sampled_from([0.7, 1.0, 2.0]),
    v=st.sampled_from([0.5, 1.0, 2.0]),
    downmix=st.booleans(),
)
def test_a_target_has_the_masks_of_the_downmixes(n_sources, n_channels, p, v, downmix):
    shape = (n_sources, 500, n_channels) if n_channels else (n_sources, 500)
    sources = seeded_noise(shape, seed=n_sources)
    mixture = sources.sum(axis=0)
    X, y = analysed(MonoDownmix().transform([mixture]) if downmix else [mixture], [sources])
    (track,) = training_tracks(IRMTarget(p, v).fit_transform(X), y, None)
    means = sources.mean(axis=2) if n_channels else sources
    magnitudes = np.stack([np.abs(s.stft) for s in analysed(list(means))])
    expected = ideal_ratio_mask(magnitudes, p, v)
    assert track.target.n_sources == n_sources
    # From float32 spectra; a mask amplifies rounding where all sources are nearly silent.
    np.testing.assert_allclose(track.target.masks(0, track.n_frames), expected, atol=1e-3)
    np.testing.assert_allclose(track.target.masks(3, 6), expected[..., 3:6], atol=1e-3)


def test_real_recordings_as_they_are_loaded_are_the_sums_of_their_sources(mir1k_root, dsd100_root):
    X, y = load_mir1k(mir1k_root, "dev", return_X_y=True)
    songs = load_dsd100(dsd100_root, "dev")
    for tracks in ((X, y), (songs.X, songs.y)):
        measured_tracks(training_tracks(*analysed(*tracks), None))
