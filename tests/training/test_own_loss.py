"""A loss may be a function, on spectra or on waveforms, wherever a name of one may be."""

import json
import pickle
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.estimators import VotingSeparator
from sksvs.model_files import check_savable
from sksvs.parameters import WAVEFORM_LOSSES
from sksvs.training import SpectrumLoss, WaveformLoss, fit, model_pool
from sksvs.training.checkpoint import fingerprint
from sksvs.training.json_values import decode, encode
from sksvs.training.measured_tracks import training_tracks
from sksvs.training.waveform_losses import si_sdr
from sksvs.transforms import STFTTransformer
from tests.tiny_separators import analysed, three_sources, tiny_crn, tiny_separator


def squared_error(estimates, sources, mixture):
    return ops.mean(ops.square(ops.abs(estimates - sources)), axis=(1, 3))


def waveform_error(estimates, sources):
    return ops.mean(ops.abs(estimates - sources), axis=(1, 2))


class Power:
    def __init__(self, exponent):
        self.exponent = exponent

    def __call__(self, estimates, sources):
        return ops.mean(ops.abs(estimates - sources) ** self.exponent, axis=(1, 2))


LOSSES = {
    **{name: name for name in WAVEFORM_LOSSES},
    "spectra": SpectrumLoss(squared_error),
    "waveforms": WaveformLoss(waveform_error),
}


