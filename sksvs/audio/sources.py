"""Stack the sources of a track without reading them."""

import numpy as np

from sksvs.audio.checks import common_grid


class Sources:
    """The sources of one track: waveforms on one time grid, stacked; nothing is read.

    Looks like an array of shape ``(n_sources, n_samples)`` or ``(n_sources, n_samples,
    n_channels)``: ``sources[0]`` is a :class:`Waveform`, ``np.asarray(sources)`` reads them all.

    Parameters
    ----------
    waveforms : sequence of Waveform
        The target voice first. They must agree in shape and sample rate.
    """

    def __init__(self, waveforms):
        self.waveforms = tuple(waveforms)
        if not self.waveforms:
            raise ValueError("Sources needs at least one waveform; got none.")
        shape, self.sample_rate = common_grid(self.waveforms)
        self.shape = (len(self.waveforms), *shape)
        self.name = self.waveforms[0].name

    @property
    def ndim(self):
        """2 for mono sources, 3 for sources with a channel axis."""
        return len(self.shape)

    def __len__(self):
        return len(self.waveforms)

    def __getitem__(self, index):
        return self.waveforms[index]

    def __array__(self, dtype=None, copy=None):
        return np.stack([np.asarray(waveform, dtype=dtype) for waveform in self.waveforms])

    def __repr__(self):
        return f"<Sources of {self.name}: shape {self.shape}>"
