"""Read segments of tracks as inputs and targets of the network, plain or augmented."""

from collections import Counter
from math import prod
from threading import Lock
from typing import NamedTuple

import numpy as np

from sksvs.audio.waveform import ArrayWaveform
from sksvs.augmentation import draw_plan, read_plan
from sksvs.networks.features import network_input, to_model_bins
from sksvs.stft.spectrogram import analyse
from sksvs.system.threads import thread_map
from sksvs.training.measured_tracks import measured_tracks
from sksvs.training.objective import network_target


class Segment(NamedTuple):
    """A range of frames of a track."""

    track: int
    start: int
    stop: int


class TrackReader:
    """Inputs and targets of the network for a list of tracks, in ranges of frames.

    Mixtures and sources are read without their constants, see :func:`measured_tracks`. Tracks that
    fit into a memory budget are computed once and kept; the others are computed from the audio
    whenever they are read.

    Parameters
    ----------
    spectrograms : list of Spectrogram
        From `training_tracks` or `measured_tracks`, at any sample rate. Their downmixes are read.
        The same object may come several times: it is then drawn more often, and kept once.
    objective : Objective
        Determines the targets.
    input_power : float
    cache_bytes : float
    params : STFTParams
        Of the network; the spectra of tracks at other sample rates are converted to its bins.
    """

    def __init__(self, spectrograms, objective, input_power, cache_bytes, params):
        self.spectrograms = spectrograms = measured_tracks(spectrograms)
        self.objective = objective
        self.input_power = input_power
        self.params = params
        self.n_frames = [x.n_frames for x in spectrograms]
        self.levels = [x.waveform.level for x in spectrograms]
        indices = {}
        # Of every track, the index at which it comes first.
        self.firsts = [indices.setdefault(id(x), i) for i, x in enumerate(spectrograms)]
        self._cache, self._locks = {}, [Lock() for _ in spectrograms]
        self.n_values = objective.n_parts * params.n_freqs
        for i in indices.values():
            x = spectrograms[i]
            needed = 4 * x.n_frames * (params.n_freqs + self.n_values)
            if needed > cache_bytes:
                continue  # shorter ones may fit
            cache_bytes -= needed
            self._cache[i] = None  # filled when the track is first read
        self.spare_bytes = cache_bytes

    def draw(self, track, start, n_frames, rng):
        """Return a segment that ends with the track at the latest; nothing is random here."""
        return Segment(track, start, min(start + n_frames, self.n_frames[track]))

    def names(self, segment):
        """Return the names of the tracks in a segment."""
        return (self.spectrograms[segment.track].name,)

    def read(self, segment):
        """Return ``(input, target)`` of a segment: each (n_frames, n_values)."""
        track, start, stop = self.firsts[segment.track], segment.start, segment.stop
        if track not in self._cache:
            return self._compute(track, start, stop)
        with self._locks[track]:
            if self._cache[track] is None:
                self._cache[track] = self._compute_whole(track)
        return tuple(values[start:stop] for values in self._cache[track])

    def _compute_whole(self, track):
        x = self.spectrograms[track]
        widths = self.params.n_freqs, self.n_values
        whole = tuple(np.empty((x.n_frames, width), np.float32) for width in widths)
        for start, stop in x.block_ranges():
            for values, part in zip(whole, self._compute(track, start, stop)):
                values[start:stop] = part
        return whole

    def _read_input(self, track, start, stop):
        """Return the input alone, without analysing the sources where it is not kept."""
        if track in self._cache:
            return self.read(Segment(track, start, stop))[0]
        x = self.spectrograms[track]
        frames = to_model_bins(x.frames(start, stop), x.params, self.params)
        return network_input(frames, self.levels[track], self.input_power)

    def _compute(self, track, start, stop):
        x, level = self.spectrograms[track], self.levels[track]
        frames, sources = (
            to_model_bins(spectra, x.params, self.params)
            for spectra in (x.frames(start, stop), x.target.frames(start, stop))
        )
        return (
            network_input(frames, level, self.input_power),
            network_target(frames, sources, x.target.rule, level, self.objective),
        )

    def input_statistics(self):
        """Return mean and standard deviation of the input per frequency over all frames.

        Returns
        -------
        mean, scale : array of float32, shape (n_freqs,)
            The scale is at least 1 % of the largest, so that empty bands are not amplified.
        """
        times = Counter(self.firsts)
        sums = thread_map(self._input_sums, (track for track in times))
        total, squares = sum(n * both for n, both in zip(times.values(), sums))
        count = sum(self.n_frames)
        mean = total / count
        scale = np.sqrt(np.maximum(squares / count - mean**2, 0))
        scale = np.maximum(scale, 0.01 * scale.max()) if scale.any() else np.ones_like(scale)
        return mean.astype(np.float32), scale.astype(np.float32)

    def _input_sums(self, track):
        """Return the sums of a track's inputs and of their squares: (2, n_freqs)."""
        sums = np.zeros((2, self.params.n_freqs))
        for start, stop in self.spectrograms[track].block_ranges():
            values = self._read_input(track, start, stop)
            sums[0] += values.sum(axis=0, dtype=np.float64)
            sums[1] += np.einsum("ij,ij->j", values, values, dtype=np.float64)
        return sums


