"""Add clips with synthesised singers to those of MIR-1K, for more voices in the training data."""

import numpy as np

from sksvs.audio import ArrayWaveform, Sources
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
