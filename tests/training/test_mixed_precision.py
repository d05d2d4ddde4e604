"""Large products in bfloat16 while learning: nearly the same network, and only while learning."""

import numpy as np
import pytest
from sklearn.base import clone

from sksvs.networks import spec
from sksvs.networks.crn import convolutional_recurrent_layers
from sksvs.networks.gru import mask_network_layers
from sksvs.networks.keras.build import build_network
from tests.strategies import seeded_noise
from tests.tiny_separators import analysed, tiny_crn, tiny_drnn, tiny_separator

BOTH_WAYS = tiny_separator(hidden_layer_sizes=(6, 6))
KINDS = {  # a separator, and from how many units a GRU is wide
    "forwards": (tiny_separator(bidirectional=False, dense_layer_sizes=(5,)), 96),
    "both ways": (BOTH_WAYS, 96),
    "both ways, wide": (BOTH_WAYS, 1),
    "DRNN": (tiny_drnn(), 96),
    "CRN": (tiny_crn(), 96),
    "CRN with dual paths": (tiny_crn(hidden_layer_sizes=(), dual_path_sizes=((4, 5),)), 96),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_in_bfloat16_learns_nearly_the_same(tracks, kind, monkeypatch):
    separator, wide_from = KINDS[kind]
    monkeypatch.setattr(spec, "WIDE_FROM", wide_from)
    X, y = analysed(*tracks)
    plain = clone(separator).set_params(dropout=0.0, max_iter=3).fit(X, y)
    mixed = clone(plain).set_params(mixed_precision=True).fit(X, y)
    np.testing.assert_allclose(mixed.loss_curve_, plain.loss_curve_, rtol=0.02, atol=0.02)
    assert mixed.loss_curve_ != plain.loss_curve_
    for name, weights in mixed.weights_.items():
        assert weights.dtype == np.float32
        np.testing.assert_allclose(weights, plain.weights_[name], atol=0.05)
    for one, other in zip(mixed.predict_mask(X), plain.predict_mask(X)):
        assert np.abs(one - other).mean() < 0.01


@pytest.mark.parametrize(
    "layers",
    [
        mask_network_layers(9, 1, (4,), True, (), "sigmoid"),
        convolutional_recurrent_layers(9, 1, (3,), (3, 3), (4,), "sigmoid"),
    ],
)
def test_outside_of_learning_everything_is_float32(layers):
    inputs = seeded_noise((2, 5, 9), seed=0).astype(np.float32)
    plain, mixed = (build_network(layers, 0.0, mixed_precision=m) for m in (False, True))
    mixed.set_weights(plain.get_weights())
    predicted, learning = (
        [np.array(model(inputs, training=training)) for model in (plain, mixed)]
        for training in (False, True)
    )
    np.testing.assert_array_equal(*predicted)
    assert (learning[0] != learning[1]).any()


def test_it_is_a_flag(tracks):
    with pytest.raises(ValueError, match="mixed_precision must be True or False; got 'bfloat16'"):
        tiny_crn(mixed_precision="bfloat16").fit(*analysed(*tracks))
