"""scikit-learn's callbacks see every epoch of a fit, alone, in a pipeline and in a search."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

import sksvs
from sksvs.estimators import MixtureBaseline, VotingSeparator
from sksvs.metrics import bss_eval_scorer
from sksvs.training import checkpoint
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer
from tests.tiny_separators import analysed, tiny_separator

callback = pytest.importorskip("sklearn.callback")


class Record:
    """A callback that follows every estimator, and keeps what it sees of each task."""

    max_propagation_depth = None

    def __init__(self, stop_after=None, fail_after=None):
        self.begun, self.ended, self.estimators, self.is_set_up = [], [], [], False
        self.stop_after, self.fail_after = stop_after, fail_after

    def setup(self, estimator, context):
        self.is_set_up = True

    def teardown(self, estimator, context):
        self.is_set_up = False

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(path_of(context))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, fitted_estimator=None):
        self.ended.append(path_of(context))
        if context.task_name == "epoch":
            self.estimators.append(fitted_estimator)
            self.n_tracks = len(X), len(y)
            if context.task_id == self.fail_after:
                raise OSError("the disk is full")
        return context.task_name == "epoch" and context.task_id == self.stop_after


def path_of(context):
    """Return the names of the estimators and the numbers of the tasks, from the outermost on."""
    own = (context.estimator_name, context.task_id)
    return (own,) if context.parent is None else (*path_of(context.parent), own)


def epochs_of(record):
    return [path[-1][1] for path in record.ended if path[-1][0] == "GRUMaskSeparator"]


def pipeline(last):
    steps = [("mono", MonoDownmix()), ("stft", STFTTransformer(64, 32)), ("irm", IRMTarget())]
    return Pipeline([*steps, ("last", last)])


def monitor():
    return callback.ScoringMonitor(scoring=bss_eval_scorer)


def sdr_by_epoch(log):
    return [row["sdr"] for row in log.data if row["task_name"] == "epoch"]


def test_epochs_are_subtasks_with_the_separator_as_of_then(tracks):
    X, y = analysed(*tracks)
    record = Record()
    separator = tiny_separator(max_iter=3).set_callbacks(record).fit(X, y)
    assert record.begun[0] == record.ended[-1] == (("GRUMaskSeparator", 0),)
    assert epochs_of(record) == [0, 1, 2, 0]  # the last one is the fit
    assert not record.is_set_up
    for n, estimator in enumerate(record.estimators, start=1):
        assert estimator.n_iter_ == n
        assert estimator.loss_curve_ == separator.loss_curve_[:n]
        assert estimator.source_names_ == ("vocals", "accompaniment")
    last = record.estimators[-1]
    np.testing.assert_array_equal(last.predict(X)[0], separator.predict(X)[0])
    assert (record.estimators[0].predict(X)[0] != separator.predict(X)[0]).any()


def test_the_separator_of_an_epoch_is_that_of_a_fit_which_ends_there(tracks):
    X, y = analysed(*tracks)
    record = Record()
    constant = {"learning_rate": "constant", "ema_momentum": 0.5}
    tiny_separator(max_iter=2, **constant).set_callbacks(record).fit(X, y)
    ended = tiny_separator(max_iter=1, **constant).fit(X, y)
    np.testing.assert_array_equal(record.estimators[0].predict(X)[0], ended.predict(X)[0])


def test_a_fit_is_the_same_with_callbacks(tracks):
    X, y = analysed(*tracks)
    plain = tiny_separator().fit(X, y)
    watched = tiny_separator().set_callbacks(Record(), monitor()).fit(X, y)
    for name, weights in plain.weights_.items():
        np.testing.assert_array_equal(watched.weights_[name], weights)


def test_scores_by_epoch_are_those_of_the_training_tracks(tracks):
    X, y = analysed(*tracks)
    scores = monitor()
    separator = tiny_separator(max_iter=3).set_callbacks(scores).fit(X, y)
    assert len(sdr_by_epoch(scores.get_logs())) == 3
    assert sdr_by_epoch(scores.get_logs())[-1] == pytest.approx(separator.score(X, y), abs=1e-6)
    separator.partial_fit(X, y)
    assert sdr_by_epoch(scores.get_logs()) == pytest.approx([separator.score(X, y)], abs=1e-6)
    assert len(scores.get_logs(select="all")) == 2


def test_held_out_tracks_are_not_scored_and_epochs_that_are_not_run_have_no_score(tracks):
    X, y = analysed(*tracks)
    scores, record = monitor(), Record()
    stops = tiny_separator(max_iter=9, early_stopping=True, n_iter_no_change=1, tol=1e9)
    stops.set_callbacks(scores, record).fit(X, y)
    assert record.n_tracks == (2, 2)
    assert stops.n_iter_ == len(sdr_by_epoch(scores.get_logs())) == 2


def test_a_callback_may_stop_the_fit(tracks):
    separator = tiny_separator(max_iter=9).set_callbacks(Record(stop_after=1))
    assert separator.fit(*analysed(*tracks)).n_iter_ == 2


def test_epochs_before_a_resumed_fit_end_at_once_without_a_score(tracks, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SHORT", np.inf)  # a save after every epoch
    X, y = analysed(*tracks)
    separator = tiny_separator(max_iter=4, checkpoint_dir=tmp_path)
    with pytest.raises(OSError, match="the disk is full"):
        clone(separator).set_callbacks(Record(fail_after=2)).fit(X, y)
    scores, record = monitor(), Record()
    separator.set_callbacks(record, scores).fit(X, y)
    assert epochs_of(record) == [0, 1, 2, 3, 0]
    assert [estimator is None for estimator in record.estimators] == [True, True, False, False]
    rows = [row["task_id"] for row in scores.get_logs().data if row["task_name"] == "epoch"]
    assert rows == [2, 3]


def test_callbacks_are_torn_down_when_a_fit_raises(tracks, capsys):
    X, y = tracks
    record = Record(fail_after=0)
    pipe = pipeline(tiny_separator()).set_callbacks(record, callback.ProgressBar(None))
    with pytest.raises(OSError, match="the disk is full"):
        pipe.fit(X, y)
    assert not record.is_set_up
    assert "GRUMaskSeparator - fit" in capsys.readouterr().out
    record.fail_after = None
    assert pipe.fit(X, y).score(X, y) == pytest.approx(pipe.score(X, y))


def test_every_step_of_a_pipeline_is_a_task(tracks):
    for last in (tiny_separator(max_iter=1), MixtureBaseline()):
        record = Record()
        pipeline(last).set_callbacks(record).fit(*tracks)
        steps = [path[1][0] for path in record.ended if len(path) == 2]
        assert steps == ["MonoDownmix", "STFTTransformer", "IRMTarget", type(last).__name__]
    alone = Record()
    STFTTransformer().set_callbacks(alone).fit(tracks[0])
    assert alone.ended == [(("STFTTransformer", 0),)]


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_shows_its_progress_and_the_scores_of_every_epoch(tracks, n_jobs, capsys):
    X, y = tracks
    scores = monitor()
    search = GridSearchCV(
        pipeline(tiny_separator().set_callbacks(scores)),
        {"last__max_iter": [1, 2]},
        cv=3,
        n_jobs=n_jobs,
        error_score="raise",
    )
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X, y)
    shown = capsys.readouterr().out.splitlines()
    assert sum("MonoDownmix - fit" in line for line in shown) == 2 * 3 + 1
    assert sum("GRUMaskSeparator - fit" in line for line in shown) == 2 * 3 + 1
    assert all("100%" in line for line in shown if " - fit" in line)
    rows = [row for row in scores.get_logs().data if row["task_name"] == "epoch"]
    refit = [row["sdr"] for row in rows if row["task_id_path"][1] == 1]
    assert len(rows) - len(refit) == 3 * (1 + 2)
    assert len(refit) == search.best_params_["last__max_iter"]
    assert refit[-1] == pytest.approx(search.score(X, y), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_networks_of_a_voting_separator_are_subtasks(tracks, n_jobs, capsys):
    scores = monitor()
    members = [("one", tiny_separator()), ("two", tiny_separator().set_callbacks(scores))]
    voting = VotingSeparator(members, n_jobs=n_jobs)
    progress = callback.ProgressBar(max_propagation_depth=None)
    fitted = pipeline(voting).set_callbacks(progress).fit(*tracks)[-1]
    shown = capsys.readouterr().out
    assert "VotingSeparator - fit-one | GRUMaskSeparator - fit #0" in shown
    assert "VotingSeparator - fit-two | GRUMaskSeparator - fit #1" in shown
    rows = [row for row in scores.get_logs().data if row["task_name"] == "epoch"]
    assert [row["task_id_path"][2:] for row in rows] == [(1, 0), (1, 1)]
    assert fitted.named_estimators_["two"]._skl_callbacks == [scores]
    assert not hasattr(fitted.named_estimators_["one"], "_skl_callbacks")


def test_clones_share_callbacks_pickles_copy_them_and_models_have_none(tracks, tmp_path):
    scores = monitor()
    pipe = pipeline(tiny_separator(max_iter=1).set_callbacks(scores))
    assert clone(pipe)[-1]._skl_callbacks == [scores]
    pipe.fit(*tracks)
    copy = pickle.loads(pickle.dumps(pipe))
    assert isinstance(copy[-1]._skl_callbacks[0], callback.ScoringMonitor)
    assert sdr_by_epoch(copy[-1]._skl_callbacks[0].get_logs()) == sdr_by_epoch(scores.get_logs())
    sksvs.save(pipe, tmp_path / "model.safetensors")
    assert not hasattr(sksvs.load(tmp_path / "model.safetensors")[-1], "_skl_callbacks")
    assert pipe[-1].set_callbacks() is pipe[-1]
    assert not hasattr(pipe[-1], "_skl_callbacks")
    assert pipe[-1].callbacks is None  # the parameter, of Keras callbacks


def test_what_is_no_callback_of_scikit_learn_is_refused():
    with pytest.raises(TypeError, match="FitCallback protocol"):
        tiny_separator().set_callbacks(print)


WITHOUT = """
import sys
import sklearn.pipeline, sklearn.model_selection
sys.modules["sklearn.callback"] = None  # as if scikit-learn were older
from sksvs.estimators import VotingSeparator
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import tiny_tracks
from tests.tiny_separators import analysed, tiny_separator

X, y = analysed(*tiny_tracks(2))
voting = VotingSeparator([("one", tiny_separator(max_iter=1))]).fit(X, y)
assert voting.estimators_[0].partial_fit(X, y).n_iter_ == 2
assert not hasattr(voting, "set_callbacks")
assert STFTTransformer(64, 32).fit(*tiny_tracks(1)).transform(MonoDownmix().fit_transform(
    tiny_tracks(1)[0]))[0].n_freqs == 33
print(float(voting.score(X, y)))
"""


@pytest.mark.slow
def test_an_older_scikit_learn_fits_without_callbacks():
    command = [sys.executable, "-W", "error::UserWarning", "-c", WITHOUT]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert np.isfinite(float(printed))
