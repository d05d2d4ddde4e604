import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import correlate, freqz_sos

from sksvs.effects import (
    biquad,
    compress,
    delay,
    doubling,
    equalise,
    limiter_gain,
    reverb,
    rms,
    vary_voice,
)
from tests.strategies import seeded_noise

RATE = 8000
EFFECTS = {
    "reverb": lambda x, rate: reverb(x, rate, 0.4, 0.2, np.random.RandomState(1)),
    "delay": lambda x, rate: delay(x, rate, 0.1, 0.4),
    "doubling": lambda x, rate: doubling(x, rate, 0.03, 15.0, 0.5, 1.0),
    "limiter": lambda x, rate: x * limiter_gain(x, rate, 6.0),
    "compress": lambda x, rate: compress(x, rate, -6.0, 4.0),
    "equalise": lambda x, rate: equalise(x, rate, [("peak", 900.0, -5.0, 1.0)]),
    "no bands": lambda x, rate: equalise(x, rate, []),
    "vary_voice": lambda x, rate: vary_voice(x, rate, np.random.RandomState(3)),
}


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=list(EFFECTS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 100, 9001])
def test_length_and_type_stay_and_nothing_is_changed_in_place(effect, dtype, n):
    samples = seeded_noise(n, seed=0).astype(dtype)
    before = samples.copy()
    varied = effect(samples, RATE)
    assert (varied.shape, varied.dtype) == ((n,), dtype)
    assert np.isfinite(varied).all()
    assert not np.shares_memory(varied, samples)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=list(EFFECTS))
def test_silence_stays_silent_and_nothing_sounds_before_the_voice(effect):
    assert not effect(np.zeros(3000), RATE).any()
    voice = np.concatenate([np.zeros(1000), seeded_noise(2000, seed=0)])
    varied = effect(voice, RATE)
    np.testing.assert_allclose(varied[:1000], 0, atol=1e-12)
    assert abs(varied[1000]) > 0.1 * abs(voice[1000])


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 5000),
    rate=st.sampled_from([1, 100, 8000, 44_100, 192_000]),
    seed=st.integers(0, 2**32 - 1),
    gain=st.sampled_from([1e-30, 1e-4, 1.0, 1e4]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_varied_voice_is_as_loud_as_before(n, rate, seed, gain, dtype):
    voice = (gain * seeded_noise(n, seed=0)).astype(dtype)
    varied = vary_voice(voice, rate, np.random.RandomState(seed))
    assert (varied.shape, varied.dtype) == ((n,), dtype)
    assert np.isfinite(varied).all()
    assert rms(varied) == pytest.approx(rms(voice), rel=1e-4)


def test_a_varied_voice_depends_on_its_seed_alone():
    voice = seeded_noise(5000, seed=0)
    varied = [vary_voice(voice, RATE, np.random.RandomState(seed)) for seed in (*range(30), 7)]
    np.testing.assert_array_equal(varied[7], varied[30])
    distinct = {v.tobytes() for v in varied}
    assert 25 < len(distinct) <= 30  # by chance no effect is used


@pytest.mark.parametrize("seed", range(20))
def test_the_direct_sound_of_a_varied_voice_is_where_it_was(seed):
    voice = seeded_noise(16_000, seed=0)
    varied = vary_voice(voice, RATE, np.random.RandomState(seed))
    lags = correlate(varied, voice, "full")
    # Filters and the compressor move the sound by less than a millisecond.
    assert abs(np.argmax(np.abs(lags)) - (len(voice) - 1)) <= 8


@pytest.mark.parametrize("rt60", [0.3, 1.0, 2.0])
def test_reverberation_decays_by_60_decibels_in_its_time(rt60):
    click = np.zeros(round(2.2 * RATE))
    click[0] = 1
    response = reverb(click, RATE, rt60, 0.3, np.random.RandomState(0))
    assert response[0] == pytest.approx(1, abs=1e-6)
    assert np.sum(response[1:] ** 2) == pytest.approx(0.3, rel=1e-6)
    assert np.sum(np.square(response[1 : round(0.08 * RATE) + 2]) > 1e-3) >= 5  # reflections
    # ISO 3382: the energy that is still to come, from -15 dB (after the reflections) to -35 dB.
    tail = response[round(0.09 * RATE) :]
    decibels = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1][: round(0.55 * rt60 * RATE)])
    decibels -= decibels[0]
    used = (decibels < -2) & (decibels > -22)
    slope, _ = np.polyfit(np.arange(len(decibels))[used] / RATE, decibels[used], 1)
    assert -60 / slope == pytest.approx(rt60, rel=0.12)
    np.testing.assert_allclose(response[round((rt60 + 0.01) * RATE) :], 0, atol=1e-9)


