import copy
import json
import os
import pickle
import resource
import struct
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.audio import ArrayWaveform, Sources
from sksvs.augmentation import Augmentation
from sksvs.estimators import GRUMaskSeparator, IdealMaskOracle, MixtureBaseline, VotingSeparator
from sksvs.model_files import ModelFileError, load, save
from sksvs.networks.spec import is_causal
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer
from tests.strategies import seeded_noise, tiny_tracks
from tests.tiny_separators import three_sources, tiny_crn, tiny_drnn, tiny_separator

LEFT_OUT = {"training_state_"}


def make_pipeline(last, **stft):
    settings = {"n_fft": 64, "hop_length": 32, **stft}
    return Pipeline(
        [
            ("mono", MonoDownmix()),
            ("stft", STFTTransformer(**settings)),
            ("irm", IRMTarget()),
            ("last", last),
        ]
    )


@pytest.fixture(scope="module")
def tracks():
    return tiny_tracks(2)


@pytest.fixture(scope="module")
def fitted(tracks):
    """Return a fitted pipeline whose parameters are of every kind."""
    gru = tiny_separator(
        hidden_layer_sizes=(5, 4),
        dense_layer_sizes=[3],
        dropout=np.float64(0.1),
        clip_norm=1,
        loss="binary_crossentropy",  # which sees the exponents of IRMTarget
        max_iter=2,
        augmentation=Augmentation(gain_db=np.float32(3.0), remix=0.5),
        early_stopping=np.True_,
        random_state=np.int32(7),
    )
    pipeline = make_pipeline(gru, window=("kaiser", 8.0)).set_params(irm__p=np.float32(0.7))
    pipeline.fit(*tracks)
    return pipeline.set_params(last__hidden_layer_sizes=(np.int64(5), 4))


@pytest.fixture(scope="module")
def baseline(tracks):
    return make_pipeline(MixtureBaseline()).fit(*tracks)


