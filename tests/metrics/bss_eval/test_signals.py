import numpy as np
import pytest

from sksvs.audio import ArrayWaveform, Sources
from sksvs.metrics import bss_eval_images, bss_eval_sources, nsdr, score_tracks, si_sdr
from tests.strategies import seeded_noise


def score_as_track(references, estimates):
    return score_tracks([("song.wav", references, estimates)])


@pytest.mark.parametrize("compare", [bss_eval_sources, bss_eval_images, si_sdr, score_as_track])
@pytest.mark.parametrize("shape", [(48000, 2), (65, 1000), (5, 3)])
def test_time_on_the_wrong_axis_is_named(compare, shape):
    sideways = np.ones(shape)
    message = rf"got \({shape[0]}, {shape[1]}\), which is {shape[0]} .* Transpose them: time is"
    with pytest.raises(ValueError, match=f"references .*{message}"):
        compare(sideways, sideways)
    with pytest.raises(ValueError, match=f"estimates .*{message}"):
        compare(np.ones((2, 1000)), sideways)


@pytest.mark.parametrize("compare", [bss_eval_images, si_sdr])
@pytest.mark.parametrize("shape", [(2, 2, 48000), (2, 3, 5), (48000, 2, 2), (5, 3, 2)])
def test_channels_before_time_are_named(compare, shape):
    with pytest.raises(ValueError, match=r"sample\(s\)\. Transpose them: time is the second axis"):
        compare(np.ones(shape), np.ones(shape))


@pytest.mark.parametrize("compare", [bss_eval_sources, bss_eval_images, si_sdr, score_as_track])
def test_sources_of_several_lengths_are_named_with_their_shapes(compare):
    good = seeded_noise((2, 30), seed=0)
    ragged = [good[0], good[1, :20]]
    message = r"must have one shape .* source 0 is \(30,\), and that of source 1 is \(20,\)\. Cut"
    object_array = np.empty(2, dtype=object)
    object_array[:] = ragged
    for signals in (ragged, tuple(ragged), [list(s) for s in ragged], object_array):
        with pytest.raises(ValueError, match=f"references .*{message}"):
            compare(signals, good)
        with pytest.raises(ValueError, match=f"estimates .*{message}"):
            compare(good, signals)
    with pytest.raises(ValueError, match="source 0 is none: it is ragged"):
        compare([[[1.0], [1.0, 2.0]], [[1.0], [1.0]]], good)


def test_a_list_of_sources_is_as_good_as_an_array():
    sources, noise = seeded_noise((2, 2, 900), seed=0)
    expected = bss_eval_sources(sources, sources + noise)
    waveforms = [ArrayWaveform(s) for s in sources]
    for references in (list(sources), sources.tolist(), waveforms, Sources(waveforms)):
        np.testing.assert_array_equal(bss_eval_sources(references, sources + noise), expected)
        score = score_as_track(references, list(sources + noise))
        assert score.sources["sdr"].tolist() == expected.sdr.tolist()


def test_what_is_wrong_with_the_samples_of_a_list_is_still_said():
    bad = [ArrayWaveform(np.array([1.0, np.nan, 1.0]), name=f"{i}.wav") for i in range(2)]
    with pytest.raises(ValueError, match=r"0\.wav has 1 sample\(s\) that are NaN"):
        bss_eval_sources(bad, np.ones((2, 3)))


def test_nsdr_names_what_lies_on_its_side():
    sideways = np.ones((48000, 2))
    with pytest.raises(ValueError, match="Transpose them"):
        nsdr(sideways, sideways, np.ones(2))


def test_the_track_is_named():
    with pytest.raises(ValueError, match=r"the references of song\.wav must have shape"):
        score_as_track(np.ones((48000, 2)), np.ones((2, 48000)))
    with pytest.raises(ValueError, match=r"the estimates of song\.wav must have shape"):
        score_as_track(np.ones((2, 48000)), np.ones((48000, 2)))


def test_one_sample_has_figures_whatever_the_number_of_sources():
    sources = np.array([[1.0], [2.0], [-1.0]])
    assert si_sdr(sources, 2 * sources).tolist() == [np.inf] * 3
