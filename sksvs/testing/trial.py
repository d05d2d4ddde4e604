"""A separator under test: fresh and fitted pipelines, and the songs that they separate."""

import pickle
import random
from copy import deepcopy
from functools import cache, cached_property
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sksvs.datasets import make_singing_mixtures
from sksvs.transforms import STFTTransformer

SAMPLE_RATE = 8000
N_TRACKS, DURATION = 3, 0.5  # of short songs, in seconds
LONG = 5.0  # seconds: more frames than a separator processes at once


class Watched(NamedTuple):
    """What a fit and a prediction must leave as it is: digests, equal where nothing changes.

    Attributes
    ----------
    parameters : dict of str to str
    tracks : str
    seeds : str
        Of the global generators of NumPy and Python.
    """

    parameters: dict
    tracks: str
    seeds: str


class Trial:
    """A separator under test, which is fitted once for all laws that need it fitted.

    Parameters
    ----------
    estimator : separator or Pipeline
        It is cloned, and never fitted itself. A separator comes after an STFTTransformer; a
        Pipeline is taken as it is, and gets waveforms.
    """

    def __init__(self, estimator):
        if isinstance(estimator, type) or not hasattr(estimator, "fit"):
            raise TypeError(
                "A separator or a Pipeline that ends in one is needed, as an instance; got "
                f"{estimator!r}."
            )
        self.estimator = estimator
        self.is_bare = not isinstance(estimator, Pipeline)

    def new(self):
        """Return an unfitted pipeline, in which every `random_state` that is None is 0."""
        pipeline = clone(self.estimator)
        if self.is_bare:
            stft = STFTTransformer(n_fft=256, hop_length=128)
            pipeline = Pipeline([("stft", stft), ("separator", pipeline)])
        states = {
            name: 0
            for name, value in pipeline.get_params().items()
            if value is None and name.rpartition("__")[-1] == "random_state"
        }
        return pipeline.set_params(**states)

    @cached_property
    def _first_fit(self):
        pipeline, (X, y) = self.new(), songs()
        before = watch(pipeline, X, y)
        pipeline.fit(X, y)
        return pipeline, before, watch(pipeline, X, y)

    @property
    def fitted(self):
        """The pipeline, fitted on `songs()`: mono, at an unknown sample rate."""
        return self._first_fit[0]

    @property
    def watched(self):
        """A pair of `Watched`: before and after that fit."""
        return self._first_fit[1:]

    def predict(self, *X):
        """Return the estimates of tracks, in one call of `predict`."""
        return self.fitted.predict(list(X))


def songs(n_channels=1, random_state=0):
    """Return ``(X, y)`` of three short songs at 8 kHz; arrays that nobody else has."""
    return deepcopy(_make(N_TRACKS, DURATION, n_channels, random_state))


def long_song():
    """Return a mixture of five seconds: float32, shape (n_samples,)."""
    return _make(1, LONG, 1, 0)[0][0].copy()


@cache
def _make(n_tracks, duration, n_channels, random_state):
    return make_singing_mixtures(n_tracks, duration, SAMPLE_RATE, n_channels, random_state)


def into_last_step(pipeline, X, y=None):
    """Return what the last step of a pipeline gets: from a fit of the others if there is `y`."""
    for _, step in pipeline.steps[:-1]:
        if step not in (None, "passthrough"):
            X = step.transform(X) if y is None else step.fit_transform(X, y)
    return X


def own_parameters(pipeline):
    """Return a digest of every parameter of the steps, by name; generators change when used."""
    digests = {}
    for step_name, step in pipeline.steps:
        if step not in (None, "passthrough"):
            for name, value in step.get_params().items():
                if not isinstance(value, (np.random.RandomState, np.random.Generator)):
                    digests[f"{step_name}__{name}"] = _digest(value)
    return digests


def _digest(value):
    """Return a digest of a value; of a lambda and others that cannot be pickled the identity."""
    try:
        return joblib.hash(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        return f"{type(value).__name__} {id(value)}"


def watch(pipeline, X, y=None):
    """Return the `Watched` of now."""
    seeds = np.random.get_state(), random.getstate()  # noqa: NPY002 (read, not used)
    return Watched(own_parameters(pipeline), joblib.hash((X, y)), joblib.hash(seeds))


def mixture_of(song, estimates):
    """Return the mixture that the estimates add up to: the downmix where these are mono."""
    return song.mean(axis=1) if song.ndim == 2 and np.ndim(estimates) == 2 else song
