"""The activation functions of a mask network, on arrays that they replace."""

import numpy as np


def sigmoid(values):
    """Replace float32 values by their logistic function, ``(1 + tanh(x / 2)) / 2``.

    NumPy's tanh is several times as fast as `scipy.special.expit` on arrays of some thousands.
    """
    values *= np.float32(0.5)
    np.tanh(values, out=values)
    values *= np.float32(0.5)
    values += np.float32(0.5)


def relu(values):
    """Replace negative values by zero."""
    np.maximum(values, 0, out=values)


def linear(values):
    """Leave the values as they are."""


def elu(values):
    """Replace negative values by ``exp(x) - 1``; NumPy's exp is several times as fast as expm1."""
    negative = np.minimum(values, 0)
    np.exp(negative, out=negative)
    negative -= 1
    np.maximum(values, negative, out=values)


ACTIVATIONS = {"sigmoid": sigmoid, "relu": relu, "linear": linear, "elu": elu}
