"""Keras layers of convolutional recurrent networks: convolutions and dual-path GRUs."""

from dataclasses import asdict, replace

import keras
import tensorflow as tf

from sksvs.networks.filter_bank import FilterBankLayer
from sksvs.networks.keras.gru import run_in_order
from sksvs.networks.keras.products import MixedPrecision, multiply, multiply_frames
from sksvs.networks.spec import (
    EPSILON,
    NOT_TRAINED,
    BottleneckLayer,
    ConvLayer,
    PathLayer,
)

MOMENTUM = 0.9  # of the running statistics, per batch
STRIDES = [1, 1, 2, 1]
INITIALIZERS = {  # of all others: zeros
    "kernel": "glorot_uniform",
    "recurrent_kernel": "orthogonal",
    "scale": "ones",
    "variance": "ones",
}


class NormalisedLayer(MixedPrecision, keras.layers.Layer):
    """A layer that is built from its description, with batch normalisation.

    Parameters
    ----------
    layer : ConvLayer or PathLayer, or dict
        Its description; a dict has the fields of one.
    mixed_precision : bool, default=False
        Whether products are made in bfloat16 during training; all else is float32.
    """

    description: type | None = None  # the class of `layer`

    def __init__(self, layer, mixed_precision=False, **kwargs):
        layer = self.description(**layer) if isinstance(layer, dict) else layer
        super().__init__(mixed_precision=mixed_precision, **{"name": layer.name, **kwargs})
        self.layer = layer

    def build(self, input_shape=None):
        """Create the weights, trained ones first; the input shape is not needed."""
        self._parameters = {}
        for path, shape in self.layer.parameter_shapes.items():
            name = path.removeprefix(f"{self.layer.name}/")
            trained = name.rpartition("/")[2] not in NOT_TRAINED
            self._parameters[name] = self.add_weight(
                name=name.replace("/", "_"),
                shape=shape,
                initializer=INITIALIZERS.get(name.rpartition("/")[2], "zeros"),
                trainable=trained,
                aggregation="none" if trained else "mean",
            )
        self.built = True

    def _tensor(self, name):
        """Return a parameter as a tensor."""
        return tf.convert_to_tensor(self._parameters[name])

    def _normalise(self, sums, training, step=""):
        """Normalise every channel, in training by the statistics of this batch."""
        parameters = self._tensor(f"{step}scale"), self._tensor(f"{step}bias")
        if not training:
            statistics = self._tensor(f"{step}mean"), self._tensor(f"{step}variance")
            return tf.nn.batch_normalization(sums, *statistics, *parameters[::-1], EPSILON)
        normalised, *statistics = tf.compat.v1.nn.fused_batch_norm(
            sums, *parameters, epsilon=EPSILON, is_training=True
        )[:3]
        for name, current in zip(NOT_TRAINED, statistics):
            running = self._parameters[f"{step}{name}"]
            running.assign(MOMENTUM * running + (1 - MOMENTUM) * current)
        return normalised

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "layer": asdict(self.layer)}


