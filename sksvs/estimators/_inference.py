"""Run a mask network on NumPy arrays.

Prediction needs no TensorFlow: its import takes seconds, its graphs stay in memory, and a GRU of
this size spends its time in small matrix products that NumPy does as fast.

What can be computed for many frames at once is: the products with the input before the loop over
frames, and the dense layers after it. Where nothing lies between two products they are made one:
the standardisation of the input becomes part of the first kernel, linear dense layers part of the
layer that follows them.
"""

import numpy as np

from sksvs.estimators._activations import ACTIVATIONS
from sksvs.estimators._gru_both_ways import GRUBothWays
from sksvs.estimators._gru_stack import GRUStack

STACKED_UNITS = 192  # GRUs of so many units in all run in one loop; more are as fast layer by layer


class ForwardNetwork:
    """A network that only reads forwards, and carries its state from call to call.

    Parameters
    ----------
    layers : tuple of Layer
    weights : dict of str to array of float32
        By parameter name, see `Layer.parameter_shapes`.
    mean, scale : array of float32, shape (n_freqs,)
        What the input is standardised with.
    """

    def __init__(self, layers, weights, mean, scale):
        kernels, self._dense = _prepare(layers, weights, mean, scale)
        together = sum(len(recurrent) for _, recurrent, _ in kernels) <= STACKED_UNITS
        self._stacks = [GRUStack(kernels)] if together else [GRUStack([k]) for k in kernels]

    def run(self, features):
        """Return the output for the next frames.

        Parameters
        ----------
        features : array of float32, shape (n_frames, n_freqs)
            Before they are standardised.

        Returns
        -------
        array of float32, shape (n_frames, n_outputs)
        """
        values = features
        for stack in self._stacks:
            values = stack.run(values)
        return _run_dense(self._dense, values)


class BidirectionalNetwork:
    """A network that reads both ways, run on several ranges of a sequence at once.

    Parameters as in :class:`ForwardNetwork`.
    """

    windows_at_once = 8

    def __init__(self, layers, weights, mean, scale):
        kernels, self._dense = _prepare(layers, weights, mean, scale)
        pairs = zip(kernels[::2], kernels[1::2])
        self._first, *self._others = (GRUBothWays(*pair) for pair in pairs)

    def project(self, features):
        """Return what the first layer makes of every frame by itself, which all ranges share.

        Parameters
        ----------
        features : array of float32, shape (n_frames, n_freqs)
            Before they are standardised.

        Returns
        -------
        array of float32, shape (n_frames, n_projected)
        """
        return self._first.project(features)

    def run(self, ranges, margins):
        """Return the output for all ranges, one after another, less their margins.

        Parameters
        ----------
        ranges : list of array of float32, each (n_frames, n_projected)
        margins : list of (before, after)
            Frames of each range that are read but have no output.

        Returns
        -------
        array of float32, shape (n_frames of all, n_outputs)
        """
        values = self._first.run(ranges)
        for layer in self._others:
            projected = layer.project(np.concatenate(values))
            values = layer.run(np.split(projected, np.cumsum([len(v) for v in values[:-1]])))
        inner = [v[before : len(v) - after] for v, (before, after) in zip(values, margins)]
        return _run_dense(self._dense, np.concatenate(inner))


def _prepare(layers, weights, mean, scale):
    """Return the kernels of the GRUs, direction by direction, and the dense layers, made fewer."""
    grus, dense = [], []
    for layer in layers:
        parameters = [weights[name] for name in layer.parameter_shapes]
        if layer.kind == "dense":
            dense.append((*parameters, layer.activation))
        else:
            grus += [tuple(parameters[i : i + 3]) for i in range(0, len(parameters), 3)]
    n_first = 2 if layers[0].bidirectional else 1
    for i, (kernel, recurrent_kernel, bias) in enumerate(grus[:n_first]):
        kernel, bias = standardise_in_kernel(kernel, bias, mean, scale)
        grus[i] = kernel, recurrent_kernel, bias
    return grus, _merge_linear(dense)


def standardise_in_kernel(kernel, bias, mean, scale):
    """Return the kernel and the bias that give for x what these give for ``(x - mean) / scale``."""
    kernel = kernel / np.asarray(scale, np.float64)[:, np.newaxis]
    return kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)


def _merge_linear(dense):
    """Return dense layers that give the same, linear ones merged where that is less work."""
    merged = [dense[0]]
    for kernel, bias, activation in dense[1:]:
        kernel_before, bias_before, activation_before = merged[-1]
        n_inputs, n_between, n_outputs = *kernel_before.shape, kernel.shape[1]
        fewer = n_inputs * n_outputs <= n_between * (n_inputs + n_outputs)
        if activation_before == "linear" and fewer:
            kernel_64 = kernel.astype(np.float64)
            bias = (bias_before @ kernel_64 + bias).astype(np.float32)
            merged[-1] = ((kernel_before @ kernel_64).astype(np.float32), bias, activation)
        else:
            merged.append((kernel, bias, activation))
    return merged


def _run_dense(dense, values):
    for layer in dense:
        values = run_dense(values, *layer)
    return values


def run_dense(values, kernel, bias, activation):
    """Return the outputs of a dense layer."""
    values = values @ kernel
    values += bias
    ACTIVATIONS[activation](values)
    return values
