import numpy as np
import pytest

from sksvs.audio import ArrayWaveform
from sksvs.display.excerpts import choose_excerpt
from tests.strategies import seeded_noise


def voice(n_samples=5000, n_channels=2):
    return ArrayWaveform(seeded_noise((n_samples, n_channels), 0), 100, "song.wav")


@pytest.mark.parametrize("loud", [0, 10, 1000, 3300, 4000])
def test_the_loudest_part_is_chosen(loud):
    x = 0.01 * voice()[:]
    x[loud : loud + 1000] *= 100
    first, stop = choose_excerpt(ArrayWaveform(x, 100), 100, None, 10.0)
    assert stop - first == 1000
    assert abs(first - loud) <= 10  # a tenth of a second


@pytest.mark.parametrize(
    ("start", "duration", "expected"),
    [
        (None, None, (0, 5000)),
        (None, 50.0, (0, 5000)),
        (None, 1e6, (0, 5000)),
        (3.0, 2.0, (300, 500)),
        (49.0, 2.0, (4900, 5000)),
        (12.34, None, (1234, 5000)),
        (0.0, 0.001, (0, 1)),
    ],
)
def test_the_part_that_is_asked_for(start, duration, expected):
    assert choose_excerpt(voice(), 100, start, duration) == expected


def test_silence_has_an_excerpt():
    silent = ArrayWaveform(np.zeros(5000), 100)
    assert choose_excerpt(silent, 100, None, 1.0) == (0, 100)


@pytest.mark.parametrize(
    ("start", "duration", "message"),
    [
        (None, 0, "duration must be a positive number of seconds, or None; got 0"),
        (None, np.nan, "duration must be a positive"),
        (-1.0, 1.0, "start must be a time of song.wav, which lasts 50.00 s; got -1.0"),
        (50.0, 1.0, "start must be a time of song.wav"),
    ],
)
def test_what_is_no_part_is_an_error(start, duration, message):
    with pytest.raises(ValueError, match=message):
        choose_excerpt(voice(), 100, start, duration)