def test_two_rooms_differ():
    click = np.eye(1, 2000)[0]
    one, two = (reverb(click, RATE, 0.2, 0.3, np.random.RandomState(seed)) for seed in (0, 1))
    assert abs(np.corrcoef(one[1:], two[1:])[0, 1]) < 0.3


def test_echoes_are_copies_at_equal_distances_each_softer_by_the_gain():
    voice = np.zeros(20_000)
    voice[:4000] = seeded_noise(4000, seed=0)
    echoed = delay(voice, RATE, 0.6, 0.3)
    correlation = correlate(echoed, voice[:4000], "valid") / np.sum(voice**2)
    for k in range(4):
        assert correlation[4800 * k] == pytest.approx(0.3**k, abs=1e-9)
    assert np.max(np.abs(np.delete(correlation, 4800 * np.arange(4)))) < 0.1


def test_a_second_voice_without_detuning_is_a_delayed_copy():
    voice = seeded_noise(16_000, seed=0)
    second = doubling(voice, RATE, 0.03, 0.0, 0.5) - voice
    correlation = correlate(second, voice, "full")[len(voice) - 1 :]
    assert np.argmax(correlation) == 0.03 * RATE
    np.testing.assert_allclose(second[240:], 0.5 * voice[:-240], atol=1e-9)
    assert not second[:240].any()