@pytest.fixture(scope="module")
def model(fitted, tmp_path_factory):
    """Return the bytes of a saved model."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    save(fitted, path, card={"data": "synthesised"})
    return path.read_bytes()


def save_and_load(pipeline, tmp_path, **options):
    save(pipeline, tmp_path / "model.safetensors", **options)
    return load(tmp_path / "model.safetensors")


def same_fitted(first, second):
    """Assert that two estimators have equal fitted attributes, to the bit, in the same types."""
    fitted = {name for name in vars(first) if name.endswith("_")} - LEFT_OUT
    assert fitted == {name for name in vars(second) if name.endswith("_")}
    for name in fitted:
        a, b = getattr(first, name), getattr(second, name)
        assert type(a) is type(b), name
        if name == "layers_":
            assert a == b
            continue
        for x, y in zip(a.values(), b.values()) if isinstance(a, dict) else [(a, b)]:
            np.testing.assert_array_equal(x, y)
            assert getattr(x, "dtype", None) == getattr(y, "dtype", None)
        assert not isinstance(a, dict) or list(a) == list(b)


def test_what_is_loaded_is_what_was_saved_to_the_bit(fitted, tracks, tmp_path):
    loaded = save_and_load(fitted, tmp_path)
    same_fitted(fitted[-1], loaded[-1])
    for a, b in zip(fitted.predict(tracks[0]), loaded.predict(tracks[0])):
        np.testing.assert_array_equal(a, b)
    assert loaded.score(*tracks) == fitted.score(*tracks)
    assert loaded[-1].count_params() == fitted[-1].count_params()
    assert [name for name, _ in loaded.steps] == ["mono", "stft", "irm", "last"]
    for before, after in zip(fitted, loaded):
        expected, got = before.get_params(), after.get_params()
        both = [parameters.pop("augmentation", None) for parameters in (expected, got)]
        assert got == expected  # among them augmentation__gain_db
        assert type(both[0]) is type(both[1])
    assert type(loaded[-1].random_state) is int
    assert type(loaded[-1].early_stopping) is bool


def test_names_of_sources_are_saved(tracks, tmp_path):
    names = ("vocals", "all else")
    y = [Sources(map(ArrayWaveform, sources), names) for sources in tracks[1]]
    pipeline = make_pipeline(MixtureBaseline()).fit(tracks[0], y)
    assert pipeline[-1].source_names_ == names
    assert save_and_load(pipeline, tmp_path)[-1].source_names_ == names


@pytest.mark.parametrize(
    ("n_sources", "names"),
    [(2, ("vocals", "accompaniment")), (4, ("vocals", "source_1", "source_2", "source_3"))],
)
def test_a_file_from_before_sources_had_names_gives_them_default_ones(
    tracks, scratch, n_sources, names
):
    y = [np.repeat(sources[:1], n_sources, axis=0) for sources in tracks[1]]
    save(make_pipeline(MixtureBaseline()).fit(tracks[0], y), scratch)
    old = with_document(scratch.read_bytes(), lambda d: last(d)["learnt"].pop("source_names_"))
    scratch.write_bytes(old)
    assert load(scratch)[-1].source_names_ == names


@pytest.mark.parametrize("last", [MixtureBaseline(), IdealMaskOracle(mask="ratio", p=2)])
def test_baselines_are_saved_too(last, tracks, tmp_path):
    pipeline = make_pipeline(last).fit(*tracks)
    loaded = save_and_load(pipeline, tmp_path)
    same_fitted(pipeline[-1], loaded[-1])
    assert loaded.score(*tracks) == pipeline.score(*tracks)


@pytest.mark.parametrize(
    ("last", "stft"),
    [
        (tiny_drnn(max_iter=1), {"window": ["kaiser", 8.0]}),
        (tiny_crn(max_iter=1, conv_channels=[4], kernel_size=(1, 5)), {}),
        (tiny_crn(max_iter=1, hidden_layer_sizes=(), dual_path_sizes=((4, 5), [3, 2])), {}),
        (tiny_crn(max_iter=1, bidirectional=False, dual_path_sizes=((4, 5),)), {}),
        (
            tiny_drnn(max_iter=1, recurrent_layers="all", clip_norm=None, others_weight=3.0),
            {"sample_rate": 8000, "array_rate": 16000},
        ),
        (
            tiny_separator(
                max_iter=1, verbose=1, augmentation=Augmentation(channel=0.5, speed=(0.1, 0.0))
            ),
            {"sample_rate": 8000, "array_rate": 8000},
        ),
        (tiny_separator(max_iter=1, loss="magnitude_absolute_error", joint_mask=True), {}),
    ],
)
def test_separators_with_other_parameters_are_saved_too(last, stft, tracks, tmp_path):
    pipeline = make_pipeline(clone(last), **stft).fit(*tracks)
    loaded = save_and_load(pipeline, tmp_path)
    same_fitted(pipeline[-1], loaded[-1])
    for before, after in zip(pipeline, loaded):
        expected, got = before.get_params(), after.get_params()
        assert str(expected.pop("augmentation", None)) == str(got.pop("augmentation", None))
        assert got == expected
    np.testing.assert_array_equal(loaded.predict(tracks[0])[0], pipeline.predict(tracks[0])[0])


def test_three_sources_a_search_and_a_step_that_passes_through(tracks, tmp_path):
    pipeline = make_pipeline(tiny_separator(max_iter=1, bidirectional=False))
    pipeline.set_params(mono="passthrough").fit(tracks[0], three_sources(tracks[1]))
    loaded = save_and_load(SimpleNamespace(best_estimator_=pipeline), tmp_path)
    np.testing.assert_array_equal(pipeline.predict(tracks[0])[0], loaded.predict(tracks[0])[0])


def test_float16_takes_half_the_room_and_rounds_the_weights_alone(fitted, tracks, tmp_path):
    save(fitted, tmp_path / "whole.safetensors")
    loaded = save_and_load(fitted, tmp_path, dtype="float16")
    for a, b in zip(fitted.predict(tracks[0]), loaded.predict(tracks[0])):
        np.testing.assert_allclose(a, b, atol=2e-3 * np.abs(a).max())
    assert {array.dtype for array in loaded[-1].weights_.values()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(loaded[-1].input_mean_, fitted[-1].input_mean_)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "model")]
    assert sizes[0] - sizes[1] == pytest.approx(2 * fitted[-1].count_params(), abs=100)


def test_fitting_goes_on_with_a_new_optimiser(fitted, tracks, tmp_path):
    loaded = save_and_load(fitted, tmp_path)
    assert not hasattr(loaded[-1], "training_state_")
    loaded[-1].partial_fit(loaded[:-1].fit_transform(tracks[0]), tracks[1])
    assert loaded[-1].n_iter_ == fitted[-1].n_iter_ + 1
    assert loaded[-1].loss_curve_[:-1] == fitted[-1].loss_curve_
    warm = save_and_load(fitted, tmp_path).set_params(last__warm_start=True).fit(*tracks)
    assert warm[-1].n_iter_ == 2 * fitted[-1].n_iter_
    np.testing.assert_array_equal(warm[-1].input_mean_, fitted[-1].input_mean_)


def test_what_belongs_to_one_run_is_left_out(baseline, tracks, tmp_path):
    gru = tiny_separator(max_iter=1, checkpoint_dir=tmp_path / "checkpoints")
    pipeline = make_pipeline(gru).fit(*tracks)
    pipeline.memory = str(tmp_path)
    pipeline.set_params(last__callbacks=[object()])
    loaded = save_and_load(pipeline, tmp_path)
    assert (loaded[-1].checkpoint_dir, loaded[-1].callbacks, loaded.memory) == (None, None, None)
    pipeline.set_params(last__checkpoint_dir=None, last__random_state=np.random.RandomState(0))
    assert save_and_load(pipeline, tmp_path)[-1].random_state is None


def test_a_fresh_process_predicts_without_tensorflow(fitted, tracks, tmp_path):
    save(fitted, tmp_path / "model.safetensors")
    np.save(tmp_path / "x.npy", tracks[0][0])
    code = (
        "import sys, numpy, sksvs; assert 'sklearn' not in sys.modules;"
        "pipeline = sksvs.load('model.safetensors');"
        "numpy.save('y.npy', pipeline.predict([numpy.load('x.npy')])[0]);"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), fitted.predict(tracks[0])[0])


def test_the_same_model_gives_the_same_bytes_and_its_card(model, fitted, tmp_path):
    path = tmp_path / "model.safetensors"
    save(fitted, path, card={"data": "synthesised"})
    assert path.read_bytes() == model
    assert load(path, return_card=True)[1] == {"data": "synthesised"}
    save(fitted, path)
    assert load(path, return_card=True)[1] is None


class Gain(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


class GRUMaskSeparatorOfMyOwn(MixtureBaseline):
    pass


GRUMaskSeparatorOfMyOwn.__name__ = "GRUMaskSeparator"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda p: p[-1], TypeError, "Only a Pipeline, or a fitted search.*got MixtureBaseline"),
        (lambda p: Pipeline([("g", Gain()), *p.steps]), TypeError, r"Step 'g' is a .*\.Gain, wh"),
        (
            lambda p: Pipeline([*p.steps[:-1], ("x", GRUMaskSeparatorOfMyOwn())]),
            TypeError,
            "Step 'x' is a .*GRUMaskSeparatorOfMyOwn, which is not one of",
        ),
        (lambda p: Pipeline(p.steps[:-1]), ValueError, "The pipeline cannot be saved: the last"),
        (lambda p: clone(p), NotFittedError, "MixtureBaseline"),
        (
            lambda p: clone(p).set_params(last=p[-1], irm__p=print),
            TypeError,
            "Step 'irm' has p=<built-in function print>, but a value of type builtin",
        ),
        (
            lambda p: clone(p).set_params(last=p[-1], irm__p=np.inf),
            ValueError,
            "Step 'irm' has p=inf, but a number must be finite",
        ),
        (
            lambda p: clone(p).set_params(last=p[-1], stft__n_fft=2**21),
            ValueError,
            "cannot be saved: n_fft must be an integer from 2 to 1048576; got 2097152",
        ),
        (
            lambda p: clone(p).set_params(last=p[-1], stft__n_fft=128),
            ValueError,
            "cannot be saved: step 'stft' has n_fft=128 instead of 64 as in fit, and",
        ),
    ],
)
def test_what_cannot_be_saved_is_refused_by_name(baseline, tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        save(change(baseline), tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_cannot_be_saved_are_refused_by_name(fitted, tmp_path):
    path = tmp_path / "model.safetensors"
    changed = copy.deepcopy(fitted)
    changed[-1].weights_["mask/bias"][0] = 1e6
    save(changed, path)
    with pytest.raises(ValueError, match="last/weights_/mask/bias has weights too large for float"):
        save(changed, path, dtype="float16")
    changed[-1].weights_["mask/bias"][0] = np.nan
    with pytest.raises(ValueError, match="last/weights_/mask/bias holds NaN or inf"):
        save(changed, path)
    changed = copy.deepcopy(fitted).set_params(last__output_activation="relu")
    with pytest.raises(ValueError, match="step 'last' has other parameters now than those that"):
        save(changed, path)
    assert load(path)[-1].weights_["mask/bias"][0] == 1e6


def test_bad_options_of_save_are_refused(baseline, tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float16'; got 'int8'"):
        save(baseline, path, dtype="int8")
    with pytest.raises(TypeError, match="card must be a dict; got list"):
        save(baseline, path, card=[])
    for card in ({"x": object()}, {"x": np.nan}, {"x": json.loads("[" * 20 + "]" * 20)}):
        with pytest.raises(ValueError, match="card cannot be written as JSON"):
            save(baseline, path, card=card)
    with pytest.raises(ValueError, match="Give it a smaller card"):
        save(baseline, path, card={"x": "x" * 2_000_000})
    with pytest.raises(FileNotFoundError, match="none does not exist, so model"):
        save(baseline, tmp_path / "none" / "model.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder, so no model"):
        save(baseline, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_deepest_card_that_is_saved_is_loaded(baseline, tmp_path):
    path, depth = tmp_path / "model.safetensors", 1
    with pytest.raises(ValueError, match="it is nested too deeply"):
        for depth in range(1, 30):
            save(baseline, path, card={"x": json.loads("[" * depth + "]" * depth)})
    assert depth > 8
    card = load(path, return_card=True)[1]
    assert card == {"x": json.loads("[" * (depth - 1) + "]" * (depth - 1))}


def test_curves_that_are_too_long_are_named(fitted, tmp_path):
    changed = copy.deepcopy(fitted)
    changed[-1].loss_curve_ = [0.123456789] * 100_000
    with pytest.raises(ValueError, match=r"1300000 of them are loss_curve_ of step 'last': make"):
        save(changed, tmp_path / "model.safetensors")


def test_a_full_disk_leaves_what_was_there(fitted, model, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(model) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match=r"model\.safetensors could not be written, and is left"):
            save(fitted, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    assert path.read_bytes() == b"before"


# What is loaded need not be trusted: whatever is in a file, it loads or a ModelFileError names it.


def parts_of(model):
    (length,) = struct.unpack("<Q", model[:8])
    return json.loads(model[8 : 8 + length]), model[8 + length :]


def put_together(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def with_document(model, change):
    """Return the model with a changed description."""
    header, data = parts_of(model)
    document = json.loads(header["__metadata__"]["sksvs"])
    changed = change(document)
    document = changed if isinstance(changed, (str, list)) else document
    header["__metadata__"]["sksvs"] = (
        document if isinstance(document, str) else json.dumps(document)
    )
    return put_together(header, data)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch") / "model.safetensors"


def refused(data, scratch, match="cannot be loaded as a model: "):
    scratch.write_bytes(data)
    with pytest.raises(ModelFileError, match=match) as caught:
        load(scratch)
    assert str(scratch) in str(caught.value)
    assert len(str(caught.value)) < 1000 + len(str(scratch))


@given(data=st.data())
def test_a_file_that_is_cut_anywhere_is_refused(model, scratch, data):
    refused(model[: data.draw(st.integers(0, len(model) - 1))], scratch)


def test_a_file_with_more_at_its_end_is_refused(model, scratch):
    refused(model + b"\0", scratch)


@settings(max_examples=500)
@given(data=st.data())
def test_a_changed_header_loads_or_is_refused(model, scratch, data):
    length = 8 + struct.unpack("<Q", model[:8])[0]
    changed = bytearray(model)
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, length - 1))
        changed[position] = data.draw(st.integers(0, 255))
    scratch.write_bytes(changed)
    try:
        pipeline, card = load(scratch, return_card=True)
    except ModelFileError as error:
        assert str(scratch) in str(error)
    else:  # in the card, a name, a number within its bounds
        assert isinstance(pipeline, Pipeline)
        assert set(pipeline[-1].weights_) == {
            name for layer in pipeline[-1].layers_ for name in layer.parameter_shapes
        }


def documents():
    """Draw what JSON can say."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["tuple", "booleans", "STFTParams", "Augmentation", "n_fft", "x"])
                | st.text(max_size=3),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    )