def trained(loss, tracks, make=tiny_separator, **parameters):
    given = {"segment_frames": 48, "max_iter": 4, "dropout": 0.0, "learning_rate": "constant"}
    return make(loss=loss, **{**given, **parameters}).fit(*analysed(*tracks))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_training_lowers_the_loss_of_one_batch(tracks, loss):
    X, y = tracks
    one = [X[0][:1600]], [y[0][:, :1600]]  # one segment, so that every epoch has the same batch
    curve = trained(loss, one, max_iter=8, learning_rate_init=0.01).loss_curve_
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < curve[0]


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_every_kind_of_network_and_fit_takes_it(tracks, loss, monkeypatch):
    X, y = tracks
    plain = trained(loss, tracks)
    mixed = trained(loss, tracks, mixed_precision=True)
    np.testing.assert_allclose(mixed.loss_curve_, plain.loss_curve_, rtol=0.02)
    joint = trained(loss, tracks, joint_mask=True, early_stopping=True)
    three = trained(loss, (X, three_sources(y)), augmentation=None)
    others = [trained(loss, tracks, make=tiny_crn), trained(loss, tracks, ema_momentum=0.5)]
    for separator in (joint, three, *others):
        assert np.isfinite(separator.loss_curve_ + separator.validation_loss_curve_).all()
    assert len(joint.validation_loss_curve_) == 4
    assert three.predict(analysed(X))[0].shape[0] == 3
    monkeypatch.setattr(fit, "COMPILED_FROM", 0)
    compiled = trained(loss, tracks)
    np.testing.assert_allclose(compiled.loss_curve_, plain.loss_curve_, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("joint_mask", [False, True])
def test_a_function_that_is_a_named_loss_gives_the_same_weights(tracks, joint_mask):
    def magnitudes(estimates, sources, mixture):
        errors = ops.square(ops.abs(estimates) - ops.abs(sources))
        return ops.mean(errors, axis=(1, 3))

    for named, own in [
        ("magnitude_squared_error", SpectrumLoss(magnitudes)),
        ("si_sdr", WaveformLoss(si_sdr)),
    ]:
        one, other = (trained(loss, tracks, joint_mask=joint_mask) for loss in (named, own))
        for name, weights in one.weights_.items():
            np.testing.assert_allclose(other.weights_[name], weights, atol=1e-6)


def test_it_counts_with_what_it_is():
    double = WaveformLoss(partial(waveform_error))
    losses = [*LOSSES.values(), SpectrumLoss(waveform_error), double, WaveformLoss(Power(2))]
    assert len(set(losses)) == len(losses)
    for loss in losses:
        assert clone(tiny_separator(loss=loss)).loss == loss == deepcopy(loss)
    assert WaveformLoss(waveform_error) == LOSSES["waveforms"] != "si_sdr"
    assert repr(double) == f"WaveformLoss({__name__}.waveform_error)"
    assert repr(WaveformLoss(Power(2))) == f"WaveformLoss({__name__}.Power)"
    assert pickle.loads(pickle.dumps(LOSSES["spectra"])) == LOSSES["spectra"]


@pytest.mark.slow
def test_functions_have_models_of_their_own(tracks):
    model_pool._idle_models.clear()
    for power in (1.0, 2.0):
        trained(WaveformLoss(Power(power)), tracks, max_iter=1)
    same = WaveformLoss(waveform_error)
    for _ in range(2):
        trained(same, tracks, max_iter=1)
    assert [len(idle) for idle in model_pool._idle_models.values()] == [1, 1, 1]
    curves = [trained(WaveformLoss(Power(p)), tracks).loss_curve_ for p in (1.0, 2.0)]
    assert curves[0] != curves[1]


def test_checkpoints_tell_functions_apart_by_their_code(tracks, tmp_path):
    X, y = analysed(*tracks)
    spectrograms = training_tracks(X, y, tiny_separator())

    def name(loss):
        separator = tiny_separator(loss=loss)
        return fingerprint(separator, spectrograms, np.zeros(len(X), bool), None)

    def make(factor, default=1.0):
        def error(estimates, sources, default=default):
            return default * factor * waveform_error(estimates, sources)

        return WaveformLoss(error)

    def first(estimates, sources):
        return ops.mean(ops.abs(estimates - sources), axis=(1, 2))

    first_code = WaveformLoss(first)

    def first(estimates, sources):
        return ops.max(ops.abs(estimates - sources), axis=(1, 2))

    different = ["si_sdr", "multi_resolution_stft", first_code, WaveformLoss(first), make(1.0)]
    different += [make(2.0), make(1.0, 3.0), SpectrumLoss(first), WaveformLoss(Power(1))]
    different += [WaveformLoss(Power(2)), WaveformLoss(Power(2).__call__)]
    different += [WaveformLoss(partial(waveform_error)), WaveformLoss(waveform_error)]
    different += [WaveformLoss(lambda e, s: ops.sum(e - s)), WaveformLoss(lambda e, s: ops.max(e))]
    names = [name(loss) for loss in different]
    assert len(set(names)) == len(names)
    assert name(make(2.0)) == names[5]
    assert name(WaveformLoss(Power(2))) == name(WaveformLoss(Power(2)))
    for _ in range(2):
        trained(WaveformLoss(waveform_error), tracks, checkpoint_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_compares_losses(tracks, n_jobs):
    pipe = Pipeline([("stft", STFTTransformer(64, 32)), ("gru", tiny_separator(max_iter=1))])
    grid = {"gru__loss": ["segment_error_ratio", *LOSSES.values()], "gru__segment_frames": [48]}
    search = GridSearchCV(pipe, grid, cv=3, n_jobs=n_jobs, error_score="raise").fit(*tracks)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["gru__loss"] in grid["gru__loss"]


def test_a_model_file_holds_its_name(tracks, tmp_path):
    gru = tiny_separator(loss=LOSSES["waveforms"], max_iter=1)
    pipe = Pipeline([("stft", STFTTransformer(64, 32)), ("gru", gru)])
    check_savable(pipe)
    pipe.fit(*tracks)
    for _ in range(2):  # also of what was loaded
        sksvs.save(pipe, tmp_path / "model.safetensors")
        loaded = sksvs.load(tmp_path / "model.safetensors")
        assert repr(loaded[-1].loss) == repr(LOSSES["waveforms"])
        np.testing.assert_array_equal(loaded.predict(tracks[0])[0], pipe.predict(tracks[0])[0])
        pipe = loaded
    voting = VotingSeparator([("one", loaded[-1])])
    match = r"loss=WaveformLoss\(.*error\) comes from a model file.*set_params\(loss=WaveformLoss"
    for refusing in (loaded[-1].fit, loaded[-1].partial_fit, voting.fit):
        with pytest.raises(ValueError, match=match):
            refusing(*analysed(*tracks))
    loaded[-1].set_params(loss=LOSSES["waveforms"]).partial_fit(*analysed(*tracks))
    assert loaded[-1].n_iter_ == 2


def test_a_file_runs_no_code_for_it():
    text = json.dumps(encode(SpectrumLoss(squared_error)))
    assert decode(json.loads(text)).function == f"{__name__}.squared_error"
    for content in ({}, {"function": 3}, {"function": None}, {"function": "x", "other": 1}):
        with pytest.raises((TypeError, ValueError)):
            decode({"SpectrumLoss": content})


def scalar(estimates, sources):
    return ops.mean(ops.abs(estimates - sources))


def by_source(estimates, sources):
    return ops.mean(ops.abs(estimates - sources), axis=2)


def in_numpy(estimates, sources):
    return tf.constant(np.abs(estimates - sources).mean(axis=(1, 2)))


def nothing(estimates, sources):
    return None


def raises(estimates, sources):
    raise ZeroDivisionError("its own error")


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (scalar, ValueError, r"scalar\) must return .* one number a segment, shape \(2,\), or .*"),
        (by_source, ValueError, r"got shape \(2, 2\) of .*float32.*. Take the mean over the other"),
        (nothing, ValueError, r"got shape \(\) of <class 'NoneType'>"),
        (in_numpy, ValueError, r"in_numpy\) has no gradient. Make it of functions of TensorFlow"),
        (raises, ZeroDivisionError, "its own error"),
    ],
)
def test_what_no_network_can_be_trained_with_is_refused(tracks, function, error, match):
    with pytest.raises(error, match=match):
        trained(WaveformLoss(function), tracks)


def test_segments_without_a_complete_sample_are_refused(tracks):
    with pytest.raises(ValueError, match="'si_sdr' compares waveforms, but 1 frames of 64 samples"):
        trained("si_sdr", tracks, segment_frames=1)
    with pytest.raises(ValueError, match="needs segments of 1200 samples; got 1024"):
        trained("multi_resolution_stft", tracks, segment_frames=33)


def test_a_function_must_be_marked(tracks):
    match = r"SpectrumLoss\(function\) or WaveformLoss\(function\) of sksvs.training; got <function"
    with pytest.raises(ValueError, match=match):
        trained(squared_error, tracks)
    with pytest.raises(TypeError, match="WaveformLoss takes a function of estimates and sources"):
        WaveformLoss(3)
