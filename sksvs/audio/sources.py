"""Stack the sources of a track without reading them."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from sksvs.audio.checks import common_grid
from sksvs.audio.waveform import Waveform


class Sources:
    """The sources of one track: waveforms on one time grid, stacked; nothing is read.

    Looks like an array of shape ``(n_sources, n_samples)`` or ``(n_sources, n_samples,
    n_channels)``: ``sources[0]`` is a :class:`Waveform`, ``np.asarray(sources)`` reads them all.

    Parameters
    ----------
    waveforms : sequence of Waveform
        The target voice first. They must agree in shape and sample rate.
    source_names : sequence of str, optional
        What the sources are called, such as ("vocals", "bass", "drums", "other"): as many
        different names as waveforms. A separator that is fitted on the sources keeps them, and
        stems are named after them. By default they have no names.

    Attributes
    ----------
    shape : tuple of int
    sample_rate : int or None
        In Hz.
    name : str
        Of the track: that of the first waveform.
    source_names : tuple of str or None
    """

    def __init__(self, waveforms: Sequence[Waveform], source_names: Sequence[str] | None = None):
        self.waveforms = tuple(waveforms)
        if not self.waveforms:
            raise ValueError("Sources needs at least one waveform; got none.")
        shape, self.sample_rate = common_grid(self.waveforms)
        self.shape = (len(self.waveforms), *shape)
        self.name = self.waveforms[0].name
        self.source_names = None if source_names is None else self._check_names(source_names)

    @property
    def ndim(self) -> int:
        """2 for mono sources, 3 for sources with a channel axis."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.waveforms)

    def __getitem__(self, index: int) -> Waveform:
        return self.waveforms[index]

    def __iter__(self) -> Iterator[Waveform]:
        return iter(self.waveforms)

    def time_slice(self, start: int | None, stop: int | None) -> "Sources":
        """Return the same sources from sample `start` up to `stop`, under the same names.

        Parameters
        ----------
        start, stop : int or None
            As in :meth:`Waveform.time_slice`.

        Returns
        -------
        Sources
            Lazy; nothing is read.
        """
        return Sources([w.time_slice(start, stop) for w in self.waveforms], self.source_names)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.stack([np.asarray(waveform, dtype=dtype) for waveform in self.waveforms])

    def __repr__(self):
        names = "" if self.source_names is None else f" ({', '.join(self.source_names)})"
        return f"<Sources of {self.name}: shape {self.shape}{names}>"

    def _check_names(self, names):
        are_texts = isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names)
        if not are_texts or len(set(names)) != len(names) or len(names) != len(self.waveforms):
            raise ValueError(
                f"source_names must be {len(self.waveforms)} different texts, one for every "
                f"waveform of {self.name}; got {names!r}."
            )
        return tuple(names)
