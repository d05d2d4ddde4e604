"""A small separator of NumPy alone that keeps every law."""

import numpy as np
from sklearn.utils import check_random_state

from sksvs.audio.centred import Centred
from sksvs.estimators import BaseMaskSeparator
from sksvs.stft import Spectrogram
from sksvs.stft.tracks import check_sources


class MeanMask(BaseMaskSeparator):
    """Separate with the mean share of the sources in a frequency; soft bins have less voice."""

    def __init__(self, power=1, random_state=None):
        self.power = power
        self.random_state = random_state

    def fit(self, X, y=None):
        super().fit(X, y)
        self.loudness_ = self._start()
        for x, sources in zip(X, check_sources(y, [x.waveform for x in X])):
            views = [Spectrogram(Centred(source.to_mono()), x.params) for source in sources]
            means = [np.abs(view.stft).mean(axis=1) for view in views]
            self.loudness_ = self.loudness_ + np.stack(means)
        loudness = self.loudness_**self.power * self._generator().uniform(0.8, 1.2, (2, 1))
        self.shares_ = (loudness / np.maximum(loudness.sum(axis=0), 1e-30)).astype(np.float32)
        return self

    def _start(self):
        return 0.0

    def _generator(self):
        return check_random_state(self.random_state)

    def _frames(self, spectrogram, start, stop):
        return spectrogram.to_mono().frames(start, stop)

    def _level(self, spectrogram):
        return spectrogram.waveform.level

    def _mask_blocks(self, spectrogram):
        level = self._level(spectrogram)
        for start, stop in spectrogram.block_ranges():
            loud = np.minimum(np.abs(self._frames(spectrogram, start, stop)) / level, 1)
            masks = self.shares_[..., np.newaxis] * loud
            masks[-1] = 1 - masks[:-1].sum(axis=0)
            yield spectrogram.read_block(start, stop), masks
