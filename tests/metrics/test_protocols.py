import warnings
from dataclasses import replace

import mir_eval
import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

from benchmarks.peers import museval_metrics
from sksvs.metrics import PROTOCOLS, SeparationScore, bss_eval_images, bss_eval_sources, nsdr
from sksvs.metrics.protocols import get_protocol
from sksvs.metrics.scores import score_track
from tests.strategies import seeded_noise

RATE = 100  # Hz: windows of 30 s are 3000 samples


def track(n_samples, seed, leak):
    """Return (references, estimates, mixture) of a stereo track."""
    references = seeded_noise((2, n_samples, 2), seed)
    estimates = (
        references + leak * references[::-1] + 0.1 * seeded_noise((2, n_samples, 2), seed + 1)
    )
    return references, estimates, references.sum(axis=0)


def short(name):
    """Return a protocol with short filters, which are fast."""
    protocol = PROTOCOLS[name]
    return replace(protocol, variant=protocol.variant._replace(filter_length=8))


def score(protocol, tracks):
    """Return the score of tracks by a protocol, of their left channels where it wants sources."""
    scores = []
    for i, (references, estimates, mixture) in enumerate(tracks):
        if not protocol.images:
            references, estimates, mixture = references[..., 0], estimates[..., 0], mixture[:, 0]
        scores.append(score_track(f"{i}", references, estimates, protocol, mixture, RATE))
        scores[-1].warn()
    return SeparationScore(scores, protocol)


TRACKS = [track(6000, 1, 0.1), track(1000, 3, 0.3), track(4700, 5, 0.9)]


def test_huang2014_weights_nsdr_sir_and_sar_by_length():
    found = score(short("huang2014"), TRACKS)
    values, weights = [], []
    for references, estimates, mixture in TRACKS:
        mono = references[..., 0], estimates[..., 0]
        figures = bss_eval_sources(*mono, filter_length=8)
        gained = nsdr(*mono, mixture[:, 0], filter_length=8)
        values.append([gained[0], figures.sir[0], figures.sar[0]])
        weights.append(len(mixture))
    expected = np.average(values, axis=0, weights=weights)
    assert [found.nsdr, found.sir, found.sar] == pytest.approx(expected)
    assert float(found) == found.nsdr


