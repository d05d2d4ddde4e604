import itertools
import warnings

import mir_eval
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.peers import museval_metrics
from sksvs.datasets import load_dsd100, load_mir1k
from sksvs.metrics import bss_eval_images, bss_eval_sources, nsdr
from sksvs.metrics.bss_eval import correlations
from sksvs.metrics.bss_eval.decomposition import NOTHING
from tests.strategies import seeded_noise

museval = museval_metrics()


def coloured_noise(shape, seed):
    """Return noise of shape (n_sources, n_samples[, n_channels]) every source of its own colour."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(shape)
    for source in noise:
        source[:] = scipy.signal.lfilter(rng.standard_normal(6), [1.0, -0.5], source, axis=0)
    return noise * 10 ** rng.uniform(-2, 1, (shape[0], *(len(shape) - 1) * [1]))


def separate_badly(references, seed):
    """Return estimates with leakage, filtering, artifacts and gains."""
    rng = np.random.default_rng(seed)
    leaked = np.tensordot(rng.uniform(-0.3, 0.3, 2 * (len(references),)), references, 1)
    filtered = scipy.signal.lfilter([1.0, 0.0, rng.uniform(-0.5, 0.5)], 1.0, references, axis=1)
    noise = rng.uniform(0.01, 0.3) * rng.standard_normal(references.shape) * references.std()
    return rng.uniform(0.1, 3) * (leaked + filtered + noise)


@st.composite
def separations(draw, max_sources=4, channels=(1, 2), samples=(900, 2501)):
    """Draw references and estimates of (n_sources, n_samples, n_channels), an odd length."""
    n_samples = 2 * draw(st.integers(*(n // 2 for n in samples))) + 1
    shape = (draw(st.integers(1, max_sources)), n_samples, draw(st.sampled_from(channels)))
    seed = draw(st.integers(0, 2**31))
    references = coloured_noise(shape, seed)
    return references, separate_badly(references, seed + 1)


def assert_agree(ours, theirs):
    """Hold figures equal where theirs are finite and within 80 dB, and NaN to NaN."""
    for mine, other in zip(ours, theirs, strict=True):
        mine, other = np.asarray(mine), np.asarray(other).reshape(np.shape(mine))
        judged = np.abs(other) <= 80
        assert mine[judged] == pytest.approx(other[judged], abs=1e-6)
        np.testing.assert_array_equal(np.isnan(mine), np.isnan(other))


def ask_mir_eval(function, *arguments):
    with warnings.catch_warnings():
        # mir_eval 0.8 announces that 0.9 drops the module; a single source has an infinite SIR.
        warnings.simplefilter("ignore")
        return getattr(mir_eval.separation, function)(*arguments)


@pytest.mark.slow
@settings(max_examples=5)
@given(separations(channels=[1], samples=(3000, 5001)), st.booleans())
def test_sources_are_those_of_mir_eval(separation, permutation):
    references, estimates = (x[..., 0] for x in separation)
    permutation &= len(references) < 4  # mir_eval takes a minute for 4
    estimates = np.roll(estimates, 1, axis=0) if permutation else estimates
    theirs = ask_mir_eval("bss_eval_sources", references, estimates, permutation)
    assert_agree(bss_eval_sources(references, estimates, permutation=permutation), theirs)


@pytest.mark.slow
@settings(max_examples=4)
@given(separations(max_sources=2, samples=(3000, 5001)), st.booleans())
def test_images_are_those_of_mir_eval(separation, permutation):
    theirs = ask_mir_eval("bss_eval_images", *separation, permutation)
    assert_agree(bss_eval_images(*separation, permutation=permutation), theirs)


@pytest.mark.parametrize("window", [1999, 2999, 9001], ids=["two", "just one", "none"])
def test_windows_of_version_3_are_those_of_mir_eval(window):
    references = coloured_noise((2, 4001), seed=1)
    references[1, :2100] = 0
    estimates = separate_badly(references, seed=2)
    theirs = ask_mir_eval("bss_eval_sources_framewise", references, estimates, window, 1500)
    found = bss_eval_sources(references, estimates, window, 1500)
    assert_agree(found[:3], theirs[:3])  # mir_eval has no permutation where there are no figures


def test_windows_of_images_of_version_3_are_those_of_mir_eval():
    references = coloured_noise((2, 4001, 2), seed=1)
    estimates = separate_badly(references, seed=2)
    theirs = ask_mir_eval("bss_eval_images_framewise", references, estimates, 2500, 1501)
    assert_agree(bss_eval_images(references, estimates, 2500, 1501), theirs)


@pytest.mark.slow
@settings(max_examples=25)
@given(
    separations(),
    st.integers(1, 40),
    st.sampled_from([(400, 400), (500, 333), (2000, 300), (9000, 1)]),
    st.booleans(),
    st.booleans(),
)
def test_images_of_versions_3_and_4_are_those_of_museval(
    separation, filter_length, frames, framewise, permutation
):
    window, hop = frames
    if framewise and (separation[0].shape[1] - window) // hop < 1:
        window = np.inf  # with a single window version 3 takes the whole signals, as mir_eval does
    theirs = museval.bss_eval(
        *separation, window, hop, permutation, filter_length, framewise_filters=framewise
    )
    theirs = [np.broadcast_to(figure, theirs[0].shape) for figure in theirs]
    ours = bss_eval_images(
        *separation,
        *frames,
        framewise_filters=framewise,
        filter_length=filter_length,
        permutation=permutation,
    )
    assert_agree(ours, theirs)


@settings(max_examples=15)
@given(separations(channels=[1]), st.integers(1, 40))
def test_sources_with_filters_of_any_length_are_those_of_museval(separation, filter_length):
    sdr, _, sir, sar, order = museval.bss_eval(
        *separation, np.inf, np.inf, False, filter_length, True, bsseval_sources_version=True
    )
    ours = bss_eval_sources(*(x[..., 0] for x in separation), filter_length=filter_length)
    assert_agree(ours, [sdr, sir, sar, order])


def test_windows_with_a_silent_reference_are_those_of_museval():
    references = coloured_noise((2, 4000, 2), seed=3)
    references[0, 900:2100] = 0
    estimates = separate_badly(references, seed=4)
    theirs = museval.bss_eval(references, estimates, 500, 500, filters_len=32)
    ours = bss_eval_images(references, estimates, 500, framewise_filters=False, filter_length=32)
    assert np.isnan(ours.sdr).sum(axis=1).tolist() == [2, 2]
    assert_agree(ours[:4], theirs[:4])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "loader", "track"), [("mir1k", load_mir1k, 0), ("dsd100", load_dsd100, 1)]
)
def test_real_recordings_score_as_mir_eval_and_museval_say(request, folder, loader, track):
    X, y = loader(request.getfixturevalue(f"{folder}_root"), "dev", return_X_y=True)
    n_samples = 2 * X[track].sample_rate - 1
    references = np.asarray(y[track], dtype=np.float64)[:, 20_000 : 20_000 + n_samples]
    noise = 0.01 * references.std() * seeded_noise(references.shape, seed=5)
    estimates = references + 0.2 * references[::-1] + noise
    theirs = ask_mir_eval("bss_eval_images", references, estimates, False)
    assert_agree(bss_eval_images(references, estimates), theirs)
    window = n_samples // 3
    theirs = museval.bss_eval(references, estimates, window, window)
    ours = bss_eval_images(references, estimates, window, framewise_filters=False)
    assert_agree(ours[:4], theirs[:4])
    mono = (x.reshape(2, n_samples, -1)[..., 0] for x in (references, estimates))
    references, estimates = mono
    theirs = ask_mir_eval("bss_eval_sources", references, estimates, False)
    assert_agree(bss_eval_sources(references, estimates), theirs)


@settings(max_examples=10)
@given(decibel=st.floats(-30, 60), gain=st.sampled_from([1e-6, 1.0, 50.0]))
def test_leakage_between_orthogonal_sources_is_the_sir_whatever_the_gain(decibel, gain):
    # Tones of whole periods are orthogonal; gain-only filters keep them so.
    time = np.arange(2000)
    sources = np.sin(2 * np.pi * np.array([[100], [420]]) / 2000 * time)
    leak = 10 ** (-decibel / 20)
    scores = bss_eval_sources(
        sources, gain * np.stack([sources[0] + leak * sources[1], sources[1]]), filter_length=1
    )
    assert scores.sir[0] == pytest.approx(decibel, abs=1e-6)
    assert scores.sdr[0] == pytest.approx(decibel, abs=1e-6)
    assert scores.sar[0] > 200


def test_three_orthogonal_parts_are_told_apart():
    time = np.arange(2000)
    tones = np.sin(2 * np.pi * np.array([[100], [420], [777]]) / 2000 * time)
    sources = tones[:2]
    estimate = tones[0] + 0.1 * tones[1] + 0.01 * tones[2]
    scores = bss_eval_sources(sources, np.stack([estimate, sources[1]]), filter_length=1)
    assert scores.sdr[0] == pytest.approx(-10 * np.log10(0.1**2 + 0.01**2))
    assert scores.sir[0] == pytest.approx(20)
    assert scores.sar[0] == pytest.approx(10 * np.log10((1 + 0.1**2) / 0.01**2))
    images = bss_eval_images(sources, np.stack([2 * estimate, sources[1]]), filter_length=1)
    assert images.isr[0] == pytest.approx(0)  # doubling is as far from the source as silence
    assert images.sdr[0] == pytest.approx(-10 * np.log10(1 + 0.2**2 + 0.02**2))


def test_a_filter_is_no_distortion_of_a_source_but_one_of_its_image():
    sources = np.pad(seeded_noise((2, 8000), seed=3), ((0, 0), (0, 400)))
    echo = scipy.signal.lfilter([1.0] + 300 * [0.0] + [0.5], 1.0, sources)
    assert (bss_eval_sources(sources, echo).sdr > 150).all()
    assert bss_eval_images(sources, echo).sdr == pytest.approx(20 * np.log10(2), abs=0.1)
    assert (bss_eval_sources(sources, echo, filter_length=300).sdr < 10).all()


@settings(max_examples=15)
@given(separations(channels=[1, 2], samples=(901, 1501)), st.sampled_from([1e-8, 3.0, 1e6]))
def test_the_gain_of_an_estimate_does_not_count(separation, gain):
    references, estimates = (x[..., 0] for x in separation)
    plain = bss_eval_sources(references, estimates, filter_length=20)
    louder = bss_eval_sources(references, gain * estimates, filter_length=20)
    softer = bss_eval_sources(gain * references, estimates, filter_length=20)
    for figures in (louder, softer):
        assert_agree(figures, plain)


@settings(max_examples=15)
@given(separations(samples=(901, 1501)), st.integers(0, 23))
def test_permuted_references_permute_the_figures(separation, index):
    references, estimates = separation
    orders = list(itertools.permutations(range(len(references))))
    order = list(orders[index % len(orders)])
    plain = bss_eval_images(references, estimates, filter_length=9)
    both = bss_eval_images(references[order], estimates[order], filter_length=9)
    assert_agree(both[:4], [figure[order] for figure in plain[:4]])
    found = bss_eval_images(references, estimates[order], filter_length=9, permutation=True)
    best = bss_eval_images(references, estimates, filter_length=9, permutation=True)
    assert [order[k] for k in found.permutation] == best.permutation.tolist()
    assert_agree(found[:4], best[:4])


def test_no_permutation_is_searched_unless_asked_for():
    sources = seeded_noise((2, 8000), seed=4)
    estimates = sources + 0.1 * seeded_noise((2, 8000), seed=5)
    swapped = bss_eval_sources(sources, estimates[::-1])
    assert swapped.sdr.max() < 0
    assert swapped.permutation.tolist() == [0, 1]
    found = bss_eval_sources(sources, estimates[::-1], 4000, permutation=True)
    assert found.sdr.min() > 15
    assert found.permutation.tolist() == [[1, 1], [0, 0]]


def test_the_length_of_blocks_and_pieces_does_not_change_the_figures(monkeypatch):
    references = coloured_noise((2, 9001, 2), seed=6)
    estimates = separate_badly(references, seed=7)
    settings = {"window": 3000, "framewise_filters": False, "filter_length": 100}
    whole = bss_eval_images(references, estimates, **settings)
    monkeypatch.setattr(correlations, "PIECE_LENGTH", 1500)
    pieces = bss_eval_images(references, estimates, **settings)
    np.testing.assert_allclose(pieces[:4], whole[:4], atol=1e-9)


def test_each_estimate_is_judged_by_itself():
    sources = seeded_noise((2, 8000), seed=6)
    estimates = sources + 0.1 * sources[::-1]
    alone = estimates.copy()
    alone[1] = np.nan
    scores = bss_eval_sources(sources, alone)
    assert scores.sdr[0] == pytest.approx(bss_eval_sources(sources, estimates).sdr[0], abs=1e-9)
    assert np.isnan([scores.sdr[1], scores.sir[1], scores.sar[1]]).all()


@pytest.mark.parametrize("backend", ["sksvs", "mir_eval"])
@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_what_is_undefined_is_nan(value, backend):
    sources = seeded_noise((2, 2000), seed=7)
    dead = sources.copy()
    dead[0] = value
    sdr = bss_eval_sources(sources, dead, backend=backend).sdr
    assert np.isnan(sdr).tolist() == [True, False]
    if value == 0:
        assert np.isnan(bss_eval_sources(dead, sources, backend=backend)[:3]).all()
    else:
        with pytest.raises(ValueError, match="references must be finite; reference 0 holds"):
            bss_eval_sources(dead, sources, backend=backend)


def test_windows_where_an_estimate_is_silent_leave_the_other_its_figures():
    sources = seeded_noise((2, 3000), seed=8)
    estimates = sources + 0.1 * sources[::-1]
    estimates[0, 900:2100] = 0
    for framewise in (False, True):
        found = bss_eval_images(
            sources, estimates, 1000, framewise_filters=framewise, filter_length=8
        )
        assert np.isnan(found.sdr).tolist() == [[False, True, False], [False] * 3]


def test_a_perfect_estimate_has_no_errors_and_a_single_source_no_interference():
    sources = seeded_noise((2, 3000), seed=9)
    assert np.isinf(bss_eval_sources(sources, 2 * sources)[:3]).all()
    assert np.isinf(bss_eval_images(sources, sources)[:4]).all()
    single = bss_eval_sources(sources[:1], sources[:1] + sources[1:])
    assert single.sir[0] == np.inf
    assert single.sdr[0] == pytest.approx(single.sar[0])


def test_an_estimate_without_its_source_is_minus_infinity():
    time = np.arange(1000)
    tones = np.sin(2 * np.pi * np.array([[100], [400]]) / 1000 * time)
    scores = bss_eval_sources(tones, tones[::-1], filter_length=1)
    assert (scores.sdr == -np.inf).all()
    assert NOTHING < 1e-16  # what is taken for rounding is far below every real error


@pytest.mark.parametrize(
    ("n_samples", "filter_length"), [(1, 1), (1, 64), (40, 64), (63, 64), (90, 64), (600, 512)]
)
@pytest.mark.parametrize("kind", ["noise", "identical", "collinear", "one channel silent"])
def test_degenerate_references_have_figures(n_samples, filter_length, kind):
    references = seeded_noise((2, n_samples, 2), seed=10)
    if kind == "identical":
        references[1] = references[0]
    elif kind == "collinear":
        references[1] = references[0] * (1 + 1e-9) + 1e-12 * seeded_noise((n_samples, 2), seed=11)
    elif kind == "one channel silent":
        references[0, :, 1] = 0
    estimates = references + 0.3 * seeded_noise(references.shape, seed=12)
    taps = {"filter_length": filter_length}
    for found in (
        bss_eval_images(references, estimates, **taps),
        bss_eval_images(references, estimates, n_samples, framewise_filters=False, **taps),
        bss_eval_sources(references[..., 0], estimates[..., 0], **taps),
    ):
        assert not np.isnan(found.sdr).any()
        assert not np.isnan(found.sar).any()


def test_nsdr_is_the_gain_over_the_mixture():
    sources = seeded_noise((2, 8000), seed=8)
    mixture = sources.sum(axis=0)
    np.testing.assert_allclose(nsdr(sources, [mixture, mixture], mixture), 0, atol=1e-9)
    estimates = separate_badly(sources, seed=9)
    of_mixture = bss_eval_sources(sources, [mixture, mixture]).sdr
    expected = bss_eval_sources(sources, estimates).sdr - of_mixture
    np.testing.assert_allclose(nsdr(sources, estimates, mixture), expected, atol=1e-9)
    with pytest.raises(ValueError, match=r"mixture must have shape \(8000,\)"):
        nsdr(sources, estimates, mixture[:-1])


def test_inputs_are_not_changed_and_integers_are_taken():
    rng = np.random.default_rng(13)
    references = rng.integers(-1000, 1000, (2, 2000))
    estimates = references + rng.integers(-50, 50, (2, 2000))
    kept = references.copy(), estimates.copy()
    found = bss_eval_sources(references, estimates)
    assert found.sdr == pytest.approx(bss_eval_sources(*(x.astype(float) for x in kept)).sdr)
    assert np.array_equal(kept, (references, estimates))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 9), (2, 8)), r"one shape .* got \(2, 9\) and \(2, 8\)"),
        (((9,), (9,)), r"references must have shape \(n_sources, n_samples\); got \(9,\)"),
        (((2, 9, 2), (2, 9, 2)), "Average the channels .* or use bss_eval_images"),
        (((2, 0), (2, 0)), "references are empty"),
    ],
)
def test_shapes_must_be_mono_and_agree(shapes, message):
    with pytest.raises(ValueError, match=message):
        bss_eval_sources(np.ones(shapes[0]), np.ones(shapes[1]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"filter_length": 0}, "filter_length must be a whole number of taps"),
        ({"filter_length": 2.5}, "filter_length must be a whole number of taps"),
        ({"window": 0}, "window must be a whole number of samples"),
        ({"window": 500, "hop": 1.5}, "hop must be a whole number of samples"),
        ({"backend": "matlab"}, "backend must be 'sksvs' or 'mir_eval'"),
        ({"backend": "mir_eval", "filter_length": 1}, "mir_eval has BSS Eval version 3 with 512"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        bss_eval_sources(np.eye(2, 1000), np.eye(2, 1000), **parameters)
