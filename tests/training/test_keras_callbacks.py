"""Keras callbacks that make sense without batches work; the others are refused by name."""

import csv

import keras
import numpy as np
import pytest

from sksvs.estimators import VotingSeparator
from sksvs.training.keras_callbacks import IN_PLACE_OF
from tests.tiny_separators import analysed, tiny_separator

callbacks = keras.callbacks
# Keras converts its variables by an `__array__` without the argument `copy` of NumPy 2.
KERAS = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def fit(tracks, *given, **parameters):
    separator = tiny_separator(**{"max_iter": 3, "callbacks": list(given), **parameters})
    return separator.fit(*analysed(*tracks))


def test_early_stopping_stops(tracks):
    for parameters in ({}, {"early_stopping": True}):
        monitor = "val_loss" if parameters else "loss"
        stop = callbacks.EarlyStopping(monitor, min_delta=1e9)
        assert fit(tracks, stop, **parameters).n_iter_ == 2


@pytest.mark.filterwarnings(KERAS)
def test_the_learning_rate_is_reduced_on_a_plateau_and_scheduled(tracks):
    reduce = callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=1e9)
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch == 0 else 0.0)
    history = callbacks.History()
    fit(tracks, reduce, history, learning_rate="constant", learning_rate_init=0.1)
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.1, 0.01])
    stands = fit(tracks, schedule, learning_rate="constant")
    moves = fit(tracks, learning_rate="constant", max_iter=1)
    for name, weights in moves.weights_.items():
        np.testing.assert_array_equal(stands.weights_[name], weights)


def test_losses_are_logged(tracks, tmp_path):
    seen, history = [], callbacks.History()
    separator = fit(
        tracks,
        history,
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"])),
        early_stopping=True,
    )
    assert history.history["val_loss"] == separator.validation_loss_curve_
    assert seen == history.history["loss"] == separator.loss_curve_
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == separator.loss_curve_
    assert [float(row["val_loss"]) for row in rows] == separator.validation_loss_curve_


def test_a_remote_monitor_gets_the_losses(tracks, monkeypatch):
    requests = pytest.importorskip("requests")
    sent = []
    monkeypatch.setattr(requests, "post", lambda address, json, headers: sent.append(json))
    separator = fit(tracks, callbacks.RemoteMonitor("http://localhost", send_as_json=True))
    assert [row["loss"] for row in sent] == separator.loss_curve_


@pytest.mark.filterwarnings(KERAS)
def test_tensorboard_gets_the_losses(tracks, tmp_path):
    pytest.importorskip("tensorboard")
    fit(tracks, callbacks.TensorBoard(tmp_path), early_stopping=True)
    assert {path.parent.name for path in tmp_path.rglob("events*")} == {"train", "validation"}


STOCK = {
    "BackupAndRestore": lambda folder: callbacks.BackupAndRestore(str(folder)),
    "ModelCheckpoint": lambda folder: callbacks.ModelCheckpoint(str(folder / "model.keras")),
    "OrbaxCheckpoint": lambda folder: callbacks.OrbaxCheckpoint(str(folder)),
    "ProgbarLogger": lambda folder: callbacks.ProgbarLogger(),
    "SwapEMAWeights": lambda folder: callbacks.SwapEMAWeights(),
    "TerminateOnNaN": lambda folder: callbacks.TerminateOnNaN(),
}
WORK = {"CSVLogger", "EarlyStopping", "History", "LambdaCallback", "LearningRateScheduler"}
WORK |= {"ReduceLROnPlateau", "RemoteMonitor", "TensorBoard"}


def test_no_stock_callback_is_left_out():
    stock = {name for name in dir(callbacks) if name[0].isupper()} - {"Callback", "CallbackList"}
    assert stock - {"OrbaxCheckpoint"} == (WORK | set(IN_PLACE_OF)) - {"OrbaxCheckpoint"}
    assert set(STOCK) == set(IN_PLACE_OF)


@pytest.mark.parametrize("name", STOCK)
def test_those_that_have_no_use_are_refused_by_name(tracks, tmp_path, name):
    if name == "OrbaxCheckpoint":
        pytest.importorskip("orbax.checkpoint")
    given = STOCK[name](tmp_path)
    with pytest.raises(ValueError, match=f"callbacks holds {name}, .* Take {IN_PLACE_OF[name]}"):
        fit(tracks, given)
    assert list(tmp_path.iterdir()) == []


class Batches(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise AssertionError


class Own(callbacks.TerminateOnNaN):
    pass


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        (Own(), ValueError, "callbacks holds Own, which has no use here. Take none"),
        (Batches(), ValueError, "callbacks holds Batches with on_train_batch_end, but"),
        (
            callbacks.LambdaCallback(on_train_batch_begin=print),
            ValueError,
            "holds LambdaCallback with on_train_batch_begin, but .* Use on_epoch_end",
        ),
        (
            callbacks.LearningRateScheduler(lambda epoch, rate: rate),
            ValueError,
            "but learning_rate='cosine' sets the learning rate, too. Take learning_rate='constant'",
        ),
        (
            callbacks.EarlyStopping(restore_best_weights=True),
            ValueError,
            "holds EarlyStopping with restore_best_weights. Take early_stopping=True",
        ),
        (print, TypeError, "no instance of keras.callbacks.Callback.* the method set_callbacks"),
        (Batches, TypeError, "callbacks holds type, which is no instance"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_trained(tracks, given, error, match):
    class Begun(callbacks.Callback):
        def on_train_begin(self, logs=None):
            raise AssertionError

    with pytest.raises(error, match=match):
        fit(tracks, Begun(), given)
    voting = VotingSeparator(
        [("one", tiny_separator(callbacks=[Begun()])), ("two", tiny_separator(callbacks=[given]))]
    )
    with pytest.raises(error, match=match):
        voting.fit(*analysed(*tracks))
