"""Laws on prediction: it depends on the track alone, however that is read and wherever it runs."""

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import SkipTest

import numpy as np
from joblib import Parallel, delayed

from sksvs.audio import ArrayWaveform, Waveform
from sksvs.masks import RatioMask
from sksvs.model_files import load, save
from sksvs.stft.spectrogram import Spectrogram, Target
from sksvs.testing.laws import law, require, require_close
from sksvs.testing.trial import into_last_step, long_song, songs, watch


class LazyWaveform(Waveform):
    """Samples that are read when they are sliced, as those of a file, and never all at once."""

    sample_rate = None
    name = "lazy.wav"

    def __init__(self, samples):
        self._samples = samples
        self.shape = samples.shape

    def _read(self, start, stop):
        return self._samples[start:stop].copy()


@law
def check_the_order_of_tracks_does_not_count(trial):
    """Tracks in another order have the same estimates, in that order.

    Usual cause: estimates are sorted, or a state is carried from one track to the next. Start
    every track anew.
    """
    X, _ = songs()
    expected, found = trial.predict(*X), trial.predict(*X[::-1])
    require_close(found[::-1], expected, "estimates in reverse order")


@law
def check_a_track_alone_has_the_same_estimates(trial):
    """``predict([a, b])[0]`` is ``predict([a])[0]``.

    Usual cause: a level or a mean is computed over all tracks. Compute it for each.
    """
    X, _ = songs()
    together = trial.predict(*X)
    for i, x in enumerate(X):
        require_close(trial.predict(x)[0], together[i], f"estimates of track {i} alone")


@law
def check_a_second_prediction_gives_the_same(trial):
    """`predict` gives the same estimates whenever it is called.

    Usual cause: noise or dropout in prediction, or statistics that go on being updated. Leave the
    fitted attributes as they are.
    """
    X, _ = songs()
    fitted = copy.deepcopy(trial.fitted)
    expected = fitted.predict(X)
    require_close(fitted.predict(X), expected, "estimates of a second call")


@law
def check_predict_leaves_tracks_alone(trial):
    """`predict` and `score` change neither X nor y.

    Usual cause: a mask is applied in place, ``frames *= mask``, to what belongs to the caller.
    Compute a new array.
    """
    X, y = songs()
    for method, arguments in (("predict", [X]), ("score", [X, y])):
        before = watch(trial.fitted, X, y).tracks
        getattr(trial.fitted, method)(*arguments)
        require(watch(trial.fitted, X, y).tracks == before, f"other samples after {method}.")


@law
def check_predict_ignores_targets(trial):
    """True sources that are attached to spectrograms do not change the estimates.

    Usual cause: `predict` reads ``spectrogram.target`` or ``mask_rule``, so scores of the training
    tracks are too good. Use them in `fit` alone.
    """
    X, y = songs()
    spectrograms = into_last_step(trial.fitted, X)
    if not all(isinstance(x, Spectrogram) for x in spectrograms):
        raise SkipTest("The last step does not take spectrograms.")
    rule, attached = RatioMask(p=2.0), []
    for x, sources in zip(spectrograms, y):
        views = tuple(Spectrogram(ArrayWaveform(source), x.params) for source in sources)
        attached.append(replace(x, mask_rule=rule, target=Target(views, rule)))
    last = trial.fitted[-1]
    require_close(last.predict(attached), last.predict(spectrograms), "estimates with targets")


@law
def check_a_lazy_waveform_gives_what_its_samples_give(trial):
    """A waveform that is read when it is sliced has the estimates of its samples in memory.

    Usual cause: the blocks of a long track are separated without their context, or the level is
    that of the first block. Read the context, too, and measure the whole track first.
    """
    song = long_song()
    expected = trial.predict(song)
    require_close(trial.predict(LazyWaveform(song)), expected, "estimates of a lazy waveform")


@law
def check_blocks_join_to_the_estimates(trial):
    """The blocks of `iter_blocks`, joined, are the estimates of `predict`.

    Usual cause: the overlap of neighbouring blocks is dropped or counted twice. `predict` of
    `BaseMaskSeparator` joins the same blocks.
    """
    last = trial.fitted[-1]
    if not hasattr(last, "iter_blocks"):
        raise SkipTest("The separator has no iter_blocks.")
    song = long_song()
    blocks = list(last.iter_blocks(into_last_step(trial.fitted, [song])))
    require_close(np.concatenate(blocks, axis=1), trial.predict(song)[0], "joined blocks")


@law
def check_iter_predict_yields_the_estimates(trial):
    """`iter_predict` yields the items of `predict`, one at a time.

    Usual cause: one of the two is overridden without the other. Write ``predict`` as
    ``list(self.iter_predict(X))``.
    """
    last = trial.fitted[-1]
    if not hasattr(last, "iter_predict"):
        raise SkipTest("The separator has no iter_predict.")
    X, _ = songs()
    found = list(last.iter_predict(into_last_step(trial.fitted, X)))
    require_close(found, trial.predict(*X), "estimates of iter_predict")


@law
def check_a_pickled_separator_predicts_the_same(trial):
    """A fitted separator that is pickled and restored gives the same estimates.

    Usual cause: it holds a lambda, a session or an open file, or `__getstate__` leaves something
    out. Keep arrays, and build the rest when it is first needed.
    """
    X, _ = songs()
    again = pickle.loads(pickle.dumps(trial.fitted))
    require_close(again.predict(X), trial.predict(*X), "estimates after pickle")


@law
def check_a_deep_copy_predicts_the_same(trial):
    """A deep copy of a fitted separator gives the same estimates.

    Usual cause: `__deepcopy__` or `__getstate__` leaves something out.
    """
    X, _ = songs()
    again = copy.deepcopy(trial.fitted)
    require_close(again.predict(X), trial.predict(*X), "estimates of a deep copy")


@law
def check_other_processes_predict_the_same(trial):
    """Tracks that are separated in two processes of joblib have the same estimates.

    Usual cause: something that only this process has, such as a global that is set in `fit`. Keep
    it in a fitted attribute.
    """
    X, _ = songs()
    found = Parallel(n_jobs=2, backend="loky")(delayed(_predict)(trial.fitted, [x]) for x in X[:2])
    require_close([each[0] for each in found], trial.predict(*X)[:2], "estimates elsewhere")


@law
def check_a_saved_separator_predicts_the_same(trial):
    """A pipeline that `sksvs.save` has saved gives the same estimates after `sksvs.load`.

    Skipped for classes that are not of sksvs, which `save` refuses. Usual cause: a fitted attribute
    is missing in `_fitted_scalars` or `_fitted_shapes`.
    """
    X, _ = songs()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "separator.safetensors"
        try:
            save(trial.fitted, path)
        except TypeError as error:
            raise SkipTest(str(error)) from error
        require_close(load(path).predict(X), trial.predict(*X), "estimates after save and load")


def _predict(pipeline, X):
    return pipeline.predict(X)
