"""Run GRU layers that only read forwards, all of them in one loop over the frames."""

import numpy as np
from scipy.special import expit


class GRUStack:
    """GRU layers on top of one another that carry their state from block to block.

    With update gate z, reset gate r and candidate c, as in Keras with ``reset_after=False``:
    ``z, r = σ(x W + h U + b)``, ``c = tanh(x W_c + (r ⊙ h) U_c + b_c)``,
    ``h ← z ⊙ h + (1 - z) ⊙ c``.

    Every layer is one frame behind the layer below. So what it reads is the state that the layer
    below had one step before, as its own is, and one step of the loop is one step of all layers:
    two small products in place of two a layer. Most of the time of such a step is the overhead of
    its calls, so that a stack takes hardly longer than one layer.

    Parameters
    ----------
    kernels : list of (kernel, recurrent_kernel, bias)
        Of the layers from the input on: shapes (n_inputs, 3 units), (units, 3 units), (3 units,);
        the gates side by side in the order z, r, c.

    References
    ----------
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", EMNLP 2014.
    """

    def __init__(self, kernels):
        units = [len(recurrent) for _, recurrent, _ in kernels]
        n = sum(units)
        ends = np.cumsum(units)
        self._slices = [slice(end - size, end) for end, size in zip(ends, units)]
        # From the state of all layers to what is added up in all of their gates: (n, 3, n).
        from_state = np.zeros((n, 3, n), np.float32)
        self._from_reset_state = np.zeros((n, n), np.float32)
        bias = np.zeros((3, n), np.float32)
        for i, (own, (kernel, recurrent, b)) in enumerate(zip(self._slices, kernels)):
            recurrent = recurrent.reshape(len(recurrent), 3, -1)
            from_state[own, :2, own] = recurrent[:, :2]
            self._from_reset_state[own, own] = recurrent[:, 2]
            bias[:, own] = b.reshape(3, -1)
            if i > 0:
                from_state[self._slices[i - 1], :, own] = kernel.reshape(len(kernel), 3, -1)
        self._from_state = from_state.reshape(n, 3 * n)
        self._from_input = kernels[0][0]
        self._bias = bias
        self._delays = np.repeat(np.arange(len(units)), units)  # of every unit, in frames
        self._state = np.zeros(n, np.float32)

    def run(self, inputs):
        """Return the output of the last layer for the next frames of a sequence.

        Parameters
        ----------
        inputs : array of float32, shape (n_frames, n_inputs)

        Returns
        -------
        array of float32, shape (n_frames, units of the last layer)
        """
        n_frames, n = len(inputs), len(self._state)
        n_steps = n_frames + len(self._slices) - 1
        added = np.empty((n_steps, 3, n), np.float32)
        added[:] = self._bias
        first = self._slices[0]
        added[:n_frames, :, first] += (inputs @ self._from_input).reshape(n_frames, 3, -1)
        states = np.empty((n_steps + 1, n), np.float32)
        states[0] = self._state
        # The steps at which some layer has no frame: the first ones and the last ones.
        frames = np.arange(n_steps)[:, np.newaxis] - self._delays
        waiting = (frames < 0) | (frames >= n_frames)
        self._loop(added.reshape(n_steps, 3 * n), states, waiting)
        self._state = states[-1].copy()
        return states[len(self._slices) :, self._slices[-1]]

    def _loop(self, added, states, waiting):
        n = states.shape[1]
        from_state, from_reset_state = self._from_state, self._from_reset_state
        sums = np.empty(3 * n, np.float32)
        gates, update, reset, candidate = sums[: 2 * n], sums[:n], sums[n : 2 * n], sums[2 * n :]
        scratch, product = np.empty(n, np.float32), np.empty(n, np.float32)
        idle = {step: waiting[step] for step in np.flatnonzero(waiting.any(axis=1)).tolist()}
        state = states[0]
        for step, (addend, new_state) in enumerate(zip(added, states[1:])):
            np.dot(state, from_state, out=sums)
            np.add(sums, addend, out=sums)
            expit(gates, out=gates)
            np.multiply(reset, state, out=scratch)
            np.dot(scratch, from_reset_state, out=product)
            np.add(candidate, product, out=candidate)
            np.tanh(candidate, out=candidate)
            np.subtract(state, candidate, out=scratch)
            np.multiply(update, scratch, out=scratch)
            np.add(candidate, scratch, out=new_state)
            if step in idle:
                np.copyto(new_state, state, where=idle[step])
            state = new_state
