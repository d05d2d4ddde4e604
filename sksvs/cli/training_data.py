"""Load the corpora that `sksvs fit` trains on, and draw an epoch in which each has its share."""

from math import sqrt
from os.path import abspath, basename
from typing import NamedTuple

import click
import numpy as np

SAMPLE_RATE = 44100  # Hz, where folders of voices are given
ROUNDING = 1e-9  # of a number of passes over a corpus


class TrainingCorpus(NamedTuple):
    """The tracks of a corpus, or of voices and accompaniments.

    Attributes
    ----------
    X : list of Waveform
    y : list of Sources
    groups : list of str
        Singers, artists or folders of voices.
    facts : dict
        What the card of the model says about it.
    """

    X: list
    y: list
    groups: list
    facts: dict

    @property
    def hours(self):
        """The length of every track."""
        return [x.n_samples / x.sample_rate / 3600 for x in self.X]


class Epoch(NamedTuple):
    """The tracks that are trained on, some of them several times.

    Attributes
    ----------
    X : list of Waveform
    y : list of Sources
    groups : list of str
    facts : dict
        What the card of the model says about the data.
    hours : float
        The length of all tracks together, each as often as it comes.
    n_tracks : int
        Different tracks.
    """

    X: list
    y: list
    groups: list
    facts: dict
    hours: float
    n_tracks: int


def check_data_options(data, corpus, sources, voices, accompaniments, weights, cache):
    """Raise a usage error for options that do not go together, before anything is loaded.

    Parameters
    ----------
    data, voices, accompaniments : sequence of Path
    corpus : str or None
    sources : tuple of str or None
    weights : tuple of float or None
    cache : Path or None
    """
    if bool(voices) != bool(accompaniments):
        given, missing = "--voices", "--accompaniments"
        if accompaniments:
            given, missing = missing, given
        raise click.UsageError(
            f"--voices and --accompaniments must be given together; got {given} alone. Add "
            f"{missing} DIR."
        )
    if not (data or voices):
        raise click.UsageError(
            "Training data are needed; got none. Give --data DIR, a folder of songs, or "
            "--voices DIR and --accompaniments DIR."
        )
    if cache is not None and not voices:
        raise click.UsageError(
            "--cache is for the files of --voices and --accompaniments; got neither. Leave it out."
        )
    if corpus is not None and len(data) != 1:
        raise click.UsageError(
            f"--corpus must have one --data; got {len(data)}. Leave it out: corpora are recognised "
            "by their folders."
        )
    from sksvs.datasets.bundle import VOICE_AND_REST

    if voices and sources not in (None, VOICE_AND_REST):
        raise click.UsageError(
            f"--sources must be vocals,accompaniment with --voices; got {','.join(sources)}."
        )
    n_corpora = len(data) + bool(voices)
    if weights is not None and len(weights) != n_corpora:
        first = "voices and accompaniments first, then " if voices else ""
        raise click.UsageError(
            f"--weights must have {n_corpora} number(s), {first}one for every --data; got "
            f"{len(weights)}."
        )


def load_corpora(
    data,
    corpus,
    voices,
    accompaniments,
    *,
    sources,
    sample_rate,
    cache,
    songs,
    strict,
    random_state,
    verbose,
):
    """Load all that `sksvs fit` trains on, without reading samples.

    Several corpora are brought to one sample rate: 44.1 kHz where there are voices and
    accompaniments, else the lowest that a track has, unless another is asked for. The clips of
    MIR-1K, which are scaled to a norm of 1, then get the level of the voices, so that they can be
    mixed with other corpora. A single corpus stays as it is.

    Parameters
    ----------
    data : sequence of Path
        Folders of corpora.
    corpus : str or None
        Which corpus it is; None: whichever the folder holds.
    voices, accompaniments : sequence of Path
        Folders; both or neither.
    sources : sequence of str
        What the tracks of corpora are separated into.
    sample_rate : int or None
        To bring all tracks to, in Hz.
    cache : Path or None
        Folder for copies of voices and accompaniments.
    songs : int or None
        Use only so many tracks of every corpus.
    strict : bool
        Whether files that lack samples are an error.
    random_state : int
        Draws which voices and accompaniments are paired.
    verbose : bool
        Whether to show how many files are opened.

    Returns
    -------
    list of TrainingCorpus
        Voices and accompaniments first, then the corpora in order.
    """
    from sksvs.datasets import (
        detect_corpus,
        load_corpus,
        load_voices_and_accompaniments,
        resample_tracks,
    )

    corpora = []
    if voices:
        tracks = load_voices_and_accompaniments(
            voices,
            accompaniments,
            sample_rate=sample_rate or SAMPLE_RATE,
            cache_dir=cache,
            random_state=random_state,
            strict=strict,
            verbose=verbose,
        )
        folders = {"voices": voices, "accompaniments": accompaniments}
        facts = {
            kind: [basename(abspath(path)) for path in paths] for kind, paths in folders.items()
        }
        corpora.append(_corpus(tracks, facts, songs))
    for folder in data:
        name = corpus or detect_corpus(folder)
        tracks = load_corpus(folder, "train", name, sources, strict)
        of_stems = {"folder": basename(abspath(folder))} if name == "stems" else {}
        corpora.append(_corpus(tracks, {"corpus": name, "subset": "train", **of_stems}, songs))
    if len(corpora) == 1 and sample_rate is None:
        return corpora
    lowest = min(x.sample_rate for one in corpora for x in one.X)
    rate = sample_rate or (SAMPLE_RATE if voices else lowest)
    on_one_grid = []
    for one in corpora:
        is_scaled = one.facts.get("corpus") == "mir1k" and len(corpora) > 1
        X, y = _levelled(one.X, one.y) if is_scaled else (one.X, one.y)
        X, y = resample_tracks(X, y, rate)
        on_one_grid.append(one._replace(X=X, y=y))
    return on_one_grid


