"""Vary the sources of a track before they are mixed, so that a corpus teaches more songs."""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from sksvs.audio import resample
from sksvs.parameters import check_parameters

SHIFT_STEP = 10_000  # samples: what Huang et al. shift by multiples of


class Augmentation(BaseEstimator):
    """How the sources of a segment are varied while a separator learns.

    Everything is done to the waveforms of the sources, before they are added up and analysed: the
    mixture is always the sum of the sources that the network is to find. Every segment of every
    epoch is varied anew. What is held out to validate is left as it is.

    Parameters
    ----------
    gain_db : float, default=0.0
        Each source is made louder or softer by up to as many dB, uniformly drawn; 6 doubles or
        halves.
    remix : float, default=0.0
        Probability that the sources of a segment come from different tracks, each from a place of
        its own. The first source always stays.
    shift : float, default=0.0
        Probability that the sources are shifted against one another, circularly within their
        tracks and by multiples of 10,000 samples. The first source always stays.
    speed : float or tuple of float, default=0.0
        Largest change of the speed of a segment, and of pitch and formants with it, by resampling:
        0.06 plays up to 6 % faster or slower, about a semitone; 0.3 makes other singers. Sources
        from different tracks each have a speed of their own. A tuple has a change for every
        source, each drawn on its own: ``(0.35, 0.0)`` makes other singers and leaves the
        instruments as they are.
    channel : float, default=0.0
        Probability that a source of several channels is one of them, drawn at random, in place of
        their mean; each source of a segment on its own. Networks here are shown the mean of the
        channels, which exchanging the channels of a source leaves as it is. This does to that mean
        what the exchange does to either channel: what is panned gets louder or softer against the
        rest. A mono source stays as it is.

    References
    ----------
    P.-S. Huang et al., "Singing-voice separation from monaural recordings using deep recurrent
    neural networks", ISMIR 2014 (circular shifts).

    S. Uhlich et al., "Improving music source separation based on deep neural networks through
    data augmentation and network blending", ICASSP 2017 (gains, sources of different songs,
    exchanged channels).

    Examples
    --------
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> gru = GRUMaskSeparator(augmentation=Augmentation(gain_db=6.0))
    >>> gru.set_params(augmentation__remix=0.5).augmentation
    Augmentation(gain_db=6.0, remix=0.5)
    """

    def __init__(self, gain_db=0.0, remix=0.0, shift=0.0, speed=0.0, channel=0.0):
        self.gain_db = gain_db
        self.remix = remix
        self.shift = shift
        self.speed = speed
        self.channel = channel

    def check(self):
        """Raise a ValueError that names the first parameter with an unusable value."""
        check_parameters(self)

    def check_sources(self, n_sources):
        """Raise a ValueError if a parameter has values for another number of sources."""
        if self.has_speeds_of_sources() and len(self.speed) != n_sources:
            raise ValueError(
                "Augmentation: speed must have one value for every source, but has "
                f"{len(self.speed)} where the tracks have {n_sources} sources."
            )

    def has_speeds_of_sources(self):
        """Return whether every source has a largest change of speed of its own."""
        return isinstance(self.speed, (tuple, list))


class Part(NamedTuple):
    """Where one source of a segment comes from, and how it is varied.

    `channel` is the one channel to read; None is the mean of all.
    """

    track: int
    first: int
    gain: float
    speed: float
    channel: int | None = None


def draw_plan(augmentation, track, first, sources, rng):
    """Draw how a segment is varied; as many numbers are drawn whatever is drawn.

    Those that choose channels come last and are drawn only where `channel` is not 0, so that fits
    without it draw what they drew before there was this parameter.

    Parameters
    ----------
    augmentation : Augmentation
    track, first : int
        Where the segment is: a track, and its first sample.
    sources : sequence of sequence of Waveform
        Of every track; with their channels where `channel` is not 0.
    rng : numpy.random.RandomState

    Returns
    -------
    tuple of Part
        One for every source.
    """
    n_sources = len(sources[track])
    remixed, shifted = rng.random_sample(2)
    speeds = 1 + np.asarray(augmentation.speed) * rng.uniform(-1, 1, n_sources)
    gains = 10 ** (augmentation.gain_db * rng.uniform(-1, 1, n_sources) / 20)
    tracks = rng.randint(len(sources), size=n_sources)
    places = rng.random_sample((2, n_sources))
    parts = []
    for j in range(n_sources):
        source_track, source_first = track, first
        speed = speeds[j if augmentation.has_speeds_of_sources() else 0]
        if j > 0 and remixed < augmentation.remix:
            source_track, speed = int(tracks[j]), speeds[j]
            source_first = int(places[0, j] * sources[source_track][j].n_samples)
        if j > 0 and shifted < augmentation.shift:
            n_steps = -(-sources[source_track][j].n_samples // SHIFT_STEP)
            source_first += SHIFT_STEP * int(places[1, j] * n_steps)
        parts.append(Part(source_track, source_first, float(gains[j]), float(speed)))
    if augmentation.channel > 0:
        parts = _with_channels(parts, augmentation.channel, sources, rng)
    return tuple(parts)


def _with_channels(parts, probability, sources, rng):
    """Return the parts, those of several channels by chance limited to one of them."""
    chosen, places = rng.random_sample((2, len(parts)))
    limited = []
    for j, part in enumerate(parts):
        n_channels = sources[part.track][j].n_channels
        if n_channels > 1 and chosen[j] < probability:
            part = part._replace(channel=int(places[j] * n_channels))
        limited.append(part)
    return limited


def read_plan(plan, sources, n_samples):
    """Read the sources of a segment as its plan says.

    Parameters
    ----------
    plan : tuple of Part
    sources : sequence of sequence of Waveform
        Of every track, mono or with their channels.
    n_samples : int
        Length of the segment.

    Returns
    -------
    array of float32, shape (n_sources, n_samples)
    """
    segment = np.empty((len(plan), n_samples), np.float32)
    for j, part in enumerate(plan):
        n_read = round(n_samples * part.speed)
        source = sources[part.track][j]
        mono = source.to_mono() if part.channel is None else source.channel(part.channel)
        samples = read_circularly(mono, part.first, n_read)
        samples = change_speed(samples, n_samples)
        np.multiply(samples, np.float32(part.gain), out=segment[j], casting="same_kind")
    return segment


def read_circularly(waveform, first, n_samples):
    """Read samples from `first` on of a mono waveform that begins again where it ends.

    Parameters
    ----------
    waveform : Waveform, shape (n,)
    first : int
        Any number: taken modulo the length.
    n_samples : int

    Returns
    -------
    array of float, shape (n_samples,)
    """
    pieces, start = [], first % waveform.n_samples
    while n_samples > 0:
        pieces.append(waveform[start : min(start + n_samples, waveform.n_samples)])
        n_samples -= len(pieces[-1])
        start = 0
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def change_speed(samples, n_samples):
    """Play samples faster or slower, so that they last `n_samples`; the pitch goes with it.

    Parameters
    ----------
    samples : array of float, shape (n,)
    n_samples : int

    Returns
    -------
    array of float, shape (n_samples,)
    """
    if len(samples) == n_samples:
        return samples
    return resample(samples, len(samples), n_samples)[:n_samples]
