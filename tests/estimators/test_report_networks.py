import pytest

from sksvs.estimators import GRUMaskSeparator, report_network
from sksvs.transforms import IRMTarget, STFTTransformer
from tests.strategies import tiny_tracks

# The report's own table (SGN-24007), layer by layer.
SHARED = {"gru_0": 25_440, "gru_1": 1_584}
REPORTED = {
    "a": {**SHARED, "gru_2": 1_584, "dense_0": 8_721, "dense_1": 51_400, "mask": 51_813},
    "b": {**SHARED, "dense_0": 8_721, "dense_1": 51_400, "mask": 51_813},
    "c": {**SHARED, "gru_2": 1_584, "dense_0": 8_721, "dense_1": 35_980, "mask": 36_423},
}


@pytest.mark.parametrize(("name", "total"), [("a", 140_542), ("b", 138_958), ("c", 109_732)])
def test_parameters_are_those_of_the_report_layer_by_layer(name, total):
    X, y = tiny_tracks(1)
    X = IRMTarget(p=0.7).fit_transform(STFTTransformer(1024, 512, "hamming").transform(X))
    separator = report_network(name, max_iter=1, random_state=0).fit(X, y)
    assert separator.count_params(by_layer=True) == REPORTED[name]
    assert separator.count_params() == report_network(name).count_params(n_freqs=513) == total
    assert sum(array.size for array in separator.weights_.values()) == total


def test_it_is_a_plain_separator_whose_parameters_can_be_changed():
    separator = report_network("c", max_iter=7)
    assert type(separator) is GRUMaskSeparator
    parameters = separator.get_params()
    assert (parameters["dense_layer_sizes"], parameters["max_iter"]) == ((513, 70), 7)
    assert (parameters["loss"], parameters["output_activation"]) == ("binary_crossentropy", "relu")


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="'a', 'b' and 'c'; got 'd'"):
        report_network("d")