@pytest.mark.slow
@settings(max_examples=500)
@given(data=st.data())
def test_any_value_anywhere_in_the_description_loads_or_is_refused(model, scratch, data):
    def change(document):
        places = []

        def walk(value):
            for key in value if isinstance(value, dict) else range(len(value)):
                places.append((value, key))
                if isinstance(value[key], (dict, list)):
                    walk(value[key])

        walk(document)
        parent, key = data.draw(st.sampled_from(places))
        parent[key] = data.draw(documents())

    scratch.write_bytes(with_document(model, change))
    try:
        load(scratch)
    except ModelFileError as error:
        assert str(scratch) in str(error)


def last(document):
    return document["steps"][-1]


def setting(name, value, step=-1, kind="parameters"):
    def change(document):
        document["steps"][step][kind][name] = value

    return change


def names(*sources):
    """Return names of sources as they are in a file."""
    return {"tuple": list(sources)}


def source_names(*sources):
    return setting("source_names_", names(*sources), kind="learnt")


def analyses(of_step, of_fit):
    """Change the settings of the step and of the fit."""

    def change(document):
        document["steps"][1]["parameters"].update(of_step)
        document["steps"][-1]["learnt"]["stft_params_"]["STFTParams"].update(of_fit)

    return change


def stft_params(**values):
    params = {"n_fft": 64, "hop_length": 32, "window": "hann", "sample_rate": None}
    return setting("stft_params_", {"STFTParams": {**params, **values}}, kind="learnt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: "[" * 100_000, "recursion"),
        (lambda d: "{" * 100, "Expecting property name"),
        (lambda d: '{"format": ' + "9" * 5000 + "}", "digits"),
        (lambda d: [], "no JSON object"),
        (lambda d: d.update(format=2), r"its format is 2, not 1\. .* written by sksvs.save of a"),
        (lambda d: d.update(card=[]), "its card is no JSON object"),
        (lambda d: d.update(card={"x": json.loads("[" * 20 + "]" * 20)}), "nested too deeply"),
        (lambda d: d.update(steps=[]), "1 to 16 steps"),
        (lambda d: d.update(steps=d["steps"] * 5), "1 to 16 steps"),
        (lambda d: d["steps"].pop(), "the last step, and no other, must be a separator"),
        (lambda d: d["steps"].append(last(d)), "the last step, and no other, must be a sep"),
        (lambda d: d["steps"][0].update(name="last"), "its steps cannot be called"),
        (lambda d: last(d).update({"name": "steps"}), "its steps cannot be called"),
        (lambda d: last(d).update({"class": "os.system"}), "class 'os.system', which is not"),
        (lambda d: last(d).update({"class": "StreamingSeparator"}), "which is not known"),
        (lambda d: last(d).update({"class": "IRMTarget"}), "the last step, and no other, must be"),
        (lambda d: d["steps"][2].update({"class": "MonoDownmix"}), "has no parameter"),
        (
            lambda d: last(d)["learnt"].pop("n_iter_"),
            "a GRUMaskSeparator must be n_sources_,",
        ),
        (setting("evil", 1), "GRUMaskSeparator has no parameter 'evil'"),
        (setting("checkpoint_dir", "/tmp"), "checkpoint_dir must be null; got '/tmp'"),
        (setting("callbacks", []), "callbacks must be null"),
        (setting("random_state", -1), "random_state must be an integer from 0"),
        (setting("hidden_layer_sizes", {"tuple": [5000]}), r"from 1 to 4096; got \(5000,\)"),
        (setting("hidden_layer_sizes", {"tuple": [5] * 17}), "must be a tuple of 0 to 16 integers"),
        (setting("hidden_layer_sizes", [5] * 17), "hidden_layer_sizes must be a tuple of 0 to"),
        (setting("hidden_layer_sizes", {"tuple": [4096] * 16}), r"it (lacks|has too much)"),
        (setting("hidden_layer_sizes", {"tuple": [4, 5]}), r"of shape \(33, 12\); got F32"),
        (setting("hidden_layer_sizes", 5), "must be a tuple of .* got 5"),
        (setting("dropout", "much"), "dropout must be at least 0 and below 1; got 'much'"),
        (setting("dropout", 2), "dropout must be at least 0 and below 1; got 2"),
        (setting("output_activation", "evil"), "output_activation must be one of 'sigmoid', 're"),
        (setting("augmentation", {"Augmentation": {"gain_db": -1}}), "gain_db must be at least 0"),
        (setting("augmentation", {"Augmentation": {"evil": 1}}), "Augmentation has no"),
        (setting("augmentation", {"tuple": []}), "augmentation must be a sksvs.augmentation"),
        (setting("loss", "x" * 2000), "a text has more than 1000"),
        (setting("tol", 1e999), "a number is too large or not finite"),
        (setting("batch_size", 1 << 54), "a number is too large"),
        (setting("batch_size", 8.0), "batch_size must be an integer from 1 to"),
        (setting("bidirectional", 2), "bidirectional must be True or False; got 2"),
        (setting("p", -1, step=2), "p must be above 0 and finite; got -1"),
        (setting("n_fft", 2**40, step=1), "n_fft must be an integer from 2 to 1048576"),
        (setting("window", {"tuple": ["taylor", 1000]}, step=1), "window must be a name"),
        (setting("window", {"tuple": ["kaiser", 1e5]}, step=1), "finite entries"),
        (setting("window", {"tuple": [["hann"]]}, step=1), "window must be a name"),
        (setting("window", {"tuple": ["chebwin", 1e6]}, step=1), "no such window"),
        (setting("window", {"tuple": ["general_cosine", 0]}, step=1), "no such window"),
        (setting("clip_norm", True), "clip_norm must be above 0"),
        (setting("others_weight", 1e7), "others_weight must be from 1e-6 to 1e6"),
        (setting("n_sources_", 1, kind="learnt"), "n_sources_ must be an integer from 2 to 64"),
        (
            lambda d: last(d)["learnt"].update(
                n_sources_=64, source_names_=names(*map(str, range(64)))
            ),
            "mask/kernel' must be F32 or F16 of shape",
        ),
        (
            setting("n_sources_", 2.0, kind="learnt"),
            "n_sources_ must be .*; got 2.0",
        ),
        (setting("loss_curve_", ["x"], kind="learnt"), "loss_curve_ must be a list of numbers"),
        (setting("held_out_", {"booleans": [2]}, kind="learnt"), "booleans must be 0 and 1"),
        (setting("stft_params_", None, kind="learnt"), "stft_params_ must be STFTParams; got None"),
        (source_names("a", "b", "c"), "source_names_ must be 2 names; got .'a', 'b', 'c'."),
        *[
            (source_names("vocals", name), r"source_names_ must be a tuple of 2 to 64 names")
            for name in (
                *("../vocals", "/etc/passwd", "a/b", "a\\b", "..", ".", ".bashrc", "", " ", "-rf"),
                *("a\n", "\x1b[2J", "VOCALS", "a.wav", "b\u00e4sse", "x" * 65, "nul ", 1, None),
            )
        ],
        (setting("source_names_", "ab", kind="learnt"), "source_names_ must be a tuple of 2 to"),
        (setting("source_names_", None, kind="learnt"), "source_names_ must be a tuple of 2 to"),
        (
            analyses({"n_fft": 128}, {}),
            "step 'stft' has n_fft=128 instead of 64 as in fit, and a separator works with the",
        ),
        (analyses({"hop_length": 1}, {"sample_rate": 8000}), "has hop_length=1 instead of 32 as"),
        (analyses({"window": "hann"}, {"sample_rate": 8000}), "has window='hann' instead of "),
        (
            analyses({"sample_rate": 16000}, {"sample_rate": 8000}),
            "has sample_rate=16000 instead of 8000 as in fit",
        ),
        (
            analyses({"n_fft": 128, "hop_length": 64, "sample_rate": 8000}, {"sample_rate": 8000}),
            "has n_fft=128 instead of 64, hop_length=64 instead of 32 as in fit",
        ),
        (analyses(*[{"n_fft": 2**17, "hop_length": 2**16}] * 2), "input_mean_' must be F32 of sh"),
        (stft_params(n_fft=2**17, hop_length=1), "takes too long"),
        (stft_params(n_fft=64.0), "n_fft must be an integer"),
        (stft_params(hop_length=64), "has no (stable )?inverse"),
        (stft_params(window="evil"), "has no such window"),
        (stft_params(sample_rate="44100"), "sample_rate must be a rate in Hz from 1 to"),
        (stft_params(evil=1), "STFTParams has no"),
    ],
)
def test_a_false_description_is_refused(model, scratch, change, message):
    data = with_document(model, change)
    tracemalloc.start()
    try:
        refused(data, scratch, message)
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


