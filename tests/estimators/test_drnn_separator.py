"""What is particular to the networks of Huang et al.; the laws are those of every separator."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sksvs.audio import AudioFile, write
from sksvs.augmentation import Augmentation
from sksvs.estimators import DRNNSeparator, MixtureBaseline, StreamingSeparator
from sksvs.metrics import bss_eval_scorer
from sksvs.networks import spec as architecture
from sksvs.separation import separate_file
from sksvs.training import fit as training_fit
from sksvs.training import model_pool
from sksvs.transforms import STFTTransformer
from tests.tiny_separators import analysed, three_sources, tiny_drnn


@pytest.mark.parametrize("recurrent_layers", [(), (2,), "all"])
def test_it_learns_to_separate_better_than_the_mixture(tracks, recurrent_layers):
    X, y = tracks
    separator = tiny_drnn(
        hidden_layer_sizes=(20, 20, 20),
        recurrent_layers=recurrent_layers,
        max_iter=30,
        learning_rate_init=0.005,
    ).fit(*analysed(X, y))
    assert separator.loss_curve_[-1] < 0.6 * separator.loss_curve_[0]
    mixture = MixtureBaseline().fit(*analysed(X, y)).score(analysed(X), y)
    assert separator.score(analysed(X), y) > mixture + 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"dropout": 0.3, "augmentation": Augmentation(shift=0.5)},
        {"joint_mask": False, "output_activation": "sigmoid", "context_frames": 1},
        {"loss": "spectrum_absolute_error", "discriminative": 0.0},
    ],
)
def test_it_learns_with_other_parameters(tracks, parameters):
    X, y = analysed(*tracks)
    separator = tiny_drnn(max_iter=15, learning_rate_init=0.01, **parameters).fit(X, y)
    assert separator.loss_curve_[-1] < separator.loss_curve_[0]


def test_the_same_seed_gives_the_same_weights_to_the_bit_and_another_others(tracks):
    X, y = analysed(*tracks)
    one, two, other = (tiny_drnn(dropout=0.2, random_state=i).fit(X, y).weights_ for i in (0, 0, 1))
    for name, array in one.items():
        np.testing.assert_array_equal(two[name], array)
        assert array.ndim == 1 or not np.array_equal(other[name], array)


def test_three_sources_have_joint_masks(tracks):
    X, y = tracks
    separator = tiny_drnn(max_iter=1).fit(*analysed(X, three_sources(y)))
    (masks,) = separator.predict_mask(analysed(X[:1]))
    assert len(masks) == 3
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-6)


@pytest.mark.slow
def test_partial_fit_and_warm_start_go_on_and_refuse_another_network(tracks):
    X, y = analysed(*tracks)
    separator = tiny_drnn(warm_start=True).fit(X, y).fit(X, y).partial_fit(X, y)
    assert separator.n_iter_ == 5
    for change in ({"recurrent_layers": ()}, {"context_frames": 5}):
        with pytest.raises(ValueError, match="other layers"):
            tiny_drnn(warm_start=True).fit(X, y).set_params(**change).partial_fit(X, y)


@pytest.mark.slow
def test_a_wide_network_is_not_compiled_and_a_narrow_one_learns_the_same_compiled(
    tracks, monkeypatch
):
    X, y = analysed(*tracks)
    monkeypatch.setattr(training_fit, "COMPILED_FROM", 1)
    curves = []
    for wide_from, compiled in ((6, False), (7, True)):
        monkeypatch.setattr(architecture, "HIDDEN_WIDE_FROM", wide_from)
        monkeypatch.setattr(model_pool, "_idle_models", {})
        curves.append(tiny_drnn().fit(X, y).loss_curve_)
        (key,) = model_pool._idle_models
        assert key[-3] is compiled
    np.testing.assert_allclose(*curves, rtol=1e-4)


@pytest.mark.slow
def test_a_search_tries_layers_and_objectives(tracks):
    X, y = tracks
    pipeline = make_pipeline(STFTTransformer(64, 32), tiny_drnn(max_iter=1))
    grid = {
        "drnnseparator__recurrent_layers": [(), "all"],
        "drnnseparator__discriminative": [0.0, 0.05],
    }
    search = GridSearchCV(pipeline, grid, scoring=bss_eval_scorer, refit="sdr", cv=2)
    search.fit(X[:2], y[:2])
    assert np.isfinite(search.cv_results_["mean_test_sdr"]).all()
    assert len(search.cv_results_["params"]) == 4


def test_a_file_is_separated_as_predict_does(tracks, tmp_path):
    X, y = tracks
    write(tmp_path / "song.wav", X[0], 8000)
    pipeline = make_pipeline(STFTTransformer(64, 32), tiny_drnn(max_iter=1))
    song = AudioFile(tmp_path / "song.wav")
    done = separate_file(pipeline.fit(X, y), song.path, tmp_path / "stems")
    (expected,) = pipeline.predict([song])
    for path, estimate in zip(done, expected, strict=True):
        np.testing.assert_allclose(AudioFile(path)[:], estimate, atol=1e-4)


def test_a_stream_refuses_it(tracks):
    with pytest.raises(ValueError, match="look-ahead, and that of this DRNNSeparator needs"):
        StreamingSeparator(tiny_drnn(max_iter=1).fit(*analysed(*tracks)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"recurrent_layers": (4,)}, r"recurrent_layers must be 'all' or .* 1 to 3; got \(4,\)"),
        ({"recurrent_layers": (0,)}, "recurrent_layers must be"),
        ({"recurrent_layers": (1, 1)}, "of different numbers of hidden layers"),
        ({"recurrent_layers": 2}, "recurrent_layers must be .* got 2"),
        ({"recurrent_layers": "none"}, "recurrent_layers must be .* got 'none'"),
        ({"hidden_layer_sizes": (9,)}, r"from 1 to 1; got \(2,\)"),
        ({"hidden_layer_sizes": ()}, "hidden_layer_sizes must be a tuple of 1 or more"),
        ({"context_frames": 2}, "context_frames must be an odd integer from 1 to 255; got 2"),
        ({"context_frames": 257}, "context_frames must be an odd integer from 1 to 255; got 257"),
        ({"context_frames": -1}, "context_frames must be an odd"),
        ({"context_frames": 3.0}, "context_frames must be an odd"),
        ({"loss": "mask_squared_error"}, "discriminative must be 0 where the loss"),
        ({"joint_mask": 1.5}, "joint_mask must be True or False"),
    ],
)
def test_parameters_are_checked_in_fit(tracks, parameters, message):
    with pytest.raises(ValueError, match=f"DRNNSeparator: .*{message}"):
        DRNNSeparator(**parameters).fit(*analysed(*tracks))
