"""Give the clips of MIR-1K synthesised singers: more voices to learn from than the corpus has."""

import numpy as np

from sksvs.audio import ArrayWaveform, Sources
from sksvs.datasets import make_singing_mixtures


def with_synthesised_voices(X, y, n_voices=1, random_state=0):
    """Return the clips, and each once more with a synthesised voice in place of the singer's.

    Parameters
    ----------
    X : list of Waveform
    y : list of Sources
        Voice and accompaniment of each.
    n_voices : int
        How many synthesised voices there are of every clip. The clips come as often as these.
    random_state : int

    Returns
    -------
    X, y : list
        All clips as they are and all with the first of their voices, then all as they are and
        with the second, and so on. Every synthesised voice has a singer and a melody of its own;
        it is as loud as the accompaniment, with which it has nothing to do.
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
    """Return a synthesised voice and this accompaniment."""
    n_samples, rate = accompaniment.n_samples, accompaniment.sample_rate
    _, [sources] = make_singing_mixtures(1, n_samples / rate, rate, random_state=seed)
    samples = accompaniment[:]
    gain = np.sqrt(np.sum(np.square(samples)) / (np.sum(np.square(sources[0])) or 1.0))
    name = f"a synthesised voice over {accompaniment.name}"
    return [ArrayWaveform(gain.astype(np.float32) * sources[0], rate, name), accompaniment]