PAIR_OF_4_AND_5 = {"tuple": [{"tuple": [4, 5]}]}


@pytest.fixture(scope="module")
def convolutional_model(tracks, tmp_path_factory):
    """Return the bytes of a saved pipeline that ends in a CRNSeparator."""
    path = tmp_path_factory.mktemp("crn") / "model.safetensors"
    save(make_pipeline(tiny_crn(max_iter=1)).fit(*tracks), path)
    return path.read_bytes()


def test_the_network_of_a_file_from_before_causal_ones_is_bidirectional(
    convolutional_model, scratch
):
    old = with_document(convolutional_model, lambda d: last(d)["parameters"].pop("bidirectional"))
    scratch.write_bytes(old)
    assert load(scratch)[-1].bidirectional and not is_causal(load(scratch)[-1].layers_)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setting("bidirectional", False), r"it (lacks|has too much)"),
        (setting("conv_channels", {"tuple": [513]}), "conv_channels must be a tuple of 1 to 16"),
        (setting("conv_channels", {"tuple": []}), "conv_channels must be a tuple of 1 to 16"),
        (setting("conv_channels", {"tuple": [4, 3]}), r"of shape \(3, 3, 1, 4\); got F32"),
        (setting("conv_channels", {"tuple": [512] * 16}), r"it (lacks|has too much)"),
        (setting("kernel_size", {"tuple": [33, 3]}), r"from 1 to 31, .* got \(33, 3\)"),
        (setting("kernel_size", {"tuple": [3, 2]}), "kernel_size must be a tuple of two odd"),
        (setting("kernel_size", {"tuple": [3.0, 3]}), "kernel_size must be"),
        (setting("kernel_size", 3), "kernel_size must be a tuple of two .* got 3"),
        (setting("dual_path_sizes", PAIR_OF_4_AND_5), r"it (lacks|has too much)"),
        (setting("dual_path_sizes", {"tuple": [4, 5]}), r"16 pairs .* got \(4, 5\)"),
        (
            setting("dual_path_sizes", {"tuple": [[4, 513]]}),
            "dual_path_sizes must be a tuple of 0 to 16 pairs of integers from 1 to 512",
        ),
        (setting("dual_path_sizes", {"tuple": [[4] * 17]}), "dual_path_sizes must be"),
        (setting("dual_path_sizes", {"tuple": [[4, "5"]]}), "dual_path_sizes must be"),
    ],
)
def test_a_false_description_of_convolutions_is_refused(
    convolutional_model, scratch, change, message
):
    refused(with_document(convolutional_model, change), scratch, message)


