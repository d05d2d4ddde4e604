"""Keras layers of convolutional recurrent networks: over frames and every other frequency."""

from sksvs.estimators._architecture import EPSILON, NOT_TRAINED, ConvLayer
from sksvs.estimators._startup_log import without_startup_log

with without_startup_log():
    import keras
    import tensorflow as tf

MOMENTUM = 0.9  # of the running statistics, per batch
STRIDES = [1, 1, 2, 1]


@keras.saving.register_keras_serializable("sksvs")
class ConvolutionLayer(keras.layers.Layer):
    """An encoder, a decoder or the mask of a convolutional recurrent network.

    Parameters
    ----------
    layer : ConvLayer or dict
        What it is; a dict has the fields of one.
    mixed_precision : bool, default=False
        Whether convolutions are made in bfloat16 while learning; all else is float32.
    """

    def __init__(self, layer, mixed_precision=False, **kwargs):
        layer = layer if isinstance(layer, ConvLayer) else ConvLayer(**layer)
        super().__init__(**{"name": layer.name, **kwargs})
        self.layer = layer._replace(kernel_size=tuple(layer.kernel_size))
        self.mixed_precision = mixed_precision
        self.activation = keras.activations.get(layer.activation)

    def build(self, input_shape=None):
        """Make the weights, those that are trained first; the layer knows their shapes."""
        for path, shape in self.layer.parameter_shapes.items():
            name = path.rpartition("/")[2]
            trained = name not in NOT_TRAINED
            kind = {"kernel": "glorot_uniform", "scale": "ones", "variance": "ones"}
            weight = self.add_weight(
                name=name,
                shape=shape,
                initializer=kind.get(name, "zeros"),
                trainable=trained,
                aggregation="none" if trained else "mean",
            )
            setattr(self, f"_{name}", weight)
        self.built = True

    def call(self, values, skipped=None, training=False):
        """Return the outputs: those of the mask flat, (batch, n_frames, channels * n_freqs).

        Parameters
        ----------
        values : tensor of float, shape (batch, n_frames, frequencies, n_channels)
        skipped : tensor of float, shape (batch, n_frames, frequencies, n_skipped), optional
        training : bool
            Whether to normalise by the statistics of this batch, and to keep them in mind.
        """
        layer, kernel = self.layer, tf.convert_to_tensor(self._kernel)
        if skipped is not None:
            values = tf.concat([values, skipped], axis=-1)
        if training and self.mixed_precision:
            values, kernel = tf.cast(values, tf.bfloat16), tf.cast(kernel, tf.bfloat16)
        if layer.kind == "conv_mask":
            sums = tf.cast(tf.nn.conv2d(values, kernel, 1, "SAME"), tf.float32) + self._bias
            masks = tf.transpose(self.activation(sums), [0, 1, 3, 2])
            return tf.reshape(masks, [*_batch_and_frames(masks), layer.units])
        if layer.kind == "encoder":
            sums = tf.nn.conv2d(values, kernel, STRIDES, "SAME")
        else:
            shape = [*_batch_and_frames(values), layer.n_freqs, layer.channels]
            sums = tf.nn.conv2d_transpose(values, kernel, shape, STRIDES, "SAME")
            sums = tf.ensure_shape(sums, [None, None, layer.n_freqs, layer.channels])
        return self.activation(self._normalise(tf.cast(sums, tf.float32), training))

    def _normalise(self, sums, training):
        parameters = [tf.convert_to_tensor(x) for x in (self._scale, self._bias)]
        if not training:
            statistics = [tf.convert_to_tensor(x) for x in (self._mean, self._variance)]
            return tf.nn.batch_normalization(sums, *statistics, *parameters[::-1], EPSILON)
        normalised, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            sums, *parameters, epsilon=EPSILON, is_training=True
        )
        for running, current in ((self._mean, mean), (self._variance, variance)):
            running.assign(MOMENTUM * running + (1 - MOMENTUM) * current)
        return normalised

    def compute_output_shape(self, shape, *_):
        """Return the shape of what `call` returns."""
        layer = self.layer
        if layer.kind == "conv_mask":
            return (*shape[:2], layer.units)
        return (*shape[:2], layer.units // layer.channels, layer.channels)

    def get_config(self):
        """Return what the layer is made from."""
        own = {"layer": self.layer._asdict(), "mixed_precision": self.mixed_precision}
        return {**super().get_config(), **own}


def _batch_and_frames(values):
    shape = tf.shape(values)
    return shape[0], shape[1]
