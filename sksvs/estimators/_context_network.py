"""Run a network that sees the frames around every frame, over blocks of a track."""

from collections import deque

import numpy as np

from sksvs.estimators._activations import ACTIVATIONS
from sksvs.estimators._inference import run_dense, standardise_in_kernel


class ContextNetwork:
    """Dense and recurrent layers that read forwards, above a window of frames.

    The output for a frame needs the frames after it that the window sees. So the output of a call
    ends so many frames, `margin`, before what came in; the last ones come from `flush`. Beyond
    both ends every frame is the mean of the input.

    Parameters
    ----------
    layers : tuple of Layer
        The first one is the window.
    weights : dict of str to array of float32
        By parameter name, see `Layer.parameter_shapes`.
    mean, scale : array of float32, shape (n_freqs,)
        What the input is standardised with.
    """

    def __init__(self, layers, weights, mean, scale):
        context, *others = layers
        self._width = context.units // context.n_inputs
        self.margin = self._width // 2
        self._beyond = np.tile(mean, (self.margin, 1))
        self._seen = self._beyond  # the frames that the next ones have before them
        self._layers = []
        for layer in others:
            kernel, *recurrent, bias = (weights[name] for name in layer.parameter_shapes)
            if not self._layers:
                tiled = (np.tile(x, self._width) for x in (mean, scale))
                kernel, bias = standardise_in_kernel(kernel, bias, *tiled)
            if layer.kind == "rnn":
                self._layers.append(Recurrence(kernel, *recurrent, bias, layer.activation))
            else:
                self._layers.append(DenseLayer(kernel, bias, layer.activation))

    def run(self, features):
        """Return the output for the next frames that are seen with all of their context.

        Parameters
        ----------
        features : array of float32, shape (n_frames, n_freqs)
            Before they are standardised.

        Returns
        -------
        array of float32, shape (n, n_outputs)
        """
        known = np.concatenate([self._seen, features])
        n = max(0, len(known) - self._width + 1)
        self._seen = known[n:]
        values = np.concatenate([known[i : i + n] for i in range(self._width)], axis=1)
        for layer in self._layers:
            values = layer.run(values)
        return values

    def flush(self):
        """Return the output for the last frames, after which there are no more."""
        return self.run(self._beyond)


class DenseLayer:
    """A dense layer on every frame: parameters as Keras has them, and the activation's name."""

    def __init__(self, kernel, bias, activation):
        self._parameters = kernel, bias, activation

    def run(self, inputs):
        """Return the outputs: (n_frames, n_inputs) to (n_frames, units)."""
        return run_dense(inputs, *self._parameters)


class Recurrence:
    """A recurrent layer, ``h ← f(x W + h U + b)``, that carries its state from call to call.

    Parameters
    ----------
    kernel, recurrent_kernel, bias : array of float32
        W, U and b, of shapes (n_inputs, units), (units, units) and (units,).
    activation : str
        The name of f, a key of ACTIVATIONS.
    """

    def __init__(self, kernel, recurrent_kernel, bias, activation):
        self._activate = ACTIVATIONS[activation]
        self._kernel, self._recurrent_kernel, self._bias = kernel, recurrent_kernel, bias
        self._state = np.zeros(len(bias), np.float32)

    def run(self, inputs):
        """Return the states for the next frames: (n_frames, n_inputs) to (n_frames, units)."""
        states = run_dense(inputs, self._kernel, self._bias, "linear")
        state, product = self._state, np.empty_like(self._state)
        for row in states:  # what the inputs add, replaced by the state
            np.dot(state, self._recurrent_kernel, out=product)
            row += product
            self._activate(row)
            state = row
        self._state = state.copy()
        return states


def run_with_context(network, blocks, make_input):
    """Yield the output of a ContextNetwork, block by block.

    The blocks make no difference: the network carries its state, and the context comes from the
    blocks before and after.

    Parameters
    ----------
    network : ContextNetwork
    blocks : iterable of Block
    make_input : callable
        From frames of shape (n_freqs, n) to features of shape (n, n_freqs).

    Yields
    ------
    block : Block
    output : array of float32, shape (n, n_outputs)
    """
    waiting, outputs = deque(), []

    def complete():
        """Yield the blocks whose outputs are there, and put the rest of the outputs back."""
        ready = np.concatenate(outputs)
        while waiting and waiting[0].frames.shape[-1] <= len(ready):
            n = waiting[0].frames.shape[-1]
            yield waiting.popleft(), ready[:n]
            ready = ready[n:]
        outputs[:] = [ready]

    for block in blocks:
        waiting.append(block)
        outputs.append(network.run(make_input(block.frames)))
        yield from complete()
    outputs.append(network.flush())
    yield from complete()
