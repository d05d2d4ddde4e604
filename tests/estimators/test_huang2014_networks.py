import numpy as np
import pytest

from sksvs.estimators import HUANG2014_NETWORKS, DRNNSeparator, huang2014_network
from tests.tiny_separators import analysed


@pytest.mark.parametrize(
    ("name", "recurrent"),
    [("DNN", []), ("DRNN-1", [1]), ("DRNN-2", [2]), ("DRNN-3", [3]), ("sRNN", [1, 2, 3])],
)
def test_parameters_are_those_of_the_formula(name, recurrent):
    # Three layers of 1000 above 3 frames of 513, two outputs of 513, and 1000 x 1000 a recurrence.
    dense = (3 * 513 + 1) * 1000 + 2 * (1000 + 1) * 1000 + (1000 + 1) * 2 * 513
    network = huang2014_network(name)
    assert network.count_params(n_freqs=513) == dense + len(recurrent) * 1000**2
    by_layer = network.count_params(by_layer=True, n_freqs=513)
    for k, without in enumerate([1_540_000, 1_001_000, 1_001_000], start=1):
        assert by_layer[f"hidden_{k}"] == without + (1000**2 if k in recurrent else 0)


def test_they_are_plain_separators_whose_parameters_can_be_changed(tracks):
    assert list(HUANG2014_NETWORKS) == ["DNN", "DRNN-1", "DRNN-2", "DRNN-3", "sRNN"]
    separator = huang2014_network(
        "DRNN-3", discriminative=0.0, hidden_layer_sizes=(4, 4, 4), max_iter=1, random_state=0
    )
    assert type(separator) is DRNNSeparator
    assert (separator.discriminative, separator.joint_mask) == (0.0, True)
    separator.fit(*analysed(*tracks))
    assert separator.weights_["hidden_3/recurrent_kernel"].shape == (4, 4)
    assert sum(map(np.size, separator.weights_.values())) == separator.count_params()


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="are 'DNN', 'DRNN-1', .* 'sRNN'; got 'LSTM'"):
        huang2014_network("LSTM")
