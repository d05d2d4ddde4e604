"""The losses of mask networks, from a frame's target and the network's output."""

import keras
from keras import ops

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
    of_kind = _magnitude_loss if objective.target == "magnitudes" else _spectrum_loss

    def loss(target, output):
        shape = (*ops.shape(output)[:2], -1, target.shape[-1] // objective.n_parts)
        target = ops.reshape(target, shape)
        return of_kind(objective, target, _masks(ops.reshape(output, shape), objective))

    return loss


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
