import pytest

from sksvs.estimators import CRNSeparator, GRUMaskSeparator, VotingSeparator
from sksvs.networks.filter_bank import FilterBankLayer
from sksvs.networks.spec import BottleneckLayer, ConvLayer, Layer, PathLayer
from sksvs.stft import STFTParams


@pytest.mark.parametrize(
    ("layer", "n_macs"),
    [
        (Layer("a", "dense", 7, 5, "linear"), 7 * 5),
        (Layer("a", "context", 7, 21, "linear"), 0),
        (Layer("a", "rnn", 7, 5), 7 * 5 + 5 * 5),
        (Layer("a", "gru", 7, 5), 3 * (7 * 5 + 5 * 5)),
        (Layer("a", "gru", 7, 5, bidirectional=True), 2 * 3 * (7 * 5 + 5 * 5)),
        # Every one of 5 outputs is a sum over 3 x 3 places and 2 channels, for 4 channels.
        (ConvLayer("a", "encoder", 9, 2, 0, 4, (3, 3)), 5 * 3 * 3 * 2 * 4),
        # Every one of 5 inputs is added to 3 x 3 places.
        (ConvLayer("a", "decoder", 9, 2, 2, 4, (3, 3)), 5 * 3 * 3 * (2 + 2) * 4),
        (ConvLayer("a", "conv_mask", 9, 2, 1, 1, (1, 3)), 9 * 3 * (2 + 1)),
        (PathLayer("a", "frame_path", 6, 4, 5), 6 * (2 * 3 * (4 * 5 + 5 * 5) + 10 * 4)),
        (PathLayer("a", "frame_path", 6, 4, 5, False), 6 * (3 * (4 * 5 + 5 * 5) + 5 * 4)),
        (BottleneckLayer("a", "bottleneck", 6, 4, 2), 4 * (6 * 2 + 2 * 6)),
        (FilterBankLayer("a", "to_bands", 20, 3, 4, n_masks=2), 20 * 7),
        (FilterBankLayer("a", "from_bands", 20, 3, 4, n_masks=2), 2 * 7 * 20),
    ],
)
def test_the_products_of_a_frame_are_counted(layer, n_macs):
    assert layer.n_macs == n_macs


def test_the_products_of_a_second_are_those_of_its_frames():
    gru, params = GRUMaskSeparator((4,), bidirectional=False), STFTParams(16, 8, sample_rate=800)
    assert gru.count_macs(params) == 100 * (3 * (9 * 4 + 4 * 4) + 4 * 9)
    voting = VotingSeparator([("a", gru), ("b", gru)], transpositions=(0.9, 1.0, 1.1))
    assert voting.count_macs(params) == 6 * gru.count_macs(params)
    with pytest.raises(ValueError, match="need a sample rate"):
        CRNSeparator().count_macs(STFTParams(64, 32))
