"""Build the Keras model of a network from its layers."""

import keras

from sksvs.networks.keras.conv import (
    ConvolutionLayer,
    DenseBottleneck,
    FilterBank,
    PathRecurrence,
)
from sksvs.networks.keras.gru import ProjectedBidirectional, ProjectedGRU
from sksvs.networks.keras.rnn import ContextWindow, FlatDense, ReluRNN


def build_network(layers, dropout, mixed_precision=False):
    """Return the Keras model of these layers.

    Parameters
    ----------
    layers : tuple of Layer, ConvLayer or PathLayer
    dropout : float
        Dropout rate of the inputs of recurrent (and other hidden) layers: one mask a segment.
    mixed_precision : bool
        Whether large products are made in bfloat16 during training.

    Returns
    -------
    keras.Model
        From (batch, n_frames, n_freqs) to (batch, n_frames, n_outputs).
    """
    inputs = values = keras.Input((None, layers[0].n_inputs))
    skipped = []  # inputs and outputs of encoders, for the decoders
    for layer in layers:
        if values.shape[2:] != layer.input_shape:
            values = keras.layers.Reshape((-1, *layer.input_shape))(values)
        if layer.drops_inputs and dropout:
            shape = (None, 1, layer.n_inputs)
            values = keras.layers.Dropout(dropout, noise_shape=shape, seed=0)(values)
        keras_layer = LAYERS[layer.kind](layer, dropout, mixed_precision=mixed_precision)
        if layer.kind == "encoder":
            skipped += [] if skipped else [values]
            values = keras_layer(values)
            skipped.append(values)
        else:
            values = keras_layer(values, skipped.pop()) if layer.n_skipped else keras_layer(values)
    return keras.Model(inputs, values)


def _gru(layer, dropout, **options):
    def one_way(name, **kwargs):
        return ProjectedGRU(
            layer.units,
            return_sequences=True,
            reset_after=False,  # the parameter counts of the report
            dropout=dropout,
            seed=0,  # set anew by every fit
            name=name,
            **options,
            **kwargs,
        )

    if not layer.bidirectional:
        return one_way(layer.name)
    backward = one_way(f"{layer.name}_backward", go_backwards=True)
    forward = one_way(f"{layer.name}_forward")
    return ProjectedBidirectional(forward, backward_layer=backward, name=layer.name)


def _rnn(layer, dropout, **options):
    same = {"return_sequences": True, "name": layer.name}
    return ReluRNN(layer.units, layer.activation, **same, **options)


def _dense(layer, dropout, **options):
    return FlatDense(layer.units, layer.activation, name=layer.name, **options)


def _context(layer, dropout, **options):
    return ContextWindow(layer.units // layer.n_inputs, name=layer.name)


def _described(keras_class):
    """Return a builder of layers that are made from their description alone."""
    return lambda layer, dropout, **options: keras_class(layer, **options)


LAYERS = {  # by kind
    "gru": _gru,
    "rnn": _rnn,
    "dense": _dense,
    "context": _context,
    "encoder": _described(ConvolutionLayer),
    "decoder": _described(ConvolutionLayer),
    "conv_mask": _described(ConvolutionLayer),
    "frequency_path": _described(PathRecurrence),
    "frame_path": _described(PathRecurrence),
    "bottleneck": _described(DenseBottleneck),
    "to_bands": _described(FilterBank),
    "from_bands": _described(FilterBank),
}
