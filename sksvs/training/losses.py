"""The losses of mask networks, from a frame's target and the network's output."""

import keras
import tensorflow as tf
from keras import ops

from sksvs.training.waveform_losses import WAVEFORM_LOSSES, inverse_stft, n_complete

# name: from target masks and the network's output to the loss of every frame
MASK_LOSSES = {
    "binary_crossentropy": keras.losses.binary_crossentropy,
    "mask_absolute_error": lambda target, masks: ops.mean(ops.abs(target - masks), axis=-1),
    "mask_squared_error": lambda target, masks: ops.mean(ops.square(target - masks), axis=-1),
}
# name: what is made of the difference of two magnitudes
ERRORS = {
    "magnitude_absolute_error": ops.abs,
    "magnitude_squared_error": ops.square,
}


def make_loss(objective):
    """Return the loss of an objective as Keras takes it.

    Parameters
    ----------
    objective : Objective

    Returns
    -------
    callable
        From targets, as `network_target` makes them, and the network's output, both of shape
        (batch, n_frames, n_values), to the loss of every frame: (batch, n_frames).
    """
    if objective.target == "masks":
        return MASK_LOSSES[objective.loss]

    def loss(target, output):
        values = _compare(objective, target, output)
        of_segments = len(values.shape) == 1
        return values[:, tf.newaxis] * ops.ones_like(target[:, :, 0]) if of_segments else values

    return loss


def _compare(objective, target, output):
    """Return the loss of every frame, or of every segment."""
    shape = (*ops.shape(target)[:2], -1, target.shape[-1] // objective.n_parts)
    target, output = ops.reshape(target, shape), ops.reshape(output, shape)
    return OF_KIND[objective.target](objective, target, _masks(output, objective))


def check_loss(objective, n_frames, n_freqs):
    """Raise an error for a loss with phases that no network can be trained with.

    It is computed once, for two segments of noise.

    Parameters
    ----------
    objective : Objective
    n_frames, n_freqs : int
        Of a segment.

    Raises
    ------
    ValueError
        If a segment is too short, or what a function returns has a wrong shape or type or does not
        depend on the estimates. What the function itself raises is not changed.
    """
    if objective.target != "phases":
        return
    if objective.is_on_waveforms and n_complete(n_frames, objective.params) < 1:
        raise ValueError(
            f"loss={objective.loss!r} compares waveforms, but {n_frames} frames of "
            f"{objective.params.n_fft} samples complete none. Take a larger segment_frames, or "
            "longer tracks."
        )
    target = tf.random.stateless_normal((2, n_frames, objective.n_parts * n_freqs), (0, 0))
    masks = tf.random.stateless_uniform((2, n_frames, objective.n_masks * n_freqs), (0, 1))
    with tf.GradientTape() as tape:
        tape.watch(masks)
        loss = _compare(objective, target, masks)
    shape = tuple(getattr(loss, "shape", ()))
    if getattr(loss, "dtype", None) != tf.float32 or shape not in ((2,), (2, n_frames)):
        raise ValueError(
            f"loss={objective.loss!r} must return a tensor of float32 with one number a segment, "
            f"shape (2,), or one a frame, (2, {n_frames}), for a batch of 2; got shape {shape} of "
            f"{getattr(loss, 'dtype', type(loss))}. Take the mean over the other axes alone."
        )
    if tape.gradient(loss, masks) is None:
        raise ValueError(
            f"loss={objective.loss!r} has no gradient. Make it of functions of TensorFlow or "
            "keras.ops, from the estimates to what it returns."
        )


def _masks(output, objective):
    """Return the masks of all sources, as `masks_from_output` does, before they are clipped.

    From (batch, n_frames, n_masks, n_freqs) to (batch, n_frames, n_sources, n_freqs).
    """
    if objective.n_masks == 1:
        return ops.concatenate([output, 1 - output], axis=-2)
    output = ops.abs(output)
    return output / ops.maximum(ops.sum(output, axis=-2, keepdims=True), keras.config.epsilon())


def _magnitude_loss(objective, target, masks):
    """Compare masked mixtures with source magnitudes: the mean over sources and frequencies.

    With γ > 0, less γ times the same of every estimate and the other sources.
    """
    error, gamma = ERRORS[objective.loss], objective.discriminative
    estimates, sources = masks * target[:, :, :1], target[:, :, 1:]
    loss = ops.mean(error(estimates - sources), axis=(-2, -1))
    if gamma:
        for shift in range(1, objective.n_sources):
            others = ops.roll(sources, shift, axis=-2)
            loss = loss - gamma * ops.mean(error(estimates - others), axis=(-2, -1))
    return loss


def _spectrum_loss(objective, target, masks):
    """Compare masked mixtures with complex spectra, all turned back by the mixture's phase."""
    n = objective.n_compared
    magnitudes, masks = target[:, :, :1], masks[:, :, :n]
    in_phase, out_of_phase = target[:, :, 1 : 1 + n], target[:, :, 1 + n :]
    squares = ops.square(masks * magnitudes - in_phase) + ops.square(out_of_phase)
    if objective.loss == "spectrum_squared_error":
        return ops.mean(squares, axis=(-2, -1))
    if objective.loss == "spectrum_absolute_error":
        # The square root has no gradient at zero.
        return ops.mean(ops.sqrt(squares + keras.config.epsilon()), axis=(-2, -1))
    errors = ops.sum(squares, axis=(1, 3))
    mixture = ops.sum(ops.square(magnitudes), axis=(1, 3)) + keras.config.epsilon()
    ratios = 10 * ops.log10(errors / mixture + objective.error_floor)
    of_segment = ops.mean(ratios, axis=-1, keepdims=True)
    return of_segment * ops.ones_like(magnitudes[:, :, 0, 0])


def _loss_with_phases(objective, target, masks):
    """Compare masked mixtures with complex spectra, or with the waveforms of both."""
    target = ops.transpose(target, (0, 2, 1, 3))
    masks = ops.transpose(masks, (0, 2, 1, 3))
    real, imaginary = ops.split(target, 2, axis=1)
    spectra = tf.complex(real, imaginary)
    mixture, sources = spectra[:, 0], spectra[:, 1:]
    estimates = tf.complex(masks * real[:, :1], masks * imaginary[:, :1])
    function = WAVEFORM_LOSSES.get(objective.loss) or objective.loss.function
    if objective.is_on_waveforms:
        return function(*(inverse_stft(x, objective.params) for x in (estimates, sources)))
    return function(estimates, sources, mixture)


OF_KIND = {  # by what the loss needs
    "magnitudes": _magnitude_loss,
    "spectra": _spectrum_loss,
    "phases": _loss_with_phases,
}