def draw_epoch(corpora, weights=None, max_hours=None, random_state=0):
    """Draw the tracks of an epoch, in which every corpus has its share of the audio.

    Without a limit, all audio is used: the corpus that is longest for its share comes once, and
    tracks of the others come several times, as the same objects. Where that is longer than the
    limit, the epoch is as long as the limit and has some tracks of every corpus, drawn at random.

    Parameters
    ----------
    corpora : list of TrainingCorpus
    weights : sequence of float, optional
        The shares of the corpora, relative to one another. By default their lengths count, and
        every track comes once.
    max_hours : float, optional
        Of the epoch, rounded to whole tracks; every corpus has one at least.
    random_state : int, default=0
        Draws tracks where a corpus does not come a whole number of times.

    Returns
    -------
    Epoch
    """
    lengths = np.array([sum(corpus.hours) for corpus in corpora])
    shares = lengths if weights is None else np.asarray(weights, float)
    shares = shares / shares.sum()
    length = np.max(lengths / shares)
    if max_hours is not None:
        length = min(length, max_hours)
    rng = np.random.RandomState(random_state)
    X, y, groups, facts, hours, n_tracks = [], [], [], [], 0.0, 0
    for corpus, passes in zip(corpora, length * shares / lengths):
        chosen = _choose(corpus.hours, passes, rng)
        X += [corpus.X[i] for i in chosen]
        y += [corpus.y[i] for i in chosen]
        groups += [corpus.groups[i] for i in chosen]
        own_hours, n_used = sum(corpus.hours[i] for i in chosen), len(set(chosen))
        facts.append({**corpus.facts, "n_tracks": n_used, "hours": own_hours})
        hours += own_hours
        n_tracks += n_used
    return Epoch(X, y, groups, _card(facts, hours, n_tracks), hours, n_tracks)


def _corpus(tracks, facts, songs):
    X, y, groups = (values[:songs] for values in (tracks.X, tracks.y, tracks.groups))
    return TrainingCorpus(X, y, groups, facts)


def _levelled(X, y):
    """Give tracks whose sources have a norm of 1 the RMS of voices and accompaniments."""
    from sksvs.audio import Sources
    from sksvs.datasets.voices_and_accompaniments import LEVEL

    gains = [LEVEL * sqrt(np.prod(x.shape)) for x in X]
    X = [x.gain(gain) for x, gain in zip(X, gains)]
    y = [
        Sources([source.gain(gain) for source in sources], sources.source_names)
        for sources, gain in zip(y, gains)
    ]
    return X, y


def _choose(hours, passes, rng):
    """Return indices of tracks: each in every whole pass, and some at random for the rest."""
    whole = int(passes + ROUNDING)
    chosen = list(range(len(hours))) * whole
    rest = (passes - whole) * sum(hours)
    if passes - whole > ROUNDING:
        order = rng.permutation(len(hours))
        ends = np.cumsum([0.0, *(hours[i] for i in order)])
        n_more = int(np.argmin(abs(ends - rest)))
        chosen += sorted(order[: max(n_more, 0 if whole else 1)].tolist())
    return chosen


def _card(facts, hours, n_tracks):
    """Return what the card says: of one corpus its facts, of several a list with their shares."""
    shares = [one.pop("hours") / hours for one in facts]
    if len(facts) == 1:
        return facts[0]
    corpora = [{**one, "share": round(share, 3)} for one, share in zip(facts, shares)]
    return {"corpora": corpora, "n_tracks": n_tracks}