def test_convolutions_that_would_need_gigabytes_are_refused(convolutional_model, scratch):
    def enlarge(document):
        document["steps"][1]["parameters"].update(n_fft=2**17, hop_length=2**16)
        stft_params(n_fft=2**17, hop_length=2**16)(document)
        setting("conv_channels", {"tuple": [512]})(document)

    refused(with_document(convolutional_model, enlarge), scratch, "values of every frame")


@pytest.fixture(scope="module")
def model_of_two(tracks, tmp_path_factory):
    """Return the bytes of a saved pipeline that ends in a VotingSeparator with two members."""
    members = [("a", tiny_separator(max_iter=1)), ("b", tiny_separator(max_iter=1, random_state=1))]
    path = tmp_path_factory.mktemp("two") / "model.safetensors"
    save(make_pipeline(VotingSeparator(members)).fit(*tracks), path)
    return path.read_bytes()


def members(document):
    return last(document)["parameters"]["estimators"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: last(d).update(parameters={}), "must be a list of up to 16"),
        (setting("estimators", {"tuple": []}), "must be a list of up to 16"),
        (setting("estimators", []), "estimators must be a list of 1 to 16"),
        (lambda d: setting("estimators", members(d) * 9)(d), "must be a list of up to 16"),
        (lambda d: setting("estimators", members(d) * 2)(d), "every name in estimators must be"),
        (
            lambda d: members(d).append(copy.deepcopy(last(d))),
            "a VotingSeparator cannot be an estimator of another",
        ),
        (lambda d: d["steps"].insert(0, last(d)), "the last step, and no other, must be a sep"),
        (
            lambda d: members(d).append(d["steps"][1]),
            "each with masks that sum to one",
        ),
        (lambda d: members(d)[0].update(name="a/b"), "without '__' and '/', .* got 'a/b'"),
        (lambda d: members(d)[0].update(name="a" * 999_999), "of 1 to 100 characters"),
        (lambda d: members(d)[0].update(name=1), "must have a name and a class"),
        (
            lambda d: members(d)[0]["learnt"].update(n_sources_=3, source_names_=names(*"abc")),
            "must have the same n_sources_",
        ),
        (
            lambda d: members(d)[0]["learnt"].update(source_names_=names("a", "b")),
            "must have the same source_names_",
        ),
        (lambda d: members(d)[0]["learnt"].pop("n_sources_"), "scalars of a GRUMaskSeparator must"),
        (setting("evil", 1), "VotingSeparator has no parameter 'evil'"),
        (setting("n_sources_", 2, kind="learnt"), "scalars of a VotingSeparator must be none"),
        (setting("others_weight", 1e7), "others_weight must be from 1e-6 to 1e6"),
        (setting("n_jobs", 1 << 52), "n_jobs must be null"),
        (lambda d: members(d).pop(), "has too much"),
    ],
)
def test_a_false_description_of_members_is_refused(model_of_two, scratch, change, message):
    refused(with_document(model_of_two, change), scratch, message)


