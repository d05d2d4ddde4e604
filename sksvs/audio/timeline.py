"""Views that put waveforms together: one after another, and mono in several channels."""

from bisect import bisect_left, bisect_right

import numpy as np

from sksvs.audio.checks import common_rate
from sksvs.audio.waveform import View, Waveform


class Timeline(Waveform):
    """Waveforms one after another, with silence between them.

    Parameters
    ----------
    waveforms : list of Waveform
        With the same number of channels and one sample rate; the same one may come several times.
    starts : list of int
        Where each of them starts: in ascending order, and none before the last one ends. What
        starts before 0 is cut off, as is what ends after `n_samples`.
    n_samples : int
        Of the whole.
    name : str

    Examples
    --------
    >>> from sksvs.audio.waveform import ArrayWaveform
    >>> beat = ArrayWaveform(np.array([0.5, 0.25]))
    >>> Timeline([beat, beat], [1, 4], 5, "beats")[:].tolist()
    [0.0, 0.5, 0.25, 0.0, 0.5]
    """

    def __init__(self, waveforms, starts, n_samples, name):
        self.waveforms, self.starts = list(waveforms), list(starts)
        self.shape = (n_samples, *self.waveforms[0].shape[1:])
        self.sample_rate = common_rate(self.waveforms)
        self.name = name

    def time_slice(self, start, stop):
        """View the samples from `start` to `stop`; the view holds what sounds in it alone."""
        view = super().time_slice(start, stop)
        waveforms, starts = self._between(view.start, view.start + view.n_samples)
        starts = [place - view.start for place in starts]
        return Timeline(waveforms, starts, view.n_samples, self.name)

    def _read(self, start, stop):
        samples = np.zeros((stop - start, *self.shape[1:]), np.float32)
        for waveform, place in zip(*self._between(start, stop)):
            begin, end = max(start, place), min(stop, place + waveform.n_samples)
            if begin < end:
                samples[begin - start : end - start] = waveform[begin - place : end - place]
        return samples

    def _between(self, start, stop):
        """Return the waveforms, one at least, that may sound in a range, and their starts."""
        first = max(0, bisect_right(self.starts, start) - 1)
        last = max(first + 1, bisect_left(self.starts, stop))
        return self.waveforms[first:last], self.starts[first:last]


class SameInChannels(View):
    """A mono waveform, the same in several channels."""

    def __init__(self, waveform, n_channels):
        super().__init__(waveform, (waveform.n_samples, n_channels))

    def _read(self, start, stop):
        return np.stack([super()._read(start, stop)] * self.shape[1], axis=1)


def in_channels(waveform, n_channels):
    """Return a waveform, if it is mono and there are several channels the same in each of them."""
    is_spread = waveform.n_channels == 1 and n_channels > 1
    return SameInChannels(waveform.to_mono(), n_channels) if is_spread else waveform
