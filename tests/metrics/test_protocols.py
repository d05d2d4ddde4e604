from dataclasses import replace

import numpy as np
import pytest
from sklearn.exceptions import UndefinedMetricWarning

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
        if not protocol.variant.images:
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


def test_windows_need_a_sample_rate():
    with pytest.raises(
        ValueError, match=r"a\.wav has no known sample rate, and .* windows of 30 s"
    ):
        PROTOCOLS["sisec2016"].ranges(1000, None, "a.wav")
    assert PROTOCOLS["huang2014"].ranges(1000, None, "a.wav") == [(0, 1000)]


def test_every_protocol_says_its_name_source_and_variant():
    for name, protocol in PROTOCOLS.items():
        assert get_protocol(name) is protocol is get_protocol(protocol)
        assert name == protocol.name
        assert len(protocol.source) > 20
        assert str(protocol.variant).startswith("BSS Eval version")
    gain_only = short("huang2014").variant._replace(filter_length=1)
    assert str(gain_only) == "BSS Eval version 2, sources, gain only"
    with pytest.raises(ValueError, match="protocol must be one of 'whole_tracks', 'huang2014'"):
        get_protocol("sisec")
