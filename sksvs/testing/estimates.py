"""Laws on estimates: their shape, their sum, and what a gain or a constant does to them."""

from unittest import SkipTest

import numpy as np

from sksvs.testing.laws import TOLERANCE, law, require, require_close
from sksvs.testing.trial import into_last_step, mixture_of, songs

GAINS = 1e-4, 0.3, 100.0
LENGTHS = 2, 127, 128, 129, 255, 256, 257, 1000  # about the hop and the window of a trial
CONSTANT = 0.2
SILENT = 1e-12


@law
def check_estimates_have_the_shape_of_the_sources(trial):
    """`predict` returns a list with an array of float of the shape of ``y[i]`` for every track.

    Usual cause: sources come last, or time comes first. The shape is (n_sources, n_samples), and
    with channels (n_sources, n_samples, n_channels).
    """
    X, y = songs()
    found = trial.predict(*X)
    require(isinstance(found, list) and len(found) == len(X), f"{type(found).__name__}.")
    for estimates, sources in zip(found, y):
        require(isinstance(estimates, np.ndarray), f"a {type(estimates).__name__} for a track.")
        require(np.issubdtype(estimates.dtype, np.floating), f"samples of {estimates.dtype}.")
        shapes = estimates.shape, sources.shape
        require(shapes[0] == shapes[1], f"shape {shapes[0]} in place of {shapes[1]}.")


@law
def check_estimates_add_up_to_the_mixture(trial):
    """The estimates of a track add up to its mixture, or to its downmix where they are mono.

    Usual cause: masks that do not sum to one, or a part of the mixture that no source gets. Make
    one estimate the rest of the mixture.
    """
    for song in (songs()[0][0], songs(n_channels=2)[0][0]):
        (estimates,) = trial.predict(song)
        require_close(np.sum(estimates, axis=0), mixture_of(song, estimates), "sum of estimates")


@law
def check_estimates_are_as_long_as_the_mixture(trial):
    """The estimates have the length of their mixture, to the sample, whatever it is.

    Usual cause: the last frame is incomplete and left out, or padding is kept. Cut or pad the
    inverse to `n_samples`.
    """
    song = songs()[0][0]
    for length in LENGTHS:
        (estimates,) = trial.predict(song[:length])
        n_samples = np.shape(estimates)[1]
        require(n_samples == length, f"{n_samples} samples for a mixture of {length}.")


@law
def check_one_sample_is_separated(trial):
    """A mixture of one sample has finite estimates of one sample that add up to it.

    Usual cause: a division by a level of 0 or by ``n_samples - 1``. Treat a level of 0 as 1.
    """
    song = songs()[0][0][1000:1001]
    (estimates,) = trial.predict(song)
    require(np.shape(estimates)[1:] == (1,), f"shape {np.shape(estimates)}.")
    require(np.isfinite(estimates).all(), f"estimates {estimates[:, 0]}.")
    require_close(np.sum(estimates, axis=0), song, "sum of estimates")


@law
def check_silence_stays_silent(trial):
    """The estimates of silence are silence: no NaN, no noise.

    Usual cause: a division by zero, ``0 / 0``, or noise that is added. Say what a mask is where all
    sources are silent.
    """
    for shape in ((1000,), (1000, 2)):
        (estimates,) = trial.predict(np.zeros(shape, np.float32))
        require(np.isfinite(estimates).all(), "estimates that are NaN or inf.")
        peak = np.abs(estimates).max()
        require(peak <= SILENT, f"estimates with a peak of {peak:.2g}.")


@law
def check_a_gain_of_the_mixture_is_a_gain_of_the_estimates(trial):
    """``predict(g X)`` is ``g predict(X)``.

    Usual cause: a constant such as ``eps`` in a denominator, or an input that is not divided by
    the level of the track. Divide by `spectrogram.waveform.level`, the RMS of the whole track.
    """
    song = songs()[0][0]
    (expected,) = trial.predict(song)
    for gain in GAINS:
        (found,) = trial.predict((gain * song).astype(np.float32))
        require_close(found, gain * expected, f"estimates at a gain of {gain:g}")


@law
def check_a_constant_is_no_voice(trial):
    """A constant (DC) that is added to a mixture does not change the voice, and is not lost.

    Usual cause: the mean of the samples counts for a level or a mask, or goes to the voice.
    Subtract it from each channel, and add it to the last estimate.
    """
    song = songs()[0][0]
    (expected,), (found,) = trial.predict(song), trial.predict(song + np.float32(CONSTANT))
    require_close(found[0], expected[0], "voice with a constant", peak=np.abs(song).max())
    require_close(found.sum(axis=0), song + CONSTANT, "sum of estimates with a constant")
    (only,) = trial.predict(np.full(500, CONSTANT, np.float32))
    peak = np.abs(only[0]).max()
    require(peak <= TOLERANCE * CONSTANT, f"a voice with a peak of {peak:.2g} in a constant.")


