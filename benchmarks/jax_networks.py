"""The networks of the package in JAX, to train them on a GPU.

Layers, names and shapes of parameters are those of the package, so what is trained here is a model
of the package as it is. JAX runs where TensorFlow finds no GPU. Convolutional recurrent networks
without GRU layers between encoders and decoders are covered.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from sksvs.networks.spec import EPSILON, NOT_TRAINED  # private: only predictions are public

LAYOUT = ("NHWC", "HWIO", "NHWC")


def initial_parameters(layers, seed):
    """Return new parameters by name: those that a fit of the package starts from.

    Returns
    -------
    dict of str to array of float32
    """
    rng, parameters = np.random.RandomState(seed), {}
    for layer in layers:
        for name, shape in layer.parameter_shapes.items():
            if name.endswith("/recurrent_kernel"):
                q, r = np.linalg.qr(rng.normal(size=(max(shape), min(shape))))
                values = (q * np.sign(np.diag(r))).T
            elif name.endswith("/kernel"):
                places = np.prod(shape[:-2])
                limit = np.sqrt(6 / (places * (shape[-2] + shape[-1])))
                values = rng.uniform(-limit, limit, shape)
            else:
                values = np.full(shape, float(name.endswith(("/scale", "/variance"))))
            parameters[name] = np.float32(values)
    return parameters


def is_trained(name):
    """Return whether a parameter is trained; the others are statistics of batches."""
    return name.rpartition("/")[2] not in NOT_TRAINED


def run_network(layers, parameters, values, training):
    """Return the output of a network, and the statistics of this batch.

    Parameters
    ----------
    layers : tuple
        The `layers_` of a CRNSeparator.
    parameters : dict of str to array
    values : array of float32, shape (batch, n_frames, n_freqs)
        Standardised input.
    training : bool
        Whether channels are normalised by the statistics of this batch, and large products made in
        bfloat16.

    Returns
    -------
    masks : array of float32, shape (batch, n_frames, n_freqs)
    statistics : dict of str to array
        Means and variances by name; empty if not `training`.
    """
    statistics, skipped = {}, []

    def normalise(sums, name):
        mean, variance = (parameters[f"{name}/{key}"] for key in NOT_TRAINED)
        if training:
            mean, variance = sums.mean((0, 1, 2)), sums.var((0, 1, 2))
            statistics.update({f"{name}/mean": mean, f"{name}/variance": variance})
        scale = parameters[f"{name}/scale"] * lax.rsqrt(variance + EPSILON)
        return (sums - mean) * scale + parameters[f"{name}/bias"]

    for layer in layers:
        if layer.kind in ("to_bands", "from_bands"):
            values = values @ layer.matrix
            continue
        if values.ndim == 3:
            values = values.reshape(*values.shape[:2], *layer.input_shape)
        own = {
            name.removeprefix(f"{layer.name}/"): parameters[name] for name in layer.parameter_shapes
        }
        if layer.kind in ("frequency_path", "frame_path"):
            values = values + normalise(_run_path(layer, own, values, training), layer.name)
            continue
        if layer.kind == "encoder":
            skipped += [] if skipped else [values]
        else:
            values = jnp.concatenate([values, skipped.pop()], -1)
        sums = _convolve(layer, own["kernel"], values, training)
        if layer.kind == "conv_mask":
            masks = jax.nn.sigmoid(sums + own["bias"])
            values = masks.swapaxes(2, 3).reshape(*masks.shape[:2], -1)
            continue
        values = jax.nn.elu(normalise(sums, layer.name))
        if layer.kind == "encoder":
            skipped.append(values)
    return values, statistics


def _convolve(layer, kernel, values, training):
    """Return the convolution of an encoder, a decoder (transposed) or the mask."""
    width = layer.kernel_size[1]
    more = layer.kernel_size[0] - 1
    in_time = (more // 2, more // 2) if layer.bidirectional else (more, 0)
    stride = 1 if layer.kind == "conv_mask" else 2
    fewer = -(-layer.n_freqs // stride)
    added = max((fewer - 1) * stride + width - layer.n_freqs, 0)
    before = added // 2
    dilation = (1, 1)
    if layer.kind == "decoder":  # the transpose of an encoder
        kernel = kernel[::-1, ::-1].swapaxes(2, 3)
        before, stride, dilation = width - 1 - before, 1, (1, 2)
        after = layer.n_freqs - (2 * fewer - 1) - before + width - 1
    else:
        after = added - before
    if training:
        values, kernel = values.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16)
    padding = (in_time, (before, after))
    sums = lax.conv_general_dilated(
        values, kernel, (1, stride), padding, dilation, dimension_numbers=LAYOUT
    )
    return sums.astype(jnp.float32)


def _run_path(layer, own, values, training):
    """Return the projected output of a GRU along frames or along frequencies."""
    along = 1 if layer.kind == "frame_path" else 2
    ahead = jnp.moveaxis(values, along, 0)
    sequences = ahead.reshape(len(ahead), -1, layer.channels)
    kernels, recurrent_kernels, biases = (
        jnp.stack([own[f"{way}/{name}"] for way in layer.directions])
        for name in ("kernel", "recurrent_kernel", "bias")
    )
    dtype = jnp.bfloat16 if training else jnp.float32
    projected = jnp.einsum("tnc,dcu->tdnu", sequences.astype(dtype), kernels.astype(dtype))
    projected = projected.astype(jnp.float32) + biases[:, None]
    outputs = run_gru(projected, recurrent_kernels)
    flat = jnp.moveaxis(outputs, 1, 2).reshape(len(ahead), sequences.shape[1], -1)
    added = (flat.astype(dtype) @ own["kernel"].astype(dtype)).astype(jnp.float32)
    return jnp.moveaxis(added.reshape(ahead.shape), 0, along)


def run_gru(projected, kernels):
    """Run a GRU in one direction or in both, from a state of zeros.

    Parameters
    ----------
    projected : array, shape (n_frames, n_directions, batch, 3 * units)
        ``x W + b`` of update, reset and candidate.
    kernels : array, shape (n_directions, units, 3 * units)

    Returns
    -------
    array, shape (n_frames, n_directions, batch, units)
        States in the order of frames.
    """
    units = kernels.shape[1]
    of_gates, of_candidate = kernels[..., : 2 * units], kernels[..., 2 * units :]

    def step(state, inputs):
        gates = jax.nn.sigmoid(inputs[..., : 2 * units] + state @ of_gates)
        update, reset = gates[..., :units], gates[..., units:]
        candidate = jnp.tanh(inputs[..., 2 * units :] + (reset * state) @ of_candidate)
        state = candidate + update * (state - candidate)
        return state, state

    def backwards(values):
        if len(kernels) == 1:
            return values
        return jnp.stack([values[:, 0], values[::-1, 1]], 1)

    start = jnp.zeros(projected.shape[1:-1] + (units,))
    return backwards(lax.scan(step, start, backwards(projected), unroll=8)[1])
