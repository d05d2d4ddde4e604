"""Augment training data: vary the sources of a segment before they are mixed."""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from sksvs.audio import resample
from sksvs.documentation import DocumentationLink
from sksvs.effects import limiter_gain, rms, vary_voice
from sksvs.parameters import check_parameters

SHIFT_STEP = 10_000  # samples, as in Huang et al. 2014
LIMITER_DB = 3.0, 12.0  # least and most by which a limiter lowers the highest peak
ADDED_LATER = (
    "effects",
    "drop",
    "limit",
)  # parameters that saved augmentations may lack: 0 for each


class Augmentation(DocumentationLink, BaseEstimator):
    """How the sources of a training segment are varied at random.

    The waveforms of the sources are varied before they are added up and analysed, so the mixture
    is always the sum of the sources that the network is trained on. Every segment of every epoch
    is varied anew. Validation tracks are not varied.

    Parameters
    ----------
    gain_db : float, default=0.0
        Largest gain of a source in dB, up or down, drawn uniformly; 6 dB double or halve the
        amplitude.
    remix : float, default=0.0
        Probability that every source of a segment but the first comes from a random place of a
        random track.
    shift : float, default=0.0
        Probability that every source of a segment but the first is shifted circularly within its
        track, by a multiple of 10,000 samples.
    speed : float or tuple of float, default=0.0
        Largest relative change of the speed of a segment by resampling, which shifts pitch and
        formants too: 0.06 plays up to 6 % faster or slower, about a semitone; 0.3 makes voices
        sound like other singers. Sources from different tracks have independent speeds. A tuple
        has one value for every source, each drawn independently: ``(0.35, 0.0)`` varies the voice
        and leaves the accompaniment as it is.
    channel : float, default=0.0
        Probability of replacing the downmix of a stereo source by one randomly chosen channel,
        independently for every source. It takes the place of exchanging channels, which would not
        change the downmix that networks here are trained on: a panned source gets louder or softer
        in relation to the others. A mono source stays as it is.
    effects : float, default=0.0
        Probability that the first source, the voice, is sent through an equaliser, a compressor, a
        second voice, echoes and reverberation, each at random settings or not at all, see
        :func:`sksvs.effects.vary_voice`. It stays as loud as it was. The network is trained on the
        voice with its effects.
    drop : float or tuple of float, default=0.0
        Probability that a source is silent, independently for every source. Where all would be,
        one of them, drawn at random, stays. A tuple has one value for every source:
        ``(0.1, 0.0)`` leaves the accompaniment alone in one of ten segments.
    limit : float, default=0.0
        Probability that the mixture goes through a limiter, as songs do in mastering, which lowers
        its highest peak by 3 to 12 dB. The gains of the limiter apply to every source, so that the
        sources still add up to the mixture, which stays as loud (RMS) as it was.

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

    def __init__(
        self,
        gain_db: float = 0.0,
        remix: float = 0.0,
        shift: float = 0.0,
        speed: float | tuple[float, ...] = 0.0,
        channel: float = 0.0,
        effects: float = 0.0,
        drop: float | tuple[float, ...] = 0.0,
        limit: float = 0.0,
    ):
        self.gain_db = gain_db
        self.remix = remix
        self.shift = shift
        self.speed = speed
        self.channel = channel
        self.effects = effects
        self.drop = drop
        self.limit = limit

    def check(self) -> None:
        """Raise a ValueError that names the first parameter with an unusable value."""
        check_parameters(self)

    def check_sources(self, n_sources: int) -> None:
        """Raise a ValueError if a parameter has values for another number of sources."""
        for name in ("speed", "drop"):
            value = getattr(self, name)
            if isinstance(value, (tuple, list)) and len(value) != n_sources:
                raise ValueError(
                    f"Augmentation: {name} must have one value for every source, but has "
                    f"{len(value)} where the tracks have {n_sources} sources."
                )

    def has_speeds_of_sources(self) -> bool:
        """Return whether `speed` has one value for every source."""
        return isinstance(self.speed, (tuple, list))


class SourceCrop(NamedTuple):
    """Where one source of a segment comes from, and how it is varied.

    Attributes
    ----------
    track, first : int
        The track, and the index of the first sample.
    gain, speed : float
        Factors. A gain of 0 is a dropped source.
    channel : int or None
        The channel to read; None reads the downmix.
    effects : int or None
        The seed of the effects that the source goes through; None: it goes through none.
    limit_db : float or None
        By how many dB a limiter lowers the highest peak of the mixture, the same for all sources of
        a segment; None: there is no limiter.
    """

    track: int
    first: int
    gain: float
    speed: float
    channel: int | None = None
    effects: int | None = None
    limit_db: float | None = None


def draw_plan(augmentation, track, first, sources, rng):
    """Draw how the sources of a segment are varied.

    As many random numbers are drawn whatever the parameters are, so that enabling one variation
    does not change the others. Only the numbers for `channel`, which come last, are not drawn where
    it is 0. Those for `effects`, `drop` and `limit` come from a generator of their own: its seed is
    taken from the last digits of the number that decides on `remix`, on which the first decide.

    Parameters
    ----------
    augmentation : Augmentation
    track, first : int
        The track of the segment, and the index of its first sample.
    sources : sequence of sequence of Waveform
        The sources of every track, with their channels if `channel` is above 0.
    rng : numpy.random.RandomState

    Returns
    -------
    tuple of SourceCrop
        One for every source.
    """
    n_sources = len(sources[track])
    remixed, shifted = rng.random_sample(2)
    speeds = 1 + np.asarray(augmentation.speed) * rng.uniform(-1, 1, n_sources)
    gains = 10 ** (augmentation.gain_db * rng.uniform(-1, 1, n_sources) / 20)
    tracks = rng.randint(len(sources), size=n_sources)
    places = rng.random_sample((2, n_sources))
    chosen, indices = np.ones((2, n_sources))
    if augmentation.channel > 0:
        chosen, indices = rng.random_sample((2, n_sources))
    own = np.random.RandomState(int(remixed * 2**53) % 2**32)
    dropped = own.random_sample(n_sources) < np.asarray(augmentation.drop)
    processed, seed = own.random_sample(), int(own.randint(2**32, dtype=np.uint32))
    kept, limited, limit_db = own.randint(n_sources), own.random_sample(), own.uniform(*LIMITER_DB)
    if dropped.all():
        dropped[kept] = False
    limit_db = limit_db if limited < augmentation.limit else None
    plan = []
    for j in range(n_sources):
        source_track, source_first, channel = track, first, None
        speed = speeds[j if augmentation.has_speeds_of_sources() else 0]
        if j > 0 and remixed < augmentation.remix:
            source_track, speed = int(tracks[j]), speeds[j]
            source_first = int(places[0, j] * sources[source_track][j].n_samples)
        source = sources[source_track][j]
        if j > 0 and shifted < augmentation.shift:
            n_steps = -(-source.n_samples // SHIFT_STEP)
            source_first += SHIFT_STEP * int(places[1, j] * n_steps)
        if source.n_channels > 1 and chosen[j] < augmentation.channel:
            channel = int(indices[j] * source.n_channels)
        gain = 0.0 if dropped[j] else float(gains[j])
        effects = seed if j == 0 and processed < augmentation.effects else None
        place = source_track, source_first
        plan.append(SourceCrop(*place, gain, float(speed), channel, effects, limit_db))
    return tuple(plan)


def read_plan(plan, sources, n_samples, sample_rate=None):
    """Read the sources of a segment by its plan.

    Parameters
    ----------
    plan : tuple of SourceCrop
    sources : sequence of sequence of Waveform
        The sources of every track, mono or with their channels.
    n_samples : int
        The length of the segment.
    sample_rate : float, optional
        In Hz; must be given where the plan has effects or a limiter.

    Returns
    -------
    array of float32, shape (n_sources, n_samples)
    """
    segment = np.zeros((len(plan), n_samples), np.float32)
    for j, crop in enumerate(plan):
        if crop.gain == 0:
            continue
        source = sources[crop.track][j]
        mono = source.to_mono() if crop.channel is None else source.channel(crop.channel)
        samples = read_circularly(mono, crop.first, round(n_samples * crop.speed))
        samples = change_speed(samples, n_samples)
        if crop.effects is not None:
            rng = np.random.RandomState(crop.effects)
            samples = vary_voice(samples, sample_rate, rng)
        np.multiply(samples, np.float32(crop.gain), out=segment[j], casting="same_kind")
    if plan[0].limit_db is not None:
        _limit(segment, sample_rate, plan[0].limit_db)
    return segment


def _limit(segment, sample_rate, limit_db):
    """Send the sum of sources through a limiter, in place; it stays as loud as it was."""
    mixture = segment.sum(axis=0)
    gains = limiter_gain(mixture, sample_rate, limit_db)
    loudness = rms(mixture * gains)
    if loudness > 0:
        segment *= np.float32(rms(mixture) / loudness) * gains


def read_circularly(waveform, first, n_samples):
    """Read samples of a mono waveform from `first` on, starting again at its end.

    Parameters
    ----------
    waveform : Waveform, shape (n,)
    first : int
        Index of the first sample, taken modulo the length.
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
    """Resample to `n_samples`, which changes the speed and the pitch.

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
