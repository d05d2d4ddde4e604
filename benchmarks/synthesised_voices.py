"""Add clips with synthesised singers, or second voices, to those of MIR-1K."""

import numpy as np

from sksvs.audio import ArrayWaveform, Sources
from sksvs.audio.timeline import Timeline  # private: no public view pads a waveform
from sksvs.audio.waveform import Sum  # private: adds more than two waveforms
from sksvs.datasets import make_singing_mixtures


def with_synthesised_voices(X, y, n_voices=1, random_state=0):
    """Return the clips, and copies of them with synthesised voices instead of the singer's.

    Parameters
    ----------
    X : list of Waveform
    y : list of Sources
        Voice and accompaniment of each.
    n_voices : int
        Synthesised voices for each clip. The clips themselves are repeated as often.
    random_state : int

    Returns
    -------
    X, y : list
        All clips unchanged, all with their first synthesised voice, all unchanged again, all with
        their second voice, and so on. Every synthesised voice has a singer and a melody of its
        own, unrelated to the accompaniment, and the same energy as the accompaniment.
    """
    rng, more_X, more_y = np.random.RandomState(random_state), [], []
    for _ in range(n_voices):
        seeds = rng.randint(2**31 - 1, size=len(X))
        synthesised = [_over(sources[1], int(seed)) for sources, seed in zip(y, seeds)]
        more_X += [*X, *(voice + rest for voice, rest in synthesised)]
        names = (sources.source_names for sources in y)
        more_y += [*y, *map(Sources, synthesised, names)]
    return more_X, more_y


def _over(accompaniment, seed):
    """Return a synthesised voice and the accompaniment, with the same energy."""
    n_samples, rate = accompaniment.n_samples, accompaniment.sample_rate
    _, [sources] = make_singing_mixtures(1, n_samples / rate, rate, random_state=seed)
    samples = accompaniment[:]
    gain = np.sqrt(np.sum(np.square(samples)) / (np.sum(np.square(sources[0])) or 1.0))
    name = f"a synthesised voice over {accompaniment.name}"
    return [ArrayWaveform(gain.astype(np.float32) * sources[0], rate, name), accompaniment]


def with_second_voices(X, y, gain=0.5, random_state=0):
    """Return the tracks, half of which have the voice of another track besides their own.

    Parameters
    ----------
    X : list of Waveform
    y : list of Sources
        Voice and accompaniment of each.
    gain : float
        Of the second voice; it ends, or is cut, with the track.
    random_state : int

    Returns
    -------
    X, y : list
        Every second track is as it was.
    """
    rng, more_y = np.random.RandomState(random_state), list(y)
    for i in range(1, len(y), 2):
        voice, accompaniment = y[i]
        other = y[rng.randint(len(y))][0].gain(gain)
        other = Timeline([other], [0], other.n_samples + voice.n_samples, other.name)
        both = voice + other.time_slice(0, voice.n_samples)
        more_y[i] = Sources([both, accompaniment], y[i].source_names)
    return [Sum(sources) for sources in more_y], more_y
