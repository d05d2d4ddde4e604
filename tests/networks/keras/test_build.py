import random

from sksvs.estimators import CRNSeparator, DRNNSeparator, GRUMaskSeparator
from sksvs.networks.keras.build import build_network


def test_the_global_generator_of_python_stays_as_it_is():
    small = {"hidden_layer_sizes": (3, 2)}
    before = random.getstate()
    for separator in (GRUMaskSeparator(**small), CRNSeparator(**small), DRNNSeparator(**small)):
        build_network(separator._layers(33, 2), dropout=0.1)
        assert random.getstate() == before
