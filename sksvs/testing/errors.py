"""Laws on errors: what cannot be separated is refused, and the message names the track."""

import numpy as np

from sksvs.audio import ArrayWaveform
from sksvs.testing.laws import law, message_of, require_close, require_named
from sksvs.testing.trial import SAMPLE_RATE, songs


@law
def check_fit_without_sources_says_what_is_missing(trial):
    """``fit(X)`` is a ValueError or TypeError that names y.

    Usual cause: `y` is read without a check, or never. Call ``super().fit(X, y)`` of
    `BaseMaskSeparator`, or raise the error.
    """
    X, _ = songs()
    require_named(message_of(trial.new().fit, X), "y ", "y[")


@law
def check_fit_refuses_another_number_of_sources_than_mixtures(trial):
    """``fit(X, y)`` is a ValueError that says both lengths if they differ.

    Usual cause: ``zip(X, y)`` without a check, which ends with the shorter one.
    """
    X, y = songs()
    message = message_of(trial.new().fit, X, y[:2])
    for count in ("3", "2"):
        require_named(message, count)


@law
def check_fit_names_the_track_whose_sources_have_another_length(trial):
    """``fit(X, y)`` is a ValueError that names the track whose sources are shorter than X.

    Usual cause: the sources are cut to the length of the mixture. Silence about a file that is not
    the source of its mixture is an error in the data that nobody notices.
    """
    X, y = songs()
    y[1] = y[1][:, :-1]
    require_named(message_of(trial.new().fit, X, y), "y[1]", "X[1]")


@law
def check_score_names_the_track_whose_sources_have_another_length(trial):
    """``score(X, y)`` is a ValueError that names the track whose sources are shorter than X.

    Usual cause: estimates and sources are cut to the shorter of both.
    """
    X, y = songs()
    y[1] = y[1][:, :-1]
    require_named(message_of(trial.fitted.score, X, y), "y[1]", "X[1]")


@law
def check_predict_names_the_track_with_a_sample_that_is_nan(trial):
    """``predict(X)`` is a ValueError that names the track of which a sample is NaN or inf.

    Usual cause: samples are read from an array without a check, or repaired. Slice the waveform of
    the spectrogram, which checks what it reads.
    """
    for bad in (np.nan, np.inf):
        X, _ = songs()
        X[1][7] = bad
        require_named(message_of(trial.predict, *X), "X[1]")


@law
def check_fit_names_the_track_with_a_sample_that_is_nan(trial):
    """``fit(X, y)`` names the track of which a sample is NaN, unless no sample counts for the fit.

    Usual cause: samples are read from an array without a check, or repaired.
    """
    clean, _ = songs()
    for i in range(2):
        X, y = songs()
        (X[1] if i == 0 else y[1][0])[7] = np.nan
        pipeline = trial.new()
        message = message_of(pipeline.fit, X, y)
        if message is None:  # a separator that reads no samples in fit
            require_close(pipeline.predict(clean), trial.predict(*clean), "estimates, no error")
        else:
            require_named(message, "X[1]", "y[1]")


@law
def check_integer_samples_are_refused(trial):
    """``predict(X)`` is a TypeError or ValueError that names the track of integer samples.

    Usual cause: integers are taken as they are, so that full scale is 32768 instead of 1. Put
    `STFTTransformer` or `MonoDownmix` first, which refuse them.
    """
    X, _ = songs()
    X[1] = (32767 * X[1]).astype(np.int16)
    require_named(message_of(trial.predict, *X), "X[1]")


@law
def check_another_sample_rate_is_refused_by_name(trial):
    """A mixture of another sample rate than in `fit` is refused by name.

    A Pipeline that takes any rate, with ``STFTTransformer(sample_rate=...)``, separates it. Usual
    cause: the settings of the spectrograms are not compared with those of `fit`. Compare
    ``spectrogram.params`` with `stft_params_`, as `BaseMaskSeparator` does.
    """
    X, y = songs()
    fitted = trial.new().fit([ArrayWaveform(x, SAMPLE_RATE) for x in X], y)
    other = ArrayWaveform(X[0], 2 * SAMPLE_RATE, name="other.wav")
    estimates = []
    message = message_of(lambda: estimates.extend(fitted.predict([other])))
    if message is None and not trial.is_bare and _takes_any_rate(fitted):
        require_close(estimates[0].sum(axis=0), X[0], "sum of estimates at another rate")
    else:
        require_named(message, "other.wav")


def _takes_any_rate(pipeline):
    return any(getattr(step, "sample_rate", None) for _, step in pipeline.steps)
