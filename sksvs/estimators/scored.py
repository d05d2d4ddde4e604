"""Score separators by the mean SDR of the voice, as scikit-learn's `score`."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from sksvs.audio.centred import difference_from_sum
from sksvs.metrics import SeparationScore, score_tracks
from sksvs.metrics.scores import check_weights
from sksvs.stft import Spectrogram
from sksvs.stft.tracks import check_sources, warn_of_difference
from sksvs.typing import Truth


class ScoredSeparator:
    """What `BaseMaskSeparator` scores by: its `score`, and the estimates that it compares."""

    n_sources_: int
    _check_predict: Callable

    def score(
        self, X: Sequence[Spectrogram], y: Truth, sample_weight: npt.ArrayLike | None = None
    ) -> SeparationScore:
        """Return the mean SDR of the voice in dB, as a float that also has `.sdr .sir .sar`.

        Computed on the downmix by BSS Eval version 3, source 0, without permutation, mean over
        tracks, with one track in memory at a time. :func:`~sksvs.metrics.score_tracks` says how
        undefined scores are treated.

        Parameters
        ----------
        X : list of Spectrogram
        y : list of array or Sources, each (n_sources, n_samples[, n_channels])
            The true sources.
        sample_weight : sequence of float of length n_tracks, optional
            Weights of the tracks in the mean.

        Returns
        -------
        SeparationScore
        """
        spectrograms = self._check_predict(X)
        sources = check_sources(y, [x.waveform for x in spectrograms])
        if sample_weight is not None:
            check_weights(sample_weight, len(spectrograms))  # before the first track is separated
        if len(sources[0]) != self.n_sources_:
            raise ValueError(
                f"y[0] has {len(sources[0])} sources, but {type(self).__name__} was fitted with "
                f"{self.n_sources_}."
            )
        tracks = (self._judge(x, track) for x, track in zip(spectrograms, sources))
        return score_tracks(tracks, sample_weight=sample_weight)

    def _judge(self, spectrogram, sources):
        """Return the name of a track, and the downmixes of its sources and estimates."""
        references = np.stack([source.to_mono()[:] for source in sources])
        mixture = spectrogram.to_mono().waveform[:]
        warn_of_difference(spectrogram.name, difference_from_sum(mixture, references))
        return spectrogram.name, references, self._estimate(spectrogram, sources)

    def _estimate(self, spectrogram, sources):
        """Return the downmix of the estimates; only an oracle uses the sources."""
        if spectrogram.waveform.cancels:
            estimates = self._separate(spectrogram)
            return estimates if spectrogram.ndim == 2 else estimates.mean(axis=-1)
        if self.side_weight > 0 and spectrogram.ndim == 3:
            return self._separate(spectrogram).mean(axis=-1)
        return self._separate(spectrogram.to_mono())  # the same, as one mask serves all channels