def test_settings_that_are_those_of_the_fit_at_another_rate_are_loaded(model, scratch):
    twice = {"n_fft": 128, "hop_length": 64}  # at 16 kHz what 64 and 32 are at 8 kHz
    scratch.write_bytes(with_document(model, analyses(twice, {"sample_rate": 8000})))
    loaded, song = load(scratch), seeded_noise(4000, 0)
    assert loaded.predict([ArrayWaveform(song, 16000)])[0].shape == (2, 4000)


def test_a_window_that_is_huge_at_another_rate_is_refused_before_it_is_built(
    baseline, tmp_path, scratch
):
    huge = {"n_fft": 1 << 17, "hop_length": 1 << 16, "window": "hann", "sample_rate": 1}
    save(baseline, tmp_path / "baseline.safetensors")
    model = (tmp_path / "baseline.safetensors").read_bytes()
    scratch.write_bytes(with_document(model, analyses(huge, huge)))
    loaded = load(scratch)
    song = ArrayWaveform(np.ones(999), 44100, "song.wav")
    with pytest.raises(ValueError, match=r"song\.wav: A window of 131072 samples .* at 44100 Hz"):
        loaded.predict([song])


def changed_tensors(model, change):
    header, data = parts_of(model)
    return put_together(*(change(header, data) or (header, data)))