class AugmentedReader:
    """Inputs and targets of segments whose sources are augmented and mixed anew.

    A segment that reaches beyond the end of its track continues at its beginning. Its level is
    computed from the mean powers of the tracks (or channels) that its sources come from, as if
    sources were uncorrelated. A dropped source has no power.

    Parameters
    ----------
    reader : TrackReader
        Of the same tracks, as they are.
    augmentation : Augmentation
    cache_bytes : float
        Memory budget for decoded sources, with their channels where the augmentation chooses among
        them. Sources of other tracks are read from their files whenever they are needed.
    """

    def __init__(self, reader, augmentation, cache_bytes):
        self.reader = reader
        self.augmentation = augmentation
        self.n_frames, self.n_values = reader.n_frames, reader.n_values
        self.params = reader.params
        augmentation.check_sources(len(reader.spectrograms[0].target.sources))
        needs_rate = augmentation.effects > 0 or augmentation.limit > 0
        if needs_rate and self.params.sample_rate is None:
            raise ValueError(
                f"{reader.spectrograms[0].name} has no sample rate, but the effects and the "
                "limiter of an augmentation need one. Give its rate: ArrayWaveform(samples, rate) "
                "or STFTTransformer(array_rate=...)."
            )
        for x in reader.spectrograms:
            if x.params.n_fft != self.params.n_fft:
                raise ValueError(
                    f"{x.name} has a sample rate of {x.params.sample_rate} Hz, but the network "
                    f"has {self.params.sample_rate} Hz. An augmentation mixes sources of all "
                    "tracks, which must have the network's. Resample with sksvs.audio.resample."
                )
        self.sources, self.powers = [], []
        for i, (x, first) in enumerate(zip(reader.spectrograms, reader.firsts)):
            if first < i:  # it is there already
                self.powers.append(self.powers[first])
                self.sources.append(self.sources[first])
                continue
            waveforms = [source.waveform for source in x.target.sources]
            if augmentation.channel > 0:
                waveforms = [waveform.with_channels() for waveform in waveforms]
            self.powers.append([_powers(waveform) for waveform in waveforms])
            needed = 4 * sum(prod(waveform.shape) for waveform in waveforms)
            if needed <= cache_bytes:
                cache_bytes -= needed
                waveforms = [_decoded(waveform) for waveform in waveforms]
            self.sources.append(waveforms)
        self.spare_bytes = cache_bytes

    def draw(self, track, start, n_frames, rng):
        """Return the number of frames of a segment and the plan by which it is mixed."""
        first = self.params.first_sample(start)
        return n_frames, draw_plan(self.augmentation, track, first, self.sources, rng)

    def names(self, segment):
        """Return the names of the tracks in a segment."""
        return tuple(self.reader.spectrograms[part.track].name for part in segment[1])

    def read(self, segment):
        """Return ``(input, target)`` of a segment: each (n_frames, n_values)."""
        n_frames, plan = segment
        n_samples = (n_frames - 1) * self.params.hop_length + self.params.n_fft
        sources = read_plan(plan, self.sources, n_samples, self.params.sample_rate)
        frames = analyse(sources, self.params)
        mixture = frames.sum(axis=0)  # analysis is linear
        power = sum(p.gain**2 * self.powers[p.track][j][p.channel] for j, p in enumerate(plan))
        level = float(np.sqrt(power)) or 1.0
        rule = self.reader.spectrograms[0].target.rule
        return (
            network_input(mixture, level, self.reader.input_power),
            network_target(mixture, frames, rule, level, self.reader.objective),
        )


def _decoded(waveform):
    """Return a waveform whose samples are in memory, as float32."""
    samples = np.empty(waveform.shape, np.float32)
    start = 0
    for block in waveform.blocks():
        samples[start : start + len(block)] = block
        start += len(block)
    return ArrayWaveform(samples, waveform.sample_rate, waveform.name)


def _powers(waveform):
    """Return the power of the mean of the channels, as item None, and of every channel."""
    powers = waveform.measurement.powers
    return {None: powers.downmix, **dict(enumerate(powers.channels))}