def by_mir_eval(references, estimates):
    """Return SDR, SIR and SAR of the voice by version 3, the estimates in their best order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mir_eval 0.8 announces that 0.9 drops the module
        found = mir_eval.separation.bss_eval_sources(references, estimates, True)
    return np.array([scores[0] for scores in found[:3]])


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_park2018_orders_the_estimates_and_weights_by_length(order):
    found = score(short("park2018"), [(s, e[order], x) for s, e, x in TRACKS])
    in_order = score(short("huang2014"), TRACKS)
    for metric in ("nsdr", "sir", "sar"):
        assert found.sources[metric] == pytest.approx(in_order.sources[metric])


@pytest.mark.slow
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_park2018_is_mir_eval_with_permutation_weighted_by_length(order):
    tracks = [(s[:, :n], e[order, :n], x[:n]) for n, (s, e, x) in zip((3000, 1000), TRACKS)]
    found = score(PROTOCOLS["park2018"], tracks)
    values = []
    for references, estimates, mixture in (tuple(x[..., 0] for x in t) for t in tracks):
        scores = by_mir_eval(references, estimates)
        scores[0] -= by_mir_eval(references, np.stack([mixture, mixture]))[0]
        values.append(scores)
    expected = np.average(values, axis=0, weights=[3000, 1000])
    assert [found.nsdr, found.sir, found.sar] == pytest.approx(expected, abs=1e-6)
    assert found.sir > 5  # in whatever order the estimates are


def test_with_permutation_a_window_without_an_order_has_no_scores():
    references, estimates, mixture = track(3000, 1, 0.1)
    estimates[1] = 0
    with pytest.warns(UndefinedMetricWarning, match="makes the mean NaN"):
        found = score(short("park2018"), [(references, estimates, mixture)])
    assert np.isnan([*found.sources["nsdr"], *found.sources["sar"]]).all()


def test_csdr_is_museval_with_medians_over_frames_and_tracks():
    found, again = (score(short(name), TRACKS) for name in ("csdr", "musdb18"))
    medians = []
    for references, estimates, _ in TRACKS:
        theirs = museval_metrics().bss_eval(references, estimates, RATE, RATE, False, 8, False)
        medians.append(np.nanmedian(theirs[0], axis=1))
    assert found.sources["sdr"] == pytest.approx(np.median(medians, axis=0), abs=1e-6)
    for metric in ("sdr", "isr", "sir", "sar"):
        np.testing.assert_array_equal(again.sources[metric], found.sources[metric])
    assert PROTOCOLS["csdr"].variant == PROTOCOLS["musdb18"].variant


def test_mdx_is_the_mean_of_plain_energy_ratios_over_all_channels():
    found = score(PROTOCOLS["mdx"], TRACKS)
    ratios = [
        10 * np.log10(np.sum(s**2, axis=(1, 2)) / np.sum((s - e) ** 2, axis=(1, 2)))
        for s, e, _ in TRACKS
    ]
    assert found.sources["usdr"] == pytest.approx(np.mean(ratios, axis=0), abs=1e-6)
    assert found.variant == "no BSS Eval"


def test_other_metrics_are_computed_window_by_window():
    window, hop = 3000 / 44100, 1500 / 44100
    protocol = replace(PROTOCOLS["mdx"], window=window, hop=hop, metrics=("usdr", "log_wmse"))
    references, estimates, mixture = TRACKS[2]
    estimates = estimates.copy()
    estimates[:, 3000:] = references[:, 3000:]  # perfect after the first window
    found = score_track("a", references, estimates, protocol, mixture, 44100)
    assert found.ranges == ((0, 3000), (1500, 4500))
    for values in found.windows.values():
        assert (values[:, 1] > values[:, 0] + 2).all()


def test_metrics_that_a_protocol_cannot_have_are_refused():
    with pytest.raises(ValueError, match=r"'nsdr', 'usdr', 'log_wmse' for BSS Eval .* \('isr',\)"):
        replace(PROTOCOLS["whole_tracks"], metrics=("isr",))
    with pytest.raises(ValueError, match=r"one or more of 'usdr', 'log_wmse' for no BSS Eval"):
        replace(PROTOCOLS["mdx"], metrics=("sdr",))
    with pytest.raises(ValueError, match=r"one or more of .* got \(\)"):
        replace(PROTOCOLS["mdx"], metrics=())


def test_sisec2016_is_the_median_of_means_over_windows_of_30_s():
    found = score(short("sisec2016"), TRACKS)
    means = [
        bss_eval_images(r, e, 3000, 1500, filter_length=8).sdr.mean(axis=1) for r, e, _ in TRACKS
    ]
    assert [t.windows["sdr"].shape[1] for t in found.tracks] == [3, 1, 2]
    assert found.sources["sdr"] == pytest.approx(np.median(means, axis=0))


def test_musdb18_is_the_median_of_medians_over_windows_of_1_s():
    found = score(short("musdb18"), TRACKS)
    medians = [
        np.median(bss_eval_images(r, e, 100, framewise_filters=False, filter_length=8).isr, axis=1)
        for r, e, _ in TRACKS
    ]
    assert [t.windows["sdr"].shape[1] for t in found.tracks] == [60, 10, 47]
    assert found.sources["isr"] == pytest.approx(np.median(medians, axis=0))


@pytest.mark.parametrize("name", ["sisec2016", "musdb18"])
def test_windows_with_a_silent_reference_are_left_out_of_a_track(name):
    references, estimates, mixture = track(7000, 7, 0.2)
    references[0, :3500] = 0
    found = score(short(name), [(references, estimates, mixture)])
    defined = ~np.isnan(found.tracks[0].windows["sdr"][0])
    assert defined.any()
    assert not defined.all()
    reduce = np.mean if name == "sisec2016" else np.median
    assert found.sdr == pytest.approx(reduce(found.tracks[0].windows["sdr"][0, defined]))


def test_a_track_whose_sources_never_sound_together_is_left_out():
    references, estimates, mixture = track(4000, 9, 0.2)
    references[0, :2000], references[1, 2000:] = 0, 0
    with pytest.warns(UndefinedMetricWarning, match="left out .* in every window a reference is"):
        found = score(short("musdb18"), [TRACKS[0], (references, estimates, mixture)])
    assert found.sdr == pytest.approx(score(short("musdb18"), TRACKS[:1]).sdr)


def test_an_estimate_that_is_silent_where_it_counts_makes_the_mean_nan():
    references, estimates, mixture = track(4000, 11, 0.2)
    references[0, :2000], estimates[0, 2000:] = 0, 0
    with pytest.warns(UndefinedMetricWarning, match="NaN: in every window a reference or the est"):
        found = score(short("musdb18"), [TRACKS[0], (references, estimates, mixture)])
    assert np.isnan(found.sdr)


def test_windows_without_a_hop_follow_one_another():
    protocol = replace(PROTOCOLS["musdb18"], window=2.0, hop=None)
    assert protocol.ranges(50, 10, "song.wav") == [(0, 20), (20, 40)]


def test_windows_need_a_sample_rate():
    with pytest.raises(
        ValueError, match=r"a\.wav has no known sample rate, and .* windows of 30 s"
    ):
        PROTOCOLS["sisec2016"].ranges(1000, None, "a.wav")
    assert PROTOCOLS["huang2014"].ranges(1000, None, "a.wav") == [(0, 1000)]
    with pytest.raises(ValueError, match="no known sample rate, and .*'log_wmse' weighs frequenc"):
        PROTOCOLS["log_wmse"].ranges(1000, None, "a.wav")


def test_every_protocol_says_its_name_source_and_variant():
    for name, protocol in PROTOCOLS.items():
        assert get_protocol(name) is protocol is get_protocol(protocol)
        assert name == protocol.name
        assert len(protocol.source) > 20
        assert protocol.method.startswith("BSS Eval version" if protocol.variant else "no BSS Eval")
    gain_only = short("huang2014").variant._replace(filter_length=1)
    assert str(gain_only) == "BSS Eval version 2, sources, gain only"
    with pytest.raises(ValueError, match="protocol must be one of 'whole_tracks', 'huang2014'"):
        get_protocol("sisec")