@law
def check_float32_and_float64_give_the_same(trial):
    """Samples of float32 and of float64 have the same estimates.

    Usual cause: a view of the bytes, or a rule for one dtype. Convert: ``x.astype(np.float32)``.
    """
    song = songs()[0][0]
    expected = trial.predict(song)
    require_close(trial.predict(song.astype(np.float64)), expected, "estimates of float64")


@law
def check_stereo_songs_keep_their_channels(trial):
    """The estimates of a stereo mixture are stereo; a Pipeline may make them mono.

    Usual cause: the channels are averaged before the mask is applied. Compute the mask from the
    downmix, and apply it to each channel.
    """
    X, y = songs(n_channels=2)
    for estimates, sources in zip(trial.predict(*X), y):
        shapes = [sources.shape] if trial.is_bare else [sources.shape, sources.shape[:2]]
        expected = " or ".join(map(str, shapes))
        shape = np.shape(estimates)
        require(shape in shapes, f"shape {shape} in place of {expected}.")


@law
def check_swapped_channels_have_swapped_estimates(trial):
    """With the channels of a mixture swapped, those of the estimates are swapped.

    Usual cause: only the first channel is analysed, or a mask is applied to the wrong one. Compute
    masks from the downmix.
    """
    song = songs(n_channels=2)[0][0]
    (expected,), (found,) = trial.predict(song), trial.predict(song[:, ::-1].copy())
    expected = expected[..., ::-1] if expected.ndim == 3 else expected
    require_close(found, expected, "estimates of swapped channels")


@law
def check_two_equal_channels_have_the_estimates_of_one(trial):
    """A mono mixture on two channels has the estimates of the mono mixture, on both.

    Usual cause: the sum of the channels is analysed instead of the mean, or the level is that of
    all samples. Use ``waveform.to_mono()``.
    """
    song = songs()[0][0]
    (expected,), (found,) = trial.predict(song), trial.predict(np.stack([song, song], axis=1))
    expected = expected[..., np.newaxis].repeat(2, axis=2) if found.ndim == 3 else expected
    require_close(found, expected, "estimates of two equal channels")


@law
def check_opposite_channels_are_separated_one_by_one(trial):
    """Channels that cancel each other in the downmix are each separated as a mono mixture.

    Usual cause: masks of the downmix, which is silent here, say nothing about the channels. The
    `predict` of `BaseMaskSeparator` separates each by itself.
    """
    song = songs()[0][0]
    (found,) = trial.predict(np.stack([song, -song], axis=1))
    if found.ndim == 2:
        raise SkipTest("The pipeline is mono.")
    (left,), (right,) = trial.predict(song), trial.predict(-song)
    require_close(found, np.stack([left, right], axis=2), "estimates of opposite channels")


@law
def check_masks_lie_between_zero_and_one(trial):
    """`predict_mask` returns a mask from 0 to 1 for every source, frequency and frame.

    Usual cause: a gain, or an activation without bounds. Clip, or divide by the sum.
    """
    for masks, spectrogram in _masks(trial):
        require(np.isfinite(masks).all(), "masks that are NaN or inf.")
        require(masks.min() >= 0 and masks.max() <= 1, f"{masks.min():.3g} to {masks.max():.3g}.")
        frames = (spectrogram.n_freqs, spectrogram.n_frames)
        require(masks.ndim == 3 and masks.shape[1:] == frames, f"shape {masks.shape}.")


@law
def check_masks_sum_to_one(trial):
    """The masks of a bin sum to one over the sources, in silence too.

    Usual cause: the masks are independent of each other, or all are 0 where the mixture is silent.
    Divide by their sum, and say what a mask is where it is zero.
    """
    for masks, _ in _masks(trial):
        require_close(masks.sum(axis=0), np.ones(masks.shape[1:]), "sum of masks")


def _masks(trial):
    """Return the pairs of masks and spectrogram of a song and of silence."""
    last = trial.fitted[-1]
    if not hasattr(last, "predict_mask"):
        raise SkipTest("The separator has no predict_mask.")
    X = into_last_step(trial.fitted, [songs()[0][0], np.zeros(1000, np.float32)])
    return zip(last.predict_mask(X), X)
