import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.display.pictures import (
    MAX_COLUMNS,
    N_ROWS,
    decibels,
    mask_between,
    mel,
    mel_powers,
    to_png,
    top_frequency,
)
from tests.strategies import waveforms


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 96000])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
def test_a_sine_is_in_the_row_of_its_mel_frequency_at_its_power(rate, share):
    row = round(share * (N_ROWS - 1))
    frequency = 700 * (10 ** (row / (N_ROWS - 1) * mel(top_frequency(rate)) / 2595) - 1)
    sine = np.sin(2 * np.pi * frequency * np.arange(2 * rate) / rate)
    powers = decibels(mel_powers(np.stack([sine, sine], axis=1), rate))
    middle = powers[:, 5:-5].mean(axis=1)
    assert abs(int(middle.argmax()) - row) <= 1
    assert middle.max() < 0.5
    assert mel_powers(0.1 * sine, rate).max() == pytest.approx(
        0.01 * mel_powers(sine, rate).max(), rel=1e-3
    )


@given(x=waveforms(), rate=st.sampled_from([100, 8000, 44100]))
def test_any_signal_has_a_picture(x, rate):
    powers = mel_powers(x, rate)
    assert powers.shape[0] == N_ROWS and 1 <= powers.shape[1] <= MAX_COLUMNS
    assert np.isfinite(powers).all() and (powers >= 0).all()
    np.testing.assert_allclose(mel_powers(2 * x, rate), 4 * powers, rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize("seconds", [0.5, 8, 100])
@pytest.mark.parametrize("when", [0.1, 0.5, 0.97])
def test_a_click_is_in_the_column_of_its_time(seconds, when):
    x = np.zeros(round(seconds * 8000))
    x[round(when * len(x))] = 1
    powers = mel_powers(x, 8000).sum(axis=0)
    width = 0.08 * 8000 / len(x)  # of a window, as a share of the picture
    centre = np.average((np.arange(len(powers)) + 0.5) / len(powers), weights=powers)
    assert abs(centre - when) < max(0.25 * width, 1 / len(powers))


def test_channels_that_cancel_each_other_are_seen():
    x = np.random.default_rng(0).normal(size=4000)
    both = mel_powers(np.stack([x, -x], axis=1), 8000)
    np.testing.assert_allclose(both, mel_powers(x, 8000), rtol=1e-4)


def test_masks_are_ratios_of_magnitudes_from_0_to_1():
    mixture = np.array([4.0, 4.0, 0.0, 1.0])
    estimate = np.array([1.0, 9.0, 1.0, 0.0])
    np.testing.assert_allclose(mask_between(estimate, mixture), [0.5, 1, 0, 0])


def test_a_picture_has_the_colours_of_magma_with_the_first_row_at_the_bottom():
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib.image import imread

    values = np.array([[0.0, 0.25, 0.5], [0.75, 1.0, 2.0]])
    picture = imread(io.BytesIO(to_png(values)), format="png")[..., :3]
    expected = matplotlib.colormaps["magma"](np.clip(values, 0, 1))[::-1, :, :3]
    np.testing.assert_allclose(picture, expected, atol=0.05)
