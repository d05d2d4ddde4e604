"""Run a GRU layer that reads forwards and backwards over several sequences at once."""

import numpy as np

from sksvs.estimators._activations import sigmoid


class GRUBothWays:
    """A bidirectional GRU layer whose outputs of both directions are put side by side.

    The equations are those of :class:`~sksvs.estimators._gru_stack.GRUStack`. Both directions
    take each step of the loop together, as one product of stacked matrices.

    Parameters
    ----------
    forward, backward : tuple of (kernel, recurrent_kernel, bias)
        Shapes (n_inputs, 3 units), (units, 3 units), (3 units,); the gates side by side in the
        order update, reset, candidate.
    """

    def __init__(self, forward, backward):
        self._kernel = np.concatenate([forward[0], backward[0]], axis=1)
        self._bias = np.concatenate([forward[2], backward[2]])
        recurrent = np.stack([forward[1], backward[1]])
        self._units = recurrent.shape[1]
        self._to_gates = np.ascontiguousarray(recurrent[..., : 2 * self._units])
        self._to_candidate = np.ascontiguousarray(recurrent[..., 2 * self._units :])

    def project(self, inputs):
        """Return what the inputs add to the gates: (..., n_inputs) to (..., 6 units)."""
        projected = inputs @ self._kernel
        projected += self._bias
        return projected

    def run(self, sequences):
        """Return the layer's outputs for projected sequences.

        Parameters
        ----------
        sequences : list of array of float32, each (n_frames, 6 units)
            Of any lengths.

        Returns
        -------
        list of array of float32, each (n_frames, 2 units)
        """
        units, longest = self._units, max(map(len, sequences))
        added = np.zeros((longest, 2, len(sequences), 3 * units), np.float32)
        for i, projected in enumerate(sequences):
            added[: len(projected), 0, i] = projected[:, : 3 * units]
            added[: len(projected), 1, i] = projected[::-1, 3 * units :]
        states = self._loop(added)
        return [
            np.concatenate([states[:n, 0, i], states[:n, 1, i][::-1]], axis=1)
            for i, n in enumerate(map(len, sequences))
        ]

    def run_alike(self, projected):
        """Return the layer's outputs for projected sequences of one length.

        Parameters
        ----------
        projected : array of float32, shape (n_frames, n_sequences, 6 units)

        Returns
        -------
        array of float32, shape (n_frames, n_sequences, 2 units)
        """
        units = self._units
        ways = [projected[..., : 3 * units], projected[::-1, :, 3 * units :]]
        states = self._loop(np.stack(ways, axis=1))
        return np.concatenate([states[:, 0], states[::-1, 1]], axis=-1)

    def _loop(self, added):
        units = self._units
        states = np.empty((len(added) + 1, *added.shape[1:-1], units), np.float32)
        states[0] = 0
        gates = np.empty((*added.shape[1:-1], 2 * units), np.float32)
        update, reset = gates[..., :units], gates[..., units:]
        candidate, scratch = np.empty_like(states[0]), np.empty_like(states[0])
        state = states[0]
        steps = zip(added[..., : 2 * units], added[..., 2 * units :], states[1:])
        for to_gates, to_candidate, new_state in steps:
            np.matmul(state, self._to_gates, out=gates)
            np.add(gates, to_gates, out=gates)
            sigmoid(gates)
            np.multiply(reset, state, out=scratch)
            np.matmul(scratch, self._to_candidate, out=candidate)
            np.add(candidate, to_candidate, out=candidate)
            np.tanh(candidate, out=candidate)
            np.subtract(state, candidate, out=scratch)
            np.multiply(update, scratch, out=scratch)
            np.add(candidate, scratch, out=new_state)
            state = new_state
        return states[1:]