@keras.saving.register_keras_serializable("sksvs")
class ConvolutionLayer(NormalisedLayer):
    """An encoder, a decoder or the mask of a convolutional recurrent network.

    Parameters are those of :class:`NormalisedLayer`, `layer` a ConvLayer or its fields.
    """

    description = ConvLayer

    def __init__(self, layer, mixed_precision=False, **kwargs):
        super().__init__(layer, mixed_precision, **kwargs)
        self.layer = replace(self.layer, kernel_size=tuple(self.layer.kernel_size))
        self.activation = keras.activations.get(self.layer.activation)

    def call(self, values, skipped=None, training=False):
        """Return the outputs: those of the mask flat, (batch, n_frames, channels * n_freqs).

        Parameters
        ----------
        values : tensor of float, shape (batch, n_frames, frequencies, n_channels)
        skipped : tensor of float, shape (batch, n_frames, frequencies, n_skipped), optional
        training : bool
            Whether to normalise by the statistics of this batch, and to update the running ones.
        """
        if skipped is not None:
            values = tf.concat([values, skipped], axis=-1)
        sums = self._convolve(values, training)
        if self.layer.is_normalised:
            return self.activation(self._normalise(sums, training))
        masks = tf.transpose(self.activation(sums + self._tensor("bias")), [0, 1, 3, 2])
        return tf.reshape(masks, [*_batch_and_frames(masks), self.layer.units])

    def _convolve(self, values, training):
        """Return the convolution, with as many frames as `values`."""
        layer, kernel = self.layer, self._tensor("kernel")
        # "SAME" adds frames of zeros on both sides: put as many more before, and cut off the end.
        n_before = 0 if layer.bidirectional else layer.kernel_size[0] // 2
        if n_before:
            values = tf.pad(values, [[0, 0], [n_before, 0], [0, 0], [0, 0]])
        if training and self.mixed_precision:
            values, kernel = tf.cast(values, tf.bfloat16), tf.cast(kernel, tf.bfloat16)
        if layer.kind == "decoder":
            shape = [*_batch_and_frames(values), layer.n_freqs, layer.channels]
            sums = tf.nn.conv2d_transpose(values, kernel, shape, STRIDES, "SAME")
            sums = tf.ensure_shape(sums, [None, None, layer.n_freqs, layer.channels])
        else:
            strides = STRIDES if layer.kind == "encoder" else 1
            sums = tf.nn.conv2d(values, kernel, strides, "SAME")
        sums = tf.cast(sums, tf.float32)
        return sums[:, :-n_before] if n_before else sums

    def compute_output_shape(self, shape, *_):
        """Return the shape of the output."""
        layer = self.layer
        if layer.kind == "conv_mask":
            return (*shape[:2], layer.units)
        return (*shape[:2], layer.units // layer.channels, layer.channels)


@keras.saving.register_keras_serializable("sksvs")
class PathRecurrence(NormalisedLayer):
    """A GRU along frequencies or frames with a projection and a residual connection.

    Parameters are those of :class:`NormalisedLayer`, `layer` a PathLayer or its fields.
    """

    description = PathLayer

    def call(self, values, training=False):
        """Return the sum of `values` and the projected output of the GRU, of the same shape.

        Parameters
        ----------
        values : tensor of float, shape (batch, n_frames, frequencies, n_channels)
        training : bool
            Whether to normalise by the statistics of this batch, and to update the running ones.
        """
        # The axis of the GRU comes first; every place on the other axis is a sequence.
        along = 1 if self.layer.kind == "frame_path" else 2
        order = [along, 0, 3 - along, 3]
        ahead = tf.transpose(values, order)
        shape, in_bfloat16 = tf.shape(ahead), bool(training and self.mixed_precision)
        sequences = tf.reshape(ahead, [shape[0], shape[1] * shape[2], self.layer.channels])
        kernels, recurrent_kernels, biases = (
            [self._tensor(f"{way}/{name}") for way in self.layer.directions]
            for name in ("kernel", "recurrent_kernel", "bias")
        )
        projected = [multiply_frames(sequences, *p, in_bfloat16) for p in zip(kernels, biases)]
        outputs = run_in_order(projected, recurrent_kernels, [False, True][: len(projected)])
        flat = tf.reshape(outputs, [-1, len(projected) * self.layer.gru_units])
        added = tf.reshape(multiply(flat, self._tensor("kernel"), in_bfloat16), shape)
        added = tf.transpose(added, [order.index(axis) for axis in range(4)])
        return values + self._normalise(tf.ensure_shape(added, values.shape), training)

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return shape


@keras.saving.register_keras_serializable("sksvs")
class DenseBottleneck(NormalisedLayer):
    """Two dense layers along the frequencies of every channel, with a residual connection.

    Parameters are those of :class:`NormalisedLayer`, `layer` a BottleneckLayer or its fields.
    """

    description = BottleneckLayer

    def call(self, values, training=False):
        """Return the sum of `values` and the output of the dense layers, of the same shape.

        Parameters
        ----------
        values : tensor of float, shape (batch, n_frames, frequencies, n_channels)
        training : bool
            Whether to normalise by the statistics of this batch, and to update the running ones.
        """
        in_bfloat16, added = bool(training and self.mixed_precision), values
        for step in ("inward/", "outward/"):
            added = tf.transpose(added, [0, 1, 3, 2])
            kernel = self._tensor(f"{step}kernel")
            shape = [*_batch_and_frames(added), self.layer.channels, kernel.shape[1]]
            flat = tf.reshape(added, [-1, kernel.shape[0]])
            added = tf.reshape(multiply(flat, kernel, in_bfloat16), shape)
            added = tf.transpose(added, [0, 1, 3, 2])
            added = tf.ensure_shape(added, [None, None, kernel.shape[1], self.layer.channels])
            added = tf.nn.elu(self._normalise(added, training, step))
        return values + added

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return shape


@keras.saving.register_keras_serializable("sksvs")
class FilterBank(NormalisedLayer):
    """A fixed filter bank over frequencies, or the way back from its bands.

    Parameters are those of :class:`NormalisedLayer`, `layer` a FilterBankLayer or its fields.
    """

    description = FilterBankLayer

    def call(self, values):
        """Return (batch, n_frames, units) from (batch, n_frames, n_inputs)."""
        matrix = tf.constant(self.layer.matrix)
        flat = tf.reshape(values, [-1, matrix.shape[0]])  # every mask by itself
        return tf.reshape(flat @ matrix, [*_batch_and_frames(values), self.layer.units])

    def compute_output_shape(self, shape):
        """Return the shape of the output."""
        return (*shape[:2], self.layer.units)


def _batch_and_frames(values):
    shape = tf.shape(values)
    return shape[0], shape[1]
