"""Cut many tracks into segments and hand them out in shuffled batches."""

import numpy as np

from sksvs.estimators._features import network_input, network_target, track_level


class TrackReader:
    """The network's inputs and targets of a list of tracks, read in ranges of frames.

    What has been computed is kept, track by track, as far as a budget goes; the rest is computed
    from the audio whenever it is asked for.

    Parameters
    ----------
    spectrograms : list of Spectrogram
        Mono, each with a target.
    n_masks : int
    on_masks : bool
        Whether the loss compares masks or magnitudes.
    input_power : float
    cache_bytes : float
    """

    def __init__(self, spectrograms, n_masks, on_masks, input_power, cache_bytes):
        self.spectrograms = spectrograms
        self.n_masks = n_masks
        self.on_masks = on_masks
        self.input_power = input_power
        self.levels = [track_level(x) for x in spectrograms]
        self._cache = {}
        for i, x in enumerate(spectrograms):
            n_values = n_masks if on_masks else 1 + x.target.n_sources
            needed = 4 * x.n_frames * x.n_freqs * (1 + n_values)
            if needed > cache_bytes:
                break
            cache_bytes -= needed
            self._cache[i] = None  # filled when the track is first read
        self.spare_bytes = cache_bytes

    def __len__(self):
        return len(self.spectrograms)

    def n_frames(self, track):
        """Return the length of a track in frames."""
        return self.spectrograms[track].n_frames

    @property
    def n_frames_in_all(self):
        """The length of all tracks together in frames."""
        return sum(x.n_frames for x in self.spectrograms)

    def read(self, track, start, stop):
        """Return ``(input, target)`` of a range of frames: each (stop - start, n_values)."""
        if track not in self._cache:
            return self._compute(track, start, stop)
        if self._cache[track] is None:
            ranges = self.spectrograms[track].block_ranges()
            blocks = [self._compute(track, *block) for block in ranges]
            self._cache[track] = tuple(np.concatenate(parts) for parts in zip(*blocks))
        return tuple(values[start:stop] for values in self._cache[track])

    def _read_input(self, track, start, stop):
        """Return the input alone; where it is not kept, the sources need not be analysed."""
        if track in self._cache:
            return self.read(track, start, stop)[0]
        frames = self.spectrograms[track].frames(start, stop)
        return network_input(frames, self.levels[track], self.input_power)

    def _compute(self, track, start, stop):
        x, level = self.spectrograms[track], self.levels[track]
        frames = x.frames(start, stop)
        return (
            network_input(frames, level, self.input_power),
            network_target(x.target, frames, start, stop, level, self.n_masks, self.on_masks),
        )

    def input_statistics(self):
        """Return mean and standard deviation of the input per frequency over all frames.

        Returns
        -------
        mean, scale : array of float32, shape (n_freqs,)
            The scale is at least 1 % of the largest, so that empty bands are not blown up.
        """
        total, squares, count = 0.0, 0.0, 0
        for track in range(len(self)):
            for start, stop in self.spectrograms[track].block_ranges():
                values = self._read_input(track, start, stop).astype(np.float64)
                total, squares = total + values.sum(axis=0), squares + (values**2).sum(axis=0)
                count += len(values)
        mean = total / count
        scale = np.sqrt(np.maximum(squares / count - mean**2, 0))
        scale = np.maximum(scale, 0.01 * scale.max()) if scale.any() else np.ones_like(scale)
        return mean.astype(np.float32), scale.astype(np.float32)


class SegmentBatches:
    """Batches of equally long segments of all tracks; every pass over it is one epoch.

    Each epoch takes about as many frames as there are, from random places, in random order. All
    batches have one shape: a track that is shorter than a segment is followed by silence, and the
    last batch by silent segments, whose frames have no weight.

    Parameters
    ----------
    reader : TrackReader
    segment_frames, batch_size : int
    mean, scale : array of float32, shape (n_freqs,)
        Of the input, to standardise it.
    random_state : numpy.random.RandomState or None
        None takes the same evenly spread segments in the same order every time, which is what a
        validation loss wants.
    """

    def __init__(self, reader, segment_frames, batch_size, mean, scale, random_state=None):
        longest = max(reader.n_frames(track) for track in range(len(reader)))
        self.reader = reader
        self.segment_frames = min(segment_frames, longest)
        self.batch_size = batch_size
        self.mean, self.scale = mean, scale
        self.random_state = random_state

    def __iter__(self):
        segments = self._draw()
        for i in range(0, len(segments), self.batch_size):
            parts = [self._read(*segment) for segment in segments[i : i + self.batch_size]]
            missing = min(self.batch_size, len(segments)) - len(parts)
            inputs, targets, weights = (
                np.pad(np.stack(part), [(0, missing)] + [(0, 0)] * part[0].ndim)
                for part in zip(*parts)
            )
            yield (inputs - self.mean) / self.scale, targets, weights

    def _draw(self):
        """Return ``(track, start)`` of the segments of one epoch."""
        rng, segments = self.random_state, []
        for track in range(len(self.reader)):
            n_frames = self.reader.n_frames(track)
            room = max(0, n_frames - self.segment_frames)
            count = -(-n_frames // self.segment_frames)
            # One start in each of `count` equal parts of the room there is.
            place = np.full(count, 0.5) if rng is None else rng.random_sample(count)
            starts = ((np.arange(count) + place) / count * (room + 1)).astype(int)
            segments += [(track, start) for start in np.minimum(starts, room)]
        if rng is not None:
            rng.shuffle(segments)
        return segments

    def _read(self, track, start):
        values = self.reader.read(
            track, start, min(start + self.segment_frames, self.reader.n_frames(track))
        )
        missing = self.segment_frames - len(values[0])
        weights = np.ones(self.segment_frames, np.float32)
        weights[len(values[0]) :] = 0
        return *(np.pad(v, ((0, missing), (0, 0))) for v in values), weights
