"""
A separator of your own
=======================

A separator is a class that turns the spectrogram of a mixture into one mask a source. Here is one
that needs no training: chords are lines along time in a spectrogram, drums are lines along
frequency, and with a window of a quarter of a second a voice, whose pitch moves, is more like drums
than like chords. A median filter along time keeps the former, one along frequency the latter
(D. Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010).
"""

# %%
# The separator
# -------------
# `BaseMaskSeparator` checks tracks, applies the masks, inverts and scores. What it needs are the
# masks of one block of frames after the other. A filter along time sees frames on either side of
# its block; those beyond the ends of the track are zero. The masks of a stereo song come from its
# downmix.
import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import median_filter
from sklearn.pipeline import make_pipeline

from sksvs.datasets import make_singing_mixtures
from sksvs.display import SeparationDisplay
from sksvs.estimators import BaseMaskSeparator, MixtureBaseline
from sksvs.testing import check_separator
from sksvs.transforms import STFTTransformer, ideal_ratio_mask


class MedianFilterSeparator(BaseMaskSeparator):
    """Assign what is steady in time to the accompaniment, and the rest to the voice.

    Parameters
    ----------
    n_frames : int, default=31
        Length of the filter along time.
    n_bins : int, default=9
        Length of the filter along frequency.
    p : float, default=2.0
        Exponent of the masks: 2 for a Wiener filter.
    """

    def __init__(self, n_frames=31, n_bins=9, p=2.0):
        self.n_frames = n_frames
        self.n_bins = n_bins
        self.p = p

    def _mask_blocks(self, spectrogram):
        mono, context = spectrogram.to_mono(), self.n_frames
        for start, stop in spectrogram.block_ranges():
            magnitudes = np.abs(mono.frames(start - context, stop + context))
            moving = median_filter(magnitudes, (self.n_bins, 1))
            steady = median_filter(magnitudes, (1, self.n_frames))
            both = np.stack([moving, steady])[..., context:-context]
            yield spectrogram.read_block(start, stop), ideal_ratio_mask(both, self.p)


# %%
# The proof
# ---------
# The estimates add up to the mixture, a gain of the song is a gain of its voice, a file gives what
# its samples give: `check_separator` fits the separator on short songs and checks these and many
# other laws. An error says which law is broken, what was got and what the usual cause is.
results = check_separator(MedianFilterSeparator(), on_skip=None)
for status in ("passed", "skipped", "failed"):
    print(f"{status:<8}{sum(result['status'] == status for result in results):>3}")

# %%
# The skipped law is about `sksvs.save`, which stores the separators of the package alone.
#
# The score
# ---------
# In a pipeline it is scored, searched and used like any other separator. `fit` learns nothing but
# the number of sources and the settings of the STFT.
X, y = make_singing_mixtures(n_tracks=4, duration=8.0, random_state=0)
stft = STFTTransformer(n_fft=4096, hop_length=1024)
for separator in (MixtureBaseline(), MedianFilterSeparator()):
    pipeline = make_pipeline(stft, separator).fit(X, y)
    score = pipeline.score(X, y)
    print(f"{type(separator).__name__:<22} SDR of the voice {score.sdr:6.2f} dB")

# %%
# Listen
# ------
# A singer's steady notes are taken for chords, and drums for the voice.
SeparationDisplay.from_estimator(pipeline, X[:1], y[:1], sample_rate=16000)

# %%
# The mask of the voice
# ---------------------
(mask, _) = pipeline[-1].predict_mask(stft.transform(X[:1]))[0]
plt.figure(figsize=(7, 3), layout="constrained")
plt.imshow(mask[:512], aspect="auto", origin="lower", extent=(0, 8, 0, 2))
plt.colorbar(label="mask of the voice")
plt.xlabel("s")
plt.ylabel("kHz")
plt.show()
