"""What is particular to convolutional recurrent networks; the laws are those of every separator."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksvs.augmentation import Augmentation
from sksvs.estimators import CRNSeparator, MixtureBaseline
from sksvs.metrics import bss_eval_scorer
from sksvs.training import fit as training_fit
from sksvs.training import model_pool
from sksvs.transforms import STFTTransformer
from tests.tiny_separators import analysed, three_sources, tiny_crn


def test_it_learns_to_separate_better_than_the_mixture(tracks):
    X, y = tracks
    separator = tiny_crn(max_iter=30, learning_rate_init=0.01).fit(*analysed(X, y))
    assert separator.loss_curve_[-1] < separator.loss_curve_[0] - 2  # dB
    mixture = MixtureBaseline().fit(*analysed(X, y)).score(analysed(X), y)
    assert separator.score(analysed(X), y) > mixture + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [
        {"dropout": 0.0, "augmentation": Augmentation(shift=0.5)},
        {"joint_mask": True, "output_activation": "linear", "hidden_layer_sizes": (6, 5)},
        {"loss": "magnitude_squared_error", "discriminative": 0.05},
        {"loss": "binary_crossentropy"},
        {"hidden_layer_sizes": (), "dual_path_sizes": ((4, 5), (4, 5))},
        {"dual_path_sizes": [[4, 5]]},
        {"bottleneck_factor": 4, "mixed_precision": True},
        {"filter_bank": (8, 6), "joint_mask": True},
        {"bidirectional": False, "dual_path_sizes": ((4, 5),)},
    ],
)
def test_it_learns_with_other_parameters(tracks, parameters):
    X, y = analysed(*tracks)
    separator = tiny_crn(max_iter=12, learning_rate_init=0.01, **parameters).fit(X, y)
    assert separator.loss_curve_[-1] < separator.loss_curve_[0]


def test_it_is_trained_with_bottlenecks_in_the_bands_of_a_filter_bank(tracks):
    X, y = analysed(*tracks)
    separator = tiny_crn(bottleneck_factor=4, filter_bank=(8, 6)).fit(X, y)
    assert separator.weights_["bottleneck_0/inward/kernel"].shape == (7, 1)
    (masks,) = separator.predict_mask(X[:1])
    assert masks.shape == (2, 33, X[0].n_frames) and masks.std() > 0


def test_the_same_seed_gives_the_same_weights_to_the_bit_and_another_others(tracks):
    X, y = analysed(*tracks)
    one, two, other = (tiny_crn(random_state=i).fit(X, y).weights_ for i in (0, 0, 1))
    for name, array in one.items():
        np.testing.assert_array_equal(two[name], array)
        assert not np.array_equal(other[name], array)


@pytest.mark.slow
def test_a_fit_goes_on_from_its_checkpoint_as_if_it_had_not_been_cut_off(tracks, tmp_path):
    (X, y), cut_off = analysed(*tracks), RuntimeError("cut off")

    class CutOff(model_pool.keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise cut_off

    parameters = {"max_iter": 4, "checkpoint_dir": tmp_path}
    with pytest.raises(RuntimeError, match="cut off"):
        tiny_crn(callbacks=[CutOff()], **parameters).fit(X, y)
    resumed, whole = tiny_crn(**parameters).fit(X, y), tiny_crn(max_iter=4).fit(X, y)
    assert resumed.loss_curve_ == whole.loss_curve_
    for name, array in whole.weights_.items():
        np.testing.assert_array_equal(resumed.weights_[name], array)


def test_early_stopping_watches_the_tracks_that_are_held_out(tracks):
    X, y = analysed(*tracks)
    separator = tiny_crn(max_iter=3, early_stopping=True, validation_fraction=0.3).fit(X, y)
    assert len(separator.validation_loss_curve_) == 3
    assert separator.held_out_.sum() == 1


def test_three_sources_have_joint_masks(tracks):
    X, y = tracks
    separator = tiny_crn(max_iter=1).fit(*analysed(X, three_sources(y)))
    (masks,) = separator.predict_mask(analysed(X[:1]))
    assert len(masks) == 3
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-6)


@pytest.mark.slow
def test_partial_fit_and_warm_start_go_on_and_refuse_another_network(tracks):
    X, y = analysed(*tracks)
    separator = tiny_crn(warm_start=True).fit(X, y).fit(X, y).partial_fit(X, y)
    assert separator.n_iter_ == 5
    for change in (
        {"conv_channels": (3,)},
        {"kernel_size": (1, 3)},
        {"dual_path_sizes": ((4, 5),)},
        {"bidirectional": False},
    ):
        with pytest.raises(ValueError, match="other layers"):
            tiny_crn(warm_start=True).fit(X, y).set_params(**change).partial_fit(X, y)


def test_it_is_never_compiled(tracks, monkeypatch):
    monkeypatch.setattr(training_fit, "COMPILED_FROM", 1)
    monkeypatch.setattr(model_pool, "_idle_models", {})
    tiny_crn(max_iter=1).fit(*analysed(*tracks))
    (key,) = model_pool._idle_models
    assert key[-2] is False


@pytest.mark.slow
def test_a_search_tries_channels_and_objectives(tracks):
    X, y = tracks
    pipeline = make_pipeline(STFTTransformer(64, 32), tiny_crn(max_iter=1))
    grid = {
        "crnseparator__conv_channels": [(3,), (3, 4)],
        "crnseparator__loss": ["segment_error_ratio", "magnitude_absolute_error"],
    }
    search = GridSearchCV(pipeline, grid, scoring=bss_eval_scorer, refit="sdr", cv=2)
    search.fit(X[:2], y[:2])
    assert np.isfinite(search.cv_results_["mean_test_sdr"]).all()
    assert len(search.cv_results_["params"]) == 4


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"conv_channels": ()}, "conv_channels must be a tuple of 1 to 16 integers from 1"),
        ({"conv_channels": (4, 0)}, r"conv_channels must be .* got \(4, 0\)"),
        ({"conv_channels": 4}, "conv_channels must be .* got 4"),
        ({"kernel_size": (3, 2)}, r"kernel_size must be a tuple of two odd .* got \(3, 2\)"),
        ({"kernel_size": (3,)}, "kernel_size must be a tuple of two"),
        ({"kernel_size": 3}, "kernel_size must be .* got 3"),
        ({"kernel_size": (3, -1)}, "kernel_size must be"),
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be a tuple of 1 or more"),
        (
            {"dual_path_sizes": (4, 5)},
            r"dual_path_sizes must be .* pairs .* got \(4, 5\)",
        ),
        ({"dual_path_sizes": ((4, 0),)}, "dual_path_sizes must be a tuple of 0 to 16 pairs"),
        ({"dual_path_sizes": ((4,),)}, "dual_path_sizes must be"),
        ({"dual_path_sizes": 4}, "dual_path_sizes must be .* got 4"),
        ({"conv_channels": (513,)}, r"conv_channels must be .* from 1 to 512; got \(513,\)"),
        ({"kernel_size": (33, 3)}, r"kernel_size must be .* from 1 to 31, .* got \(33, 3\)"),
        ({"discriminative": 0.1}, "discriminative must be 0 where the loss"),
        ({"bidirectional": 2}, "bidirectional must be True or False; got 2"),
        ({"bottleneck_factor": 0}, "bottleneck_factor must be an integer from 1 to 64"),
        ({"filter_bank": (8,)}, "filter_bank must be a pair of integers"),
        ({"filter_bank": (30, 30)}, "filter_bank .* more bands than the 33 frequency bins"),
    ],
)
def test_parameters_are_checked_in_fit(tracks, parameters, message):
    with pytest.raises(ValueError, match=f"CRNSeparator: .*{message}"):
        CRNSeparator(**parameters).fit(*analysed(*tracks))
