"""Laws on fitting: what it changes, what it leaves alone, and that it can be repeated."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate

from sksvs.metrics import bss_eval_scorer
from sksvs.testing.laws import law, require, require_close
from sksvs.testing.trial import into_last_step, songs, watch


@law
def check_fit_returns_the_separator(trial):
    """`fit` returns the separator itself.

    Usual cause: there is no ``return self`` at its end.
    """
    pipeline, (X, y) = trial.new(), songs()
    returned = pipeline[-1].fit(into_last_step(pipeline, X, y), y)
    require(returned is pipeline[-1], f"{returned!r}.")


@law
def check_fit_leaves_its_parameters_alone(trial):
    """`fit` changes no parameter.

    Usual cause: `fit` replaces a value by a checked or computed one. Keep that in an attribute
    whose name ends in "_".
    """
    before, after = (watched.parameters for watched in trial.watched)
    changed = [name for name in before if after.get(name) != before[name]]
    require(not changed, f"after fit, another value of {', '.join(changed)}.")


@law
def check_fit_leaves_tracks_alone(trial):
    """`fit` changes neither the lists X and y nor the samples in them.

    Usual cause: an operation in place, such as ``x -= x.mean()``. Compute a new array.
    """
    before, after = trial.watched
    require(after.tracks == before.tracks, "other mixtures or sources after fit.")


@law
def check_global_seeds_stay(trial):
    """`fit` and `predict` neither set nor use the global generators of NumPy and Python.

    Usual cause: ``np.random.seed`` or ``np.random.normal`` are called. Draw from
    ``sklearn.utils.check_random_state(self.random_state)``; with an integer it is a new generator.
    A package that is imported in `fit` may draw, too: import it with the module.
    """
    before, after = trial.watched
    require(after.seeds == before.seeds, "global generators in another state after fit.")
    X, _ = songs()
    before = watch(trial.fitted, X).seeds
    trial.predict(*X)
    after = watch(trial.fitted, X).seeds
    require(after == before, "global generators in another state after predict.")


@law
def check_the_same_seed_gives_the_same_estimates(trial):
    """Two fits with one integer `random_state` give the same estimates.

    Usual cause: `fit` draws from a generator without a seed. Give the separator a parameter
    `random_state` and draw from ``sklearn.utils.check_random_state(self.random_state)`` alone.
    """
    X, y = songs()
    again = trial.new().fit(X, y)
    require_close(again.predict(X), trial.predict(*X), "estimates of a second fit")


@law
def check_a_second_fit_forgets_the_first(trial):
    """A separator that is fitted again is the same as one that is fitted for the first time.

    Usual cause: `fit` starts from what the last fit has learnt, such as a running sum or an
    attribute that is set only if it is missing. Set all fitted attributes anew.
    """
    X, y = songs()
    again = trial.new().fit(*songs(random_state=1)).fit(X, y)
    require_close(again.predict(X), trial.predict(*X), "estimates after fits on two sets of songs")


@law
def check_fit_takes_stereo_songs(trial):
    """`fit` takes stereo mixtures with stereo sources, and then separates them.

    Usual cause: the target is computed from the samples of `y` as they are. Average the channels,
    ``waveform.to_mono()``, where one mask serves all of them.
    """
    X, y = songs(n_channels=2)
    for estimates, sources in zip(trial.new().fit(X, y).predict(X), y):
        shapes = [sources.shape] if trial.is_bare else [sources.shape, sources.shape[:2]]
        require(np.shape(estimates) in shapes, f"estimates of shape {np.shape(estimates)}.")
        require(np.isfinite(estimates).all(), "estimates that are NaN or inf.")


@law
def check_cross_validation_gives_finite_scores(trial):
    """`cross_validate` with bss_eval_scorer gives a finite SDR, SIR and SAR of every fold.

    Usual cause: `score` returns a plain number, or the separator expects as many tracks as in
    `fit`. Return what `sksvs.metrics.score_tracks` returns.
    """
    X, y = songs()
    folds = cross_validate(trial.new(), X, y, cv=3, scoring=bss_eval_scorer, error_score="raise")
    for metric in ("sdr", "sir", "sar"):
        values = folds[f"test_{metric}"]
        require(np.isfinite(values).all(), f"{metric} of the folds: {values}.")


@law
def check_a_grid_search_refits_to_the_same_estimates(trial):
    """`GridSearchCV` over the last step, with refit="sdr", ends with what a plain fit gives.

    Usual cause: the separator does not survive `clone`, or `score` raises or returns NaN for one
    track. Store arguments as given; return what `sksvs.metrics.score_tracks` returns.
    """
    X, y = songs()
    pipeline = trial.new()
    name, separator = pipeline.steps[-1]
    search = GridSearchCV(
        pipeline,
        {name: [clone(separator)]},
        scoring=bss_eval_scorer,
        refit="sdr",
        cv=3,
        error_score="raise",
    ).fit(X, y)
    require(np.isfinite(search.best_score_), f"a best score of {search.best_score_}.")
    require_close(search.predict(X), trial.predict(*X), "estimates of the search")
