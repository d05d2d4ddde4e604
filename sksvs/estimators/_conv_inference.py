"""Run a convolutional recurrent network on NumPy arrays.

A convolution is a sum of products of matrices, one for every frame of the kernel: what it sees of
that frame for every output lies in a row of one, a few frames at a time, so that they stay in the
processor's cache. The normalisation, whose statistics are fixed after the fit, becomes part of the
kernel. A transposed convolution that doubles the frequencies is two convolutions, of the even and
of the odd ones.
"""

import numpy as np

from sksvs.estimators._activations import ACTIVATIONS
from sksvs.estimators._architecture import EPSILON, ConvLayer, PathLayer
from sksvs.estimators._gru_both_ways import GRUBothWays
from sksvs.estimators._inference import run_dense

FRAMES_AT_ONCE = 32  # rows of a product come from at most so many frames,
PRODUCT_VALUES = 1 << 24  # and are of at most so many values, but for one frame
SEQUENCES_AT_ONCE = 256  # frames whose frequencies a GRU reads together
WINDOWS_VALUES = 1 << 23  # what encoders give for the windows that are run together
WINDOW = 640  # frames of one, with the context that `_prediction` gives it


class ConvolutionalNetwork:
    """A convolutional recurrent network, run on several ranges of a sequence at once.

    Parameters
    ----------
    layers : tuple of Layer, PathLayer and ConvLayer
    weights : dict of str to array of float32
        By parameter name, see `parameter_shapes`.
    mean, scale : array of float32, shape (n_freqs,)
        What the input is standardised with.
    """

    def __init__(self, layers, weights, mean, scale):
        self._mean, self._scale = mean, scale
        self._encoders, self._grus, self._dense, self._decoders = [], [], [], []
        self._paths = []
        for layer in layers:
            parameters = [weights[name] for name in layer.parameter_shapes]
            if layer.kind == "encoder":
                self._encoders.append(Convolution(layer, *parameters))
            elif layer.kind == "gru":
                self._grus.append(GRUBothWays(parameters[:3], parameters[3:]))
            elif layer.kind == "dense":
                self._dense.append((*parameters, layer.activation))
            elif isinstance(layer, PathLayer):
                self._paths.append(Path(layer, *parameters))
            else:
                self._decoders.append(Convolution(layer, *parameters))
        # Frames on either side that the decoders see of what comes from below.
        self._margin = sum(decoder.margin for decoder in self._decoders)
        self._units = sum(layer.units for layer in layers if layer.kind == "encoder")

    @property
    def windows_at_once(self):
        """How many windows are run together: as many as fit into memory, 8 at most."""
        return max(1, min(8, WINDOWS_VALUES // (WINDOW * self._units)))

    def project(self, features):
        """Return the standardised features: of shape (n_frames, n_freqs), as they were."""
        return (features - self._mean) / self._scale

    def run(self, ranges, margins):
        """Return the output for all ranges, one after another, less their margins.

        Parameters
        ----------
        ranges : list of array of float32, each (n_frames, n_freqs)
            Standardised.
        margins : list of (before, after)
            Frames of each range that are read but have no output.

        Returns
        -------
        array of float32, shape (n_frames of all, n_outputs)
        """
        seen = [self._encode(values) for values in ranges]
        coarsest = self._recur([stages[-1] for stages in seen])
        outputs = []
        for values, (before, after) in zip(coarsest, margins):
            stages = seen.pop(0)  # and let go of
            # Of the margins, that much is still needed.
            left, right = max(before - self._margin, 0), max(after - self._margin, 0)
            inner = slice(left, len(values) - right)
            values = self._decode([stage[inner] for stage in stages], values[inner])
            outputs.append(values[before - left : len(values) - (after - right)])
        return np.concatenate(outputs)

    def _encode(self, values):
        """Return the input and what every encoder gives: each (n_frames, n, n_channels)."""
        stages = [values[..., np.newaxis]]
        for encoder in self._encoders:
            stages.append(encoder.run(stages[-1]))
        return stages

    def _recur(self, ranges):
        """Return what the GRUs make of the coarsest stages: each (n_frames, n, n_channels)."""
        if self._grus:
            ends, shape = np.cumsum([len(values) for values in ranges[:-1]]), ranges[0].shape[1:]
            sequences = [values.reshape(len(values), -1) for values in ranges]
            for gru in self._grus:
                sequences = gru.run(np.split(gru.project(np.concatenate(sequences)), ends))
            for layer in self._dense:
                sequences = [run_dense(values, *layer) for values in sequences]
            ranges = [values.reshape(-1, *shape) for values in sequences]
        for path in self._paths:
            ranges = [path.run(values) for values in ranges]
        return ranges

    def _decode(self, stages, values):
        """Return the output of the network from that of the GRUs: (n_frames, n_outputs)."""
        for decoder in self._decoders:
            values = decoder.run(values, stages.pop())
        return values.swapaxes(1, 2).reshape(len(values), -1)


class Path:
    """A GRU along frequencies or along frames, whose outputs are added to what it has seen.

    Parameters
    ----------
    layer : PathLayer
    *parameters : array of float32
        In the order of `layer.parameter_shapes`.
    """

    def __init__(self, layer: PathLayer, *parameters):
        self._gru = GRUBothWays(parameters[:3], parameters[3:6])
        self._kernel, self._bias = normalise_in_kernel(*parameters[6:])
        self._is_along_frames = layer.kind == "frame_path"

    def run(self, values):
        """Return the outputs: of the shape of the input, (n_frames, freqs, channels)."""
        if self._is_along_frames:
            return self._run_sequences(values)
        outputs = np.empty_like(values)
        for start in range(0, len(values), SEQUENCES_AT_ONCE):
            part = slice(start, start + SEQUENCES_AT_ONCE)
            outputs[part] = self._run_sequences(values[part].swapaxes(0, 1)).swapaxes(0, 1)
        return outputs

    def _run_sequences(self, values):
        """Return the outputs for values whose first axis is that of the GRU."""
        values = np.ascontiguousarray(values)
        n_channels = values.shape[-1]
        projected = self._gru.project(values.reshape(-1, n_channels))
        states = self._gru.run_alike(projected.reshape(*values.shape[:2], -1))
        outputs = states.reshape(-1, states.shape[-1]) @ self._kernel
        outputs += self._bias
        outputs += values.reshape(-1, n_channels)
        return outputs.reshape(values.shape)


def normalise_in_kernel(kernel, scale, bias, mean, variance):
    """Return a kernel and a bias that also normalise what leaves it, by fixed statistics."""
    factor = scale / np.sqrt(np.maximum(variance, 0) + np.float32(EPSILON))
    return kernel * factor, bias - mean * factor


class Convolution:
    """An encoder, a decoder or the mask.

    Parameters
    ----------
    layer : ConvLayer
    kernel : array of float32, shape (frames, freqs, n_inputs, channels)
        Of a decoder: (frames, freqs, channels, n_inputs).
    *others : array of float32, each (channels,)
        In the order of `layer.parameter_shapes`.
    """

    def __init__(self, layer: ConvLayer, kernel, *others):
        self._activate, self.margin = ACTIVATIONS[layer.activation], kernel.shape[0] // 2
        self._shape = layer.units // layer.channels, layer.channels
        is_decoder = layer.kind == "decoder"
        if is_decoder:
            kernel = kernel.swapaxes(2, 3)
        *_, self._bias = others
        if layer.is_normalised:
            kernel, self._bias = normalise_in_kernel(kernel, *others)
        stride = 1 if layer.kind == "conv_mask" else 2
        n_coarse = -(-layer.n_freqs // stride)
        # As TensorFlow pads where the output is as long as the input, but for the stride.
        n_beyond = max((n_coarse - 1) * stride + kernel.shape[1] - layer.n_freqs, 0)
        before = n_beyond // 2
        if is_decoder:
            both = (_transposed_product(kernel, odd, before, layer.n_freqs) for odd in (0, 1))
            self._products = [product for product in both if product is not None]
        else:
            self._products = [_Product(kernel, slice(None), -before, stride, n_coarse)]

    def run(self, *parts):
        """Return the outputs: (n_frames, freqs, channels).

        Parameters
        ----------
        *parts : array of float32, each (n_frames, freqs, n)
            The inputs: the channels of all parts, one after another.
        """
        outputs = np.zeros((len(parts[0]), *self._shape), np.float32)
        for product in self._products:
            product.run(parts, outputs)
        for start in range(0, len(outputs), FRAMES_AT_ONCE):
            part = outputs[start : start + FRAMES_AT_ONCE]
            part += self._bias
            self._activate(part)
        return outputs


class _Product:
    """A convolution that gives some of the frequencies of an output.

    Parameters
    ----------
    kernel : array of float32, shape (frames, freqs, n_inputs, channels)
    outputs : slice
        Which frequencies it gives.
    first : int
        Frequency of the input that the first output sees first; below 0: zeros.
    stride : int
        Frequencies from what one output sees to what the next one does.
    n_outputs : int
    """

    def __init__(self, kernel, outputs, first, stride, n_outputs):
        # Of every frame that an output sees: a matrix from what is seen of it to the channels.
        by_frame = kernel.reshape(len(kernel), -1, kernel.shape[-1])
        self._kernels = np.ascontiguousarray(by_frame, np.float32)
        self._n_freqs, self._outputs = kernel.shape[1], outputs
        self._first, self._stride, self._n_outputs = first, stride, n_outputs

    def run(self, parts, outputs):
        """Write the sums to their places in the outputs.

        Parameters
        ----------
        parts : list of array of float32, each (n_frames, n_freqs, n)
            The inputs: the channels of all parts, one after another.
        outputs : array of float32, shape (n_frames, n_freqs, n_channels)
        """
        n_frames, n_row, n_channels = self._kernels.shape
        before, n_values = n_frames // 2, len(outputs)
        step = max(1, min(FRAMES_AT_ONCE, PRODUCT_VALUES // (self._n_outputs * n_row)))
        seen, padded = self._laid_out(step + n_frames - 1, sum(part.shape[-1] for part in parts))
        added = np.empty((step * self._n_outputs, n_channels), np.float32)
        for i in range(0, n_values, step):
            n = min(step, n_values - i)
            self._fill(padded[: n + n_frames - 1], parts, i - before)
            # Once for all frames of the kernel: its rows for one begin further down for the next.
            rows = seen[: n + n_frames - 1].reshape(-1, n_row)
            of_frames = (
                rows[j * self._n_outputs :][: n * self._n_outputs] for j in range(n_frames)
            )
            sums = next(of_frames) @ self._kernels[0]
            for of_frame, kernel in zip(of_frames, self._kernels[1:]):
                sums += np.matmul(of_frame, kernel, out=added[: len(of_frame)])
            outputs[i : i + n, self._outputs] = sums.reshape(n, self._n_outputs, n_channels)

    def _laid_out(self, n_frames, n_inputs):
        """Return a view of what every output sees of some frames, and those frames, to be filled.

        The frames have all frequencies that are needed, from `first` on, and zeros beyond those
        that there are.
        """
        n_needed = (self._n_outputs - 1) * self._stride + self._n_freqs
        padded = np.zeros((n_frames, n_needed, n_inputs), np.float32)
        by_frame, by_freq, by_input = padded.strides
        seen = np.lib.stride_tricks.as_strided(
            padded,
            (n_frames, self._n_outputs, self._n_freqs, n_inputs),
            (by_frame, by_freq * self._stride, by_freq, by_input),
            writeable=False,
        )
        return seen, padded

    def _fill(self, padded, parts, first):
        """Fill the frames with those of all parts from `first` on, zeros beyond both ends."""
        n_values, n_seen, _ = parts[0].shape
        start, stop = max(self._first, 0), min(self._first + padded.shape[1], n_seen)
        to = slice(start - self._first, stop - self._first)
        known = slice(max(first, 0), min(first + len(padded), n_values))
        padded[: known.start - first] = 0
        padded[known.stop - first :] = 0
        ends = np.cumsum([part.shape[-1] for part in parts])
        for part, end in zip(parts, ends):
            channels = slice(end - part.shape[-1], end)
            padded[known.start - first : known.stop - first, to, channels] = part[known, start:stop]


def _transposed_product(kernel, odd, before, n_freqs):
    """Return the part of a transposed convolution that uses the even or the odd taps.

    Input f adds its product with tap j to output ``2 f + j - before``. None where there are no
    such taps or no such outputs.
    """
    taps = kernel[::-1, odd::2][:, ::-1]  # backwards, as a convolution reads them
    first_place = (before - odd + 1) // 2  # of the first output that is not before the start
    first_output = 2 * first_place + odd - before
    n_outputs = -(-(n_freqs - first_output) // 2)
    if n_outputs < 1 or taps.shape[1] == 0:
        return None
    outputs = slice(first_output, None, 2)
    return _Product(taps, outputs, first_place - (taps.shape[1] - 1), 1, n_outputs)
