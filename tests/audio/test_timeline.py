import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform
from sksvs.audio.timeline import SameInChannels, Timeline
from tests.strategies import seeded_noise


@given(
    gaps_and_lengths=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6)), min_size=1),
    first_start=st.integers(-8, 8),
    n_samples=st.integers(1, 60),
    cuts=st.tuples(*[st.integers(0, 60)] * 4),
    stereo=st.booleans(),
)
def test_any_range_has_what_sounds_in_it(gaps_and_lengths, first_start, n_samples, cuts, stereo):
    expected = np.zeros((500, 2) if stereo else 500, np.float32)
    waveforms, starts, end = [], [], first_start
    for i, (gap, length) in enumerate(gaps_and_lengths):
        samples = seeded_noise((length, 2) if stereo else length, i).astype(np.float32)
        waveforms.append(ArrayWaveform(samples, 8000))
        starts.append(end + gap)
        end = starts[-1] + length
        expected[100 + starts[-1] : 100 + end] = samples
    expected = expected[100 : 100 + n_samples]
    timeline = Timeline(waveforms, starts, n_samples, "a song")
    assert (timeline.shape, timeline.sample_rate) == (expected.shape, 8000)
    start, stop, inner_start, inner_stop = cuts
    np.testing.assert_array_equal(timeline[start:stop], expected[start:stop])
    if start < min(stop, n_samples):
        part = timeline.time_slice(start, stop)
        assert part.name == "a song"
        part_expected = expected[start:stop]
        np.testing.assert_array_equal(part, part_expected)
        np.testing.assert_array_equal(
            part[inner_start:inner_stop], part_expected[inner_start:inner_stop]
        )


def test_a_part_holds_only_the_waveforms_that_sound_in_it():
    beats = [ArrayWaveform(np.ones(10)) for _ in range(100)]
    timeline = Timeline(beats, range(0, 2000, 20), 2000, "beats")
    assert timeline.time_slice(205, 235).waveforms == beats[10:12]
    with pytest.raises(ValueError, match="beats has no sample between 2000 and 2010"):
        timeline.time_slice(2000, 2010)


def test_a_mono_waveform_is_the_same_in_all_channels():
    mono = ArrayWaveform(np.arange(5.0), 8000, "mono")
    stereo = SameInChannels(mono, 2)
    assert (stereo.shape, stereo.sample_rate, stereo.name) == ((5, 2), 8000, "mono")
    np.testing.assert_array_equal(stereo[1:3], [[1, 1], [2, 2]])