def swap_shape(header, data):
    entry = header["last/weights_/mask/kernel"]
    entry["shape"] = entry["shape"][::-1]


def rename(header, data):
    header["last/weights_/evil"] = header.pop("last/weights_/mask/kernel")


def one_more(header, data):
    end = len(data)
    header["more"] = {"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]}
    return header, data + b"\0" * 4


def other_type(header, data):
    header["last/weights_/mask/bias"]["dtype"] = "I32"


def huge(header, data):
    header["last/weights_/mask/kernel"]["shape"] = [2**40, 2**40]


def beyond_the_end(header, data):
    header["last/weights_/mask/kernel"]["data_offsets"] = [0, 2**60]


def without_metadata(header, data):
    del header["__metadata__"]


def values(name, value):
    def change(header, data):
        start, stop = header[name]["data_offsets"]
        array = np.full((stop - start) // 4, value, "<f4")
        return header, data[:start] + array.tobytes() + data[stop:]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swap_shape, r"mask/kernel' must be F32 or F16 of shape \(3, 33\); got F32 of shape \(33"),
        (rename, "it lacks 'last/weights_/mask/kernel'"),
        (one_more, "it has too much: 'more'"),
        (other_type, "mask/bias' must be F32 or F16 .*; got I32"),
        (huge, "cannot be loaded"),
        (beyond_the_end, "cannot be loaded"),
        (without_metadata, "it holds arrays, but no description"),
        (values("last/weights_/mask/bias", np.nan), "last/weights_/mask/bias holds NaN or inf"),
        (values("last/weights_/mask/bias", -2e9), "mask/bias must be up to 1e.09; got 2e.09"),
        (values("last/input_mean_", 2e30), "input_mean_ must be up to 1e.30; got 2e.30"),
        (values("last/input_scale_", 0), "input_scale_ must be positive; got 0"),
        (values("last/input_scale_", -1), "input_scale_ must be positive; got -1"),
    ],
)
def test_false_arrays_are_refused(model, scratch, change, message):
    refused(changed_tensors(model, change), scratch, message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it has 0 bytes"),
        (pickle.dumps({"a": np.zeros(1000)}), "its first bytes promise a header of"),
        (struct.pack("<Q", 2**63) + b"{}", "its first bytes promise a header of"),
        (struct.pack("<Q", 2) + b"{}", "no description"),
        (put_together(b"{" * 100_000, b""), "JSON"),
        (put_together(b'{"a":' * 100_000, b""), "JSON"),
        (b"\0" * 4096, "cannot be loaded"),
        (b"RIFF" + b"\0" * 400, "its first bytes"),
    ],
)
def test_what_is_no_model_is_refused(scratch, data, message):
    refused(data, scratch, message)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="it is no file"):
        load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="it is no file"):
        load(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors does not exist"):
        load(tmp_path / "none.safetensors")
    with open(tmp_path / "large", "wb") as file:
        file.truncate(2**31)
    with pytest.raises(ModelFileError, match="it has 2147483648 bytes"):
        load(tmp_path / "large")


def test_only_what_is_known_is_at_the_top():
    assert sksvs.save is save
    assert {"load", "save"} <= set(dir(sksvs))
    with pytest.raises(AttributeError, match="module 'sksvs' has no attribute 'evil'"):
        sksvs.evil  # noqa: B018
    assert isinstance(ModelFileError("x"), ValueError)
    assert set(GRUMaskSeparator._fitted_scalars) > set(MixtureBaseline._fitted_scalars)
