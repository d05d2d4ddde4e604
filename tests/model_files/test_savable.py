import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.augmentation import Augmentation
from sksvs.estimators import (
    CRNSeparator,
    DRNNSeparator,
    GRUMaskSeparator,
    MixtureBaseline,
    VotingSeparator,
)
from sksvs.model_files import savable
from sksvs.model_files.model_file import check_savable
from sksvs.stft import STFTParams
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer


def make_pipeline(last, **stft):
    stft = STFTTransformer(**{"n_fft": 16, "hop_length": 8, **stft})
    return Pipeline([("mono", MonoDownmix()), ("stft", stft), ("irm", IRMTarget()), ("last", last)])


def as_if_fitted(pipeline):
    """Return the pipeline with what the longest fit could leave, weights of zero."""
    pipeline = clone(pipeline)
    separator = pipeline[-1]
    n = separator.max_iter
    separator._set_scalars(
        {
            "n_sources_": 2,
            "stft_params_": STFTParams(16, 8, sample_rate=8000),
            "input_power_": separator.input_power,
            "loss_curve_": [0.0012345678901234567] * n,
            "validation_loss_curve_": [0.12345678901234567] * (n * bool(separator.early_stopping)),
            "n_iter_": n,
            "held_out_": np.zeros(3, bool),
        }
    )
    for key, shape in separator._fitted_shapes().items():
        attribute, _, item = key.partition("/")
        if item:
            vars(separator).setdefault(attribute, {})[item] = np.zeros(shape, np.float32)
        else:
            setattr(separator, attribute, np.ones(shape, np.float32))
    return pipeline


def sizes(longest, *values):
    return st.lists(st.sampled_from([1, 2, *values]), max_size=longest).map(tuple)


COMMON = {
    "hidden_layer_sizes": sizes(18),
    "max_iter": st.sampled_from([1, 20_000, 43_000, 50_000]),
    "early_stopping": st.sampled_from([True, False, np.True_]),
    "input_power": st.sampled_from([0.5, 100, 101.0]),
    "learning_rate_init": st.sampled_from([0.1, 1e15, 1e17, np.float32(0.1)]),
    "batch_size": st.sampled_from([1, 1 << 53, 1 << 60]),
    "tol": st.sampled_from([0, 1e-300, 1e300]),
    "clip_norm": st.sampled_from([None, 1, 1e17]),
    "random_state": st.sampled_from([None, 0, 2**32 - 1, 2**32, -1, np.random.RandomState(0)]),
    "augmentation": st.sampled_from(
        [None, Augmentation(gain_db=3.0), Augmentation(speed=(0.1, 0.0)), Augmentation("loud")]
    ),
    "callbacks": st.sampled_from([None, [print]]),
}
OWN = {
    GRUMaskSeparator: {"dense_layer_sizes": sizes(18, 1 << 16)},
    CRNSeparator: {
        "conv_channels": sizes(18),
        "kernel_size": st.tuples(*[st.sampled_from([1, 3, 31, 33])] * 2),
        "dual_path_sizes": st.lists(st.tuples(*[st.sampled_from([1, 2])] * 2), max_size=18),
    },
    DRNNSeparator: {"context_frames": st.sampled_from([1, 3, 255, 257])},
}


@st.composite
def separators(draw):
    kind = draw(st.sampled_from(list(OWN)))
    given = draw(st.fixed_dictionaries({}, optional={**COMMON, **OWN[kind]}))
    small = {"hidden_layer_sizes": (2, 2), "dense_layer_sizes": (), "conv_channels": (2,)}
    own = kind().get_params()
    return kind(**{k: v for k, v in {**small, **given}.items() if k in own})


@given(separators())
def test_what_is_accepted_before_a_fit_is_saved_and_loaded_after_it(tmp_path_factory, separator):
    pipeline = make_pipeline(separator)
    try:
        check_savable(pipeline)
    except (TypeError, ValueError):
        return
    path = tmp_path_factory.getbasetemp() / "model.safetensors"
    sksvs.save(as_if_fitted(pipeline), path)
    loaded = sksvs.load(path)[-1]
    for name, value in separator.get_params().items():
        if name.partition("__")[0] not in ("augmentation", "callbacks", "random_state"):
            assert getattr(loaded, name) == value


@pytest.mark.parametrize(
    "last",
    [
        GRUMaskSeparator((4096,) * 2, bidirectional=False),
        GRUMaskSeparator((1,) * 16, max_iter=40_000),
        GRUMaskSeparator((1,), max_iter=20_000, early_stopping=True),
        CRNSeparator((512,), (1, 31)),
        DRNNSeparator(context_frames=255),
        MixtureBaseline(),
        VotingSeparator([("a", GRUMaskSeparator()), ("b", CRNSeparator())]),
    ],
)
def test_what_is_just_within_the_bounds_is_accepted(last, tmp_path):
    assert check_savable(make_pipeline(last), tmp_path / "model", card={"data": "none"}) is None
    assert list(tmp_path.iterdir()) == []


class Gain(BaseEstimator):
    def fit(self, X, y=None):
        return self

    transform = fit


