import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform
from sksvs.audio.waveform import BLOCK_LENGTH
from sksvs.display.levels import measure_levels, song_warnings
from tests.strategies import seeded_noise


def measured(x):
    return measure_levels(ArrayWaveform(np.asarray(x, float), 1000))


def test_a_sine_of_full_scale_has_a_peak_of_0_and_an_rms_of_minus_3_db():
    sine = np.sin(2 * np.pi * np.arange(1000) / 100)
    levels = measured(np.stack([sine, sine], axis=1))
    assert levels.peak == pytest.approx(0, abs=1e-6)
    assert levels.rms == pytest.approx(-3.0103, abs=1e-4)
    assert levels.downmix == pytest.approx(0, abs=1e-6)


def test_what_the_downmix_keeps():
    one, other = seeded_noise((2, 50_000), 0)
    assert measured(np.stack([one, other], axis=1)).downmix == pytest.approx(-3.01, abs=0.1)
    assert measured(np.stack([one, -one], axis=1)).downmix == -np.inf
    # r = -0.5 of two channels of one power leaves (1 + r) / 2 of it.
    anti = np.stack([one, -0.5 * one + np.sqrt(0.75) * other], axis=1)
    assert measured(anti).downmix == pytest.approx(-6.02, abs=0.1)


def test_silence_has_no_level_and_no_warning():
    levels = measured(np.zeros((100, 2)))
    assert (levels.peak, levels.rms, levels.n_clipped) == (-np.inf, -np.inf, 0)
    assert song_warnings(levels) == []


@given(
    start=st.integers(BLOCK_LENGTH - 12, BLOCK_LENGTH + 3),
    length=st.integers(1, 9),
    sign=st.sampled_from([-1, 1]),
)
def test_a_run_at_full_scale_is_clipped_wherever_blocks_are_cut(start, length, sign):
    x = np.zeros((BLOCK_LENGTH + 20, 2))
    x[start : start + length, 1] = sign
    levels = measured(x)
    expected = (1, start / 1000) if length >= 3 else (0, None)
    assert (levels.n_clipped, levels.first_clipped) == expected


def test_clipping_from_the_first_sample_on_is_found():
    x = np.zeros(100)
    x[:3] = x[50:60] = 1
    levels = measured(x)
    assert (levels.n_clipped, levels.first_clipped) == (2, 0)


def test_warnings_say_what_was_measured():
    x = 2 * seeded_noise((5000, 1), 0) * [1, -0.9]
    x[3000:3010, 0] = 1
    clipped, phase = song_warnings(measured(np.clip(x, -1, 1)))
    assert "at full scale" in clipped and "times, first at 0:0" in clipped
    assert "The channels are out of phase: their mean has -2" in phase
    assert song_warnings(measured(0.1 * seeded_noise((5000, 2), 0))) == []
