"""Cut tracks into segments and prepare shuffled batches of them in background threads."""

from typing import NamedTuple

import numpy as np

from sksvs.system.threads import thread_map


class Batch(NamedTuple):
    """Segments of one training step.

    Attributes
    ----------
    inputs : array of float32, shape (batch_size, segment_frames, n_freqs)
        Standardised.
    targets : array of float32, shape (batch_size, segment_frames, n_values)
    frame_weights : array of float32, shape (batch_size, segment_frames)
        0 for padding, else 1.
    tracks : tuple of str
        Names of the tracks in the batch.
    """

    inputs: np.ndarray
    targets: np.ndarray
    frame_weights: np.ndarray
    tracks: tuple[str, ...]


class SegmentBatches:
    """Batches of equally long segments of all tracks; every pass over it is one epoch.

    An epoch has about as many frames as the tracks together, from random places, in random order.
    All batches have one shape: a track shorter than a segment is padded with silence, and the last
    batch repeats segments of its own; padding has no weight.

    The segments are drawn before the epoch begins. Threads read, decode and analyse them, one batch
    each and at most one more than there are cores, while the caller works on the batch before. So
    the number of threads has no effect on the batches.

    Parameters
    ----------
    reader : TrackReader or AugmentedReader
    segment_frames, batch_size : int
    mean, scale : array of float32, shape (n_freqs,)
        Of the input, to standardise it.
    random_state : numpy.random.RandomState or None
        None: the same evenly spread segments in the same order every time, for a validation loss.
    """

    def __init__(self, reader, segment_frames, batch_size, mean, scale, random_state=None):
        self.reader = reader
        self.segment_frames = min(segment_frames, max(reader.n_frames))
        self.batch_size = batch_size
        self.mean, self.scale = mean, scale
        self.random_state = random_state

    @property
    def n_frames(self):
        """Number of frames of an epoch, padding of short tracks included."""
        return self.segment_frames * sum(map(self._n_segments, self.reader.n_frames))

    def __len__(self):
        return -(-sum(map(self._n_segments, self.reader.n_frames)) // self.batch_size)

    def __iter__(self):
        segments = self._draw()
        size = min(self.batch_size, len(segments))
        starts = range(0, len(segments), size)
        yield from thread_map(
            lambda some: self._make_batch(some, size), (segments[i : i + size] for i in starts)
        )

    def _draw(self):
        """Return the segments of one epoch, drawn by the reader."""
        rng, places = self.random_state, []
        for track, n_frames in enumerate(self.reader.n_frames):
            room = max(0, n_frames - self.segment_frames)
            count = self._n_segments(n_frames)
            # One start in each of `count` equal parts of the room there is.
            place = np.full(count, 0.5) if rng is None else rng.random_sample(count)
            starts = ((np.arange(count) + place) / count * (room + 1)).astype(int)
            places += [(track, int(start)) for start in np.minimum(starts, room)]
        if rng is not None:
            rng.shuffle(places)
        return [self.reader.draw(*place, self.segment_frames, rng) for place in places]

    def _n_segments(self, n_frames):
        """Return the number of segments of a track in an epoch."""
        return -(-n_frames // self.segment_frames)

    def _make_batch(self, segments, size):
        shape = (size, self.segment_frames)
        inputs = np.zeros((*shape, len(self.mean)), np.float32)
        targets = np.zeros((*shape, self.reader.n_values), np.float32)
        weights = np.zeros(shape, np.float32)
        for i, segment in enumerate(segments):
            values, target = self.reader.read(segment)
            n_frames = len(values)
            np.subtract(values, self.mean, out=inputs[i, :n_frames])
            inputs[i, n_frames:] -= self.mean
            targets[i, :n_frames] = target
            weights[i, :n_frames] = 1
        inputs[: len(segments)] /= self.scale
        # The last batch repeats segments of its own, without weight, so that silence does not
        # change the statistics of batch normalisation.
        again = np.arange(len(segments), size) % len(segments)
        inputs[len(segments) :], targets[len(segments) :] = inputs[again], targets[again]
        names = dict.fromkeys(name for s in segments for name in self.reader.names(s))
        return Batch(inputs, targets, weights, tuple(names))