@pytest.mark.parametrize(
    ("last", "error", "message"),
    [
        (GRUMaskSeparator((1,) * 17), ValueError, "hidden_layer_sizes must be a tuple of 0 to 16"),
        (GRUMaskSeparator((4097,)), ValueError, r"from 1 to 4096; got \(4097,\)"),
        (CRNSeparator((513,)), ValueError, r"from 1 to 512; got \(513,\)"),
        (CRNSeparator(kernel_size=(33, 3)), ValueError, "kernel_size must be a tuple of two odd"),
        (DRNNSeparator(context_frames=257), ValueError, "context_frames must be an odd integer"),
        (GRUMaskSeparator((0,)), ValueError, r"from 1 to 4096; got \(0,\)"),
        (GRUMaskSeparator((8,), random_state=-1), ValueError, "random_state must be an integer"),
        (GRUMaskSeparator((4096,) * 5), ValueError, "bytes of weights, and 1069547520 are the"),
        (GRUMaskSeparator(max_iter=50_000), ValueError, "it would have 50000 losses .* max_iter"),
        (
            GRUMaskSeparator(max_iter=25_000, early_stopping=True),
            ValueError,
            "would have 50000 losses",
        ),
        (
            VotingSeparator([("a", DRNNSeparator()), ("b", GRUMaskSeparator((4097,)))]),
            ValueError,
            r"hidden_layer_sizes must be a tuple of .* got \(4097,\)",
        ),
        (VotingSeparator([]), ValueError, "estimators must be a list of 1 to"),
        (IRMTarget(), ValueError, "the last step, and no other, must be a separator"),
        (Gain(), TypeError, r"Step 'last' is a .*\.Gain, which is not one of sksvs's own"),
        (GRUMaskSeparator(solver=print), TypeError, "Step 'last' has solver=<built-in function"),
    ],
)
def test_what_could_not_be_saved_is_refused_before_a_fit(last, error, message):
    with pytest.raises(error, match=message):
        check_savable(make_pipeline(last))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int8"}, "dtype must be 'float32' or 'float16'; got 'int8'"),
        ({"card": {"x": {1, 2}}}, "card cannot be written as JSON"),
        ({"card": {"x": "x" * 600_000}}, "card takes 600009 bytes as JSON"),
    ],
)
def test_options_that_save_refuses_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_savable(make_pipeline(MixtureBaseline()), **options)


def test_losses_and_card_share_the_room():
    pipeline, card = make_pipeline(GRUMaskSeparator((1,), max_iter=30_000)), {"x": "x" * 500_000}
    check_savable(pipeline)
    with pytest.raises(ValueError, match="it would have 30000 losses"):
        check_savable(pipeline, card=card)
    with pytest.raises(ValueError, match="The description of the model takes"):
        sksvs.save(as_if_fitted(pipeline), "model", card=card)


def test_too_many_weights_are_refused_by_save_too(monkeypatch, tmp_path):
    monkeypatch.setattr(savable, "MAX_ARRAYS", 1000)
    pipeline = make_pipeline(GRUMaskSeparator((4,), max_iter=1))
    with pytest.raises(ValueError, match="The pipeline cannot be saved: it has .* bytes of weigh"):
        sksvs.save(as_if_fitted(pipeline), tmp_path / "model")
    with pytest.raises(ValueError, match="The pipeline cannot be saved: it has .* bytes of weigh"):
        check_savable(pipeline)
    check_savable(pipeline, dtype="float16")


def test_a_separator_alone_is_refused():
    with pytest.raises(TypeError, match="Only a Pipeline, .* can be saved; got MixtureBaselin"):
        check_savable(MixtureBaseline())


@pytest.fixture
def places(tmp_path):
    """Return paths at which no model can be written, even by root."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return {
        "missing": tmp_path / "none" / "model",
        "file": tmp_path / "file" / "model",
        "folder": tmp_path / "folder",
        "pipe": tmp_path / "pipe",
        "read-only": "/proc/model",
        "long": tmp_path / ("x" * 255),
    }


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing", "none does not exist, so model cannot be written"),
        ("file", "file is no folder, so model cannot be written"),
        ("folder", "folder is a folder, so no model can be written there"),
        ("pipe", "pipe is no plain file, so no model can be written there"),
        ("read-only", "/proc/model cannot be written .* Take another folder"),
        ("long", r"cannot be written \(File name too long\)"),
    ],
)
def test_places_where_no_file_can_be_written_are_refused(places, place, message):
    with pytest.raises(OSError, match=message):
        check_savable(make_pipeline(MixtureBaseline()), places[place])


def test_a_model_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "model").write_text("before")
    check_savable(make_pipeline(MixtureBaseline()), tmp_path / "model")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("model", "before")]


def test_a_file_of_another_user_in_a_shared_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "model").write_text("")
    tmp_path.chmod(0o1777)
    own = os.stat(tmp_path).st_uid
    for user, is_refused in ((own, False), (0, False), (own + 1, True)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        if is_refused:
            with pytest.raises(PermissionError, match="model belongs to another user and cannot"):
                check_savable(make_pipeline(MixtureBaseline()), tmp_path / "model")
        else:
            check_savable(make_pipeline(MixtureBaseline()), tmp_path / "model")


@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_the_packaged_models_can_be_saved_again(name):
    pipeline, card = sksvs.pretrained(name, return_card=True)
    check_savable(pipeline, card=json.loads(json.dumps(card)))
