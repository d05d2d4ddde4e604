import copy
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.stft.settings import STFTParams


@given(n_fft=st.integers(4, 64), hop_length=st.integers(1, 64), n_samples=st.integers(1, 300))
def test_the_frames_of_a_track_are_those_that_see_a_sample_of_it(n_fft, hop_length, n_samples):
    params = STFTParams(n_fft, min(hop_length, n_fft // 2), "hamming")  # nowhere zero
    assert params.first_sample(-1) + n_fft <= 0 < params.first_sample(0) + n_fft
    if n_samples >= n_fft:
        n_frames = params.n_frames(n_samples)
        assert params.first_sample(n_frames - 1) < n_samples <= params.first_sample(n_frames)


def test_params_are_values():
    params = STFTParams(512, 128, ["kaiser", 8.0], 16000)
    assert params == STFTParams(512, 128, ("kaiser", 8.0), 16000)
    assert hash(params) == hash(copy.deepcopy(params)) == hash(pickle.loads(pickle.dumps(params)))
    params.transform.stft(np.ones(1000))
    assert hash(params) == hash(STFTParams(512, 128, ("kaiser", 8.0), 16000))
    with pytest.raises(AttributeError):
        params.n_fft = 256


def test_params_say_what_differs_and_an_unknown_rate_matches_any():
    params = STFTParams(512, 128, sample_rate=16000)
    assert params.differs_from(STFTParams(512, 128)) is None
    assert params.differs_from(STFTParams(512, 256, sample_rate=8000)) == (
        "hop_length=128 instead of 256, sample_rate=16000 instead of 8000"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((64, 65, "hamming"), "has no inverse: no frame covers some samples"),
        ((64, 64, "hann"), "has no inverse"),
        ((64, 60, "hann"), "no stable inverse: its dual window reaches 52"),
        ((1, 1, "hann"), "n_fft must be an integer from 2 to 1048576; got 1"),
        ((64, 0, "hann"), "hop_length must be an integer from 1 to 1048576; got 0"),
        ((64.0, 32, "hann"), r"n_fft must be an integer from 2 to 1048576; got 64\.0"),
        ((64, 32, "hann", float("nan")), "sample_rate must be a rate in Hz from 1 to .* got nan"),
        ((64, 32, "hann", 1e-320), "sample_rate must be a rate in Hz"),
        ((64, 32, ("taylor", 1000)), r"window must be a name.* got \('taylor', 1000\)"),
        ((1 << 17, 1, "hann"), "n_fft=131072, hop_length=1 takes too long. Take a larger hop"),
        ((64, 32, "no such window"), "no such window"),
        ((64, 32, ("chebwin", 1e6)), "no such window"),
        ((64, 32, ("general_cosine", 0)), "no such window"),
    ],
)
def test_settings_without_a_stable_inverse_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        STFTParams(*settings)


RATES = st.integers(4000, 200_000)


@given(rate=RATES, other=RATES)
def test_an_analysis_at_another_rate_lasts_as_long(rate, other):
    params = STFTParams(512, 128, "hann", 16000)
    own = params.at_rate(rate)
    assert (own.sample_rate, own.window) == (rate, "hann")
    assert own.n_fft % 2 == 0
    assert abs(own.n_fft / rate - 512 / 16000) <= 1.001 / rate
    assert abs(own.hop_length / rate - 128 / 16000) <= 0.501 / rate
    for one, two in ((own, params), (params, own), (own, params.at_rate(other))):
        assert one.differs_from(two) is None
    assert own.at_rate(rate) is own


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (
            STFTParams(2822, 1411, "hamming", 44100),
            "n_fft=2822 instead of 1024, hop_length=1411 instead of 512, window='hamming' instead "
            "of 'cosine', sample_rate=44100 instead of 16000",
        ),
        (STFTParams(2822, 1400, "cosine", 44100), "hop_length=1400 instead of 512"),
        (STFTParams(2830, 1411, "cosine", 44100), "n_fft=2830 instead of 1024"),
        (STFTParams(1024, 512, "cosine", 44100), "^sample_rate=44100 instead of 16000$"),
        (STFTParams(1026, 512, "cosine", 16000), "^n_fft=1026 instead of 1024$"),
        (STFTParams(2822, 1411, "cosine"), "n_fft=2822 instead of 1024"),
    ],
)
def test_what_does_not_last_as_long_differs(other, difference):
    params = STFTParams(1024, 512, "cosine", 16000)
    assert STFTParams(2822, 1411, "cosine", 44100).differs_from(params) is None
    assert re.search(difference, other.differs_from(params))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            STFTParams(64, 32),
            "at 4000 Hz only if their own sample rate is known. Give STFT",
        ),
        (
            STFTParams(64, 16, ("gaussian", 16.0), 8000),
            r"shape of window=\('gaussian', 16.0\) depends on its length",
        ),
        (STFTParams(4, 2, "hann", 44100), "would have 0.362812 and 0.181406 .* n_fft must be"),
        (
            STFTParams(4096, 2048, "hann", 1),
            r"4096 .* at 1 Hz would have 1\.6384e\+07 and .* from 2 to 1048576; got 16384000",
        ),
        (
            STFTParams(1 << 14, 4, "hann", 200),
            "would have 327680 and 80 .* takes too long. Take a larger hop_length",
        ),
    ],
)
def test_an_analysis_that_cannot_be_had_at_another_rate_says_why(params, message):
    with pytest.raises(ValueError, match=message):
        params.at_rate(4000)


@given(
    n_fft=st.integers(8, 3000),
    hop=st.integers(1, 4),
    rate=st.sampled_from([8000, 16000, 44100]),
    other_rate=st.sampled_from([8000, 11025, 22050, 44100, 48000, 96000]),
)
def test_an_analysis_of_unknown_rate_can_be_what_it_is_at_some_rate(n_fft, hop, rate, other_rate):
    fitted = STFTParams(2 * (n_fft // 2), n_fft // hop // 2 + 1, "hann", rate)
    there = fitted.at_rate(other_rate)
    assert STFTParams(there.n_fft, there.hop_length, "hann").can_be(fitted)
    assert there.can_be(fitted)
    assert there.differs_from(fitted) is None
    longer = STFTParams(2 * there.n_fft + 8, there.hop_length, "hann")
    assert not longer.can_be(fitted)
    assert not STFTParams(there.n_fft, there.hop_length, "hamming").can_be(fitted)


def test_an_analysis_can_be_another_one_whose_rate_is_unknown_only_if_it_is_the_same():
    fitted = STFTParams(64, 32)
    assert STFTParams(64, 32).can_be(fitted)
    assert STFTParams(64, 32, sample_rate=8000).can_be(fitted)
    assert not STFTParams(128, 64).can_be(fitted)
    assert not STFTParams(128, 64, sample_rate=8000).can_be(fitted)