@pytest.mark.parametrize("cents", [5.0, 20.0])
def test_the_pitch_of_a_second_voice_goes_up_and_down_by_the_cents(cents):
    rate, frequency = 44_100, 440.0
    seconds = np.arange(4 * rate) / rate
    tone, quadrature = (wave(2 * np.pi * frequency * seconds) for wave in (np.cos, np.sin))
    parts = [doubling(x, rate, 0.03, cents, 1.0) - x for x in (tone, quadrature)]
    phase = np.unwrap(np.angle(parts[0] + 1j * parts[1])[rate // 10 :])
    pitch = np.diff(phase) * rate / (2 * np.pi)
    detuning = 1200 * np.log2(pitch / frequency)
    assert detuning.max() == pytest.approx(cents, rel=0.02)
    assert detuning.min() == pytest.approx(-cents, rel=0.02)
    delays = seconds[rate // 10 + 1 :] - np.cumsum(pitch / frequency) / rate
    assert abs(delays.max() - delays.min()) < 0.009  # it stays near


@pytest.mark.parametrize("ratio", [1.0, 2.0, 8.0])
def test_above_the_threshold_a_decibel_more_becomes_one_over_the_ratio(ratio):
    steps = np.array([-50.0, -40.0, -20.0, -10.0, 0.0])  # dB
    tones = np.repeat(10 ** (steps / 20), 8000) * np.sin(2 * np.pi * 0.1 * np.arange(40_000))
    threshold = -30 - 20 * np.log10(rms(tones)) + 20 * np.log10(np.sqrt(0.5))
    compressed = compress(tones, RATE, threshold, ratio)
    assert rms(compressed) == pytest.approx(rms(tones))
    steady = np.split(compressed, 5)
    after = np.array([20 * np.log10(rms(part[4000:])) for part in steady])
    expected = [10, 10 + 10 / ratio, 10 / ratio, 10 / ratio]  # the third crosses the threshold
    np.testing.assert_allclose(np.diff(after), expected, atol=0.1)


def test_compression_ignores_a_common_gain():
    voice = seeded_noise(4000, seed=0) * np.linspace(0, 1, 4000)
    np.testing.assert_allclose(
        compress(0.01 * voice, RATE, -6.0, 4.0), 0.01 * compress(voice, RATE, -6.0, 4.0), atol=1e-9
    )


@pytest.mark.parametrize("gain_db", [-6.0, 4.0])
@pytest.mark.parametrize(
    ("shape", "gains"),
    [("low shelf", (1, 0.5, 0)), ("high shelf", (0, 0.5, 1)), ("peak", (0, 1, 0))],
)
def test_a_filter_has_its_gain_where_it_should_and_none_elsewhere(shape, gains, gain_db):
    rate, frequency = 44_100, 1000.0
    _, response = freqz_sos(
        [biquad(rate, shape, frequency, gain_db, 0.7)], [5.0, frequency, 22_049.0], fs=rate
    )
    np.testing.assert_allclose(
        20 * np.log10(np.abs(response)), gain_db * np.array(gains), atol=0.01
    )
    seconds = np.arange(rate) / rate
    for place, gain in zip((20.0, frequency, 20_000.0), gains):
        tone = np.sin(2 * np.pi * place * seconds)
        varied = equalise(tone, rate, [(shape, frequency, gain_db, 0.7)])
        decibels = 20 * np.log10(rms(varied[rate // 2 :]) / rms(tone[rate // 2 :]))
        assert decibels == pytest.approx(gain_db * gain, abs=0.1)


@pytest.mark.parametrize("quality", [0.5, 1.0, 2.0])
def test_a_peak_is_as_wide_as_its_quality_says(quality):
    frequency, rate = 500.0, 192_000.0
    # Where half the gain in dB is left: the analogue prototype's band edges, product f², width f/Q.
    half = np.hypot(frequency, frequency / (2 * quality))
    edges = half - frequency / (2 * quality), half + frequency / (2 * quality)
    _, response = freqz_sos([biquad(rate, "peak", frequency, 6.0, quality)], edges, fs=rate)
    np.testing.assert_allclose(20 * np.log10(np.abs(response)), 3.0, atol=0.02)


def test_bands_follow_one_another():
    voice = seeded_noise(3000, seed=0)
    bands = [("low shelf", 200.0, 3.0, 0.7), ("peak", 1000.0, -4.0, 1.5)]
    one_by_one = equalise(equalise(voice, RATE, bands[:1]), RATE, bands[1:])
    np.testing.assert_allclose(equalise(voice, RATE, bands), one_by_one, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 5000),
    rate=st.sampled_from([1, 100, 8000, 44_100]),
    reduction_db=st.floats(0, 40),
    gain=st.sampled_from([1e-30, 1.0, 1e4]),
)
def test_a_limiter_keeps_every_peak_below_its_threshold_whatever_the_level(
    n, rate, reduction_db, gain
):
    samples = seeded_noise(n, seed=0)
    gains = limiter_gain(gain * samples, rate, reduction_db)
    np.testing.assert_allclose(gains, limiter_gain(samples, rate, reduction_db), rtol=1e-9)
    peak = np.abs(samples).max() * 10 ** (-reduction_db / 20)
    assert np.abs(samples * gains).max() <= peak * (1 + 1e-9)
    assert gains.max() <= 1 + 1e-12
    assert gains.min() > 0


def test_a_limiter_leaves_what_is_far_from_peaks_as_it_is_and_changes_its_gain_smoothly():
    samples = 0.3 * np.sin(0.1 * np.arange(8000))
    samples[4000] = 1.0
    gains = limiter_gain(samples, RATE, 6.0)
    far = np.abs(np.arange(8000) - 4000) > 2 * 0.005 * RATE
    np.testing.assert_array_equal(gains[far], 1)
    assert gains[4000] == pytest.approx(10 ** (-6 / 20))
    assert np.abs(np.diff(gains)).max() < 0.02
