"""Show one separated track: spectrograms, masks, waveforms, scores by window, and a player."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.pipeline import Pipeline

from sksvs.audio import Sources, Waveform
from sksvs.display.excerpts import choose_excerpt
from sksvs.display.player import Stem, render_player
from sksvs.display.separation_figure import draw_separation
from sksvs.metrics.protocols import get_protocol
from sksvs.metrics.scores import score_track
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import assume_rate, check_mixtures, default_source_names
from sksvs.typing import Predictor, Truth

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DURATION = 30.0  # s
PROTOCOL = "musdb18"  # of the scores by window: 1 s each


class SeparationDisplay:
    """One separated track, to look at and to listen to.

    Make it with :meth:`from_estimator` or :meth:`from_estimates`. :meth:`plot` draws it. In a
    notebook, and in an example page of sphinx-gallery, the display is a player: all stems play in
    step, each with solo, mute and gain, under a cursor on their spectrograms. A click on one, or
    the slider, goes to another time. The player is one block of HTML with audio (MP3) and pictures
    (PNG) in it, and uses no network.

    The display holds an excerpt of the track, 30 seconds by default: where the voice has the most
    energy.

    Parameters
    ----------
    mixture : array of float, shape (n_samples,) or (n_samples, n_channels)
    estimates : array of float, shape (n_estimates, n_samples[, n_channels])
    sample_rate : int
        In Hz.
    source_names : sequence of str
        One for each estimate.
    sources : array of float, shape (n_estimates, n_samples[, n_channels]), optional
        The true sources.
    start : float, default=0.0
        Where in the track the excerpt begins, in seconds.
    name : str, default="track"
    alternatives : bool, default=False
        Whether the estimates are alternatives of one another, such as one voice by several
        separators: then only the first sounds at first in the player.

    Attributes
    ----------
    windows_ : list of (float, float)
        From where to where each score is measured, in seconds from the beginning of the excerpt.
        Empty without true sources.
    scores_ : array of float64, shape (n_estimates, n_windows)
        SDR in dB as protocol "musdb18" measures it (BSS Eval version 4, windows of 1 s), in the
        excerpt alone; NaN where a source is silent.
    axes_ : dict of str to matplotlib.axes.Axes
        After :meth:`plot`, by what they show, such as "mixture", "estimate 0", "source 0",
        "mask 0", "waveform 0" and "scores 0".
    figure_ : matplotlib.figure.Figure
        After :meth:`plot`.

    Examples
    --------
    >>> from sksvs.datasets import make_singing_mixtures
    >>> X, y = make_singing_mixtures(n_tracks=1, duration=2.0, random_state=0)
    >>> display = SeparationDisplay.from_estimates(X[0], y[0], sources=y[0], sample_rate=16000)
    >>> display.scores_.shape, "<button" in display._repr_html_()
    ((2, 2), True)
    """

    def __init__(
        self,
        mixture: np.ndarray,
        estimates: np.ndarray,
        *,
        sample_rate: int,
        source_names: Sequence[str],
        sources: np.ndarray | None = None,
        start: float = 0.0,
        name: str = "track",
        alternatives: bool = False,
    ):
        self.mixture = mixture
        self.estimates = estimates
        self.sample_rate = sample_rate
        self.source_names = source_names
        self.sources = sources
        self.start = start
        self.name = name
        self.alternatives = alternatives
        self.windows_, self.scores_ = self._score()

    @classmethod
    def from_estimator(
        cls,
        separator: Predictor,
        X: Sequence[Any],
        y: Truth | None = None,
        *,
        start: float | None = None,
        duration: float | None = DURATION,
        sample_rate: int | None = None,
    ) -> Self:
        """Separate a track and show it.

        Parameters
        ----------
        separator : fitted separator, Pipeline that ends in one, or search over either
        X : list of one mixture
            As for the `predict` of the separator.
        y : list of one array or Sources, optional
            The true sources of the mixture, the voice first.
        start : float, optional
            Where the excerpt begins, in seconds; by default where the estimate of the first source
            has the most energy. The whole track is separated in any case.
        duration : float or None, default=30.0
            Of the excerpt, in seconds; None: to the end of the track.
        sample_rate : int, optional
            In Hz, for a mixture that does not know its own. By default that which the separator
            assumes.

        Returns
        -------
        SeparationDisplay

        Raises
        ------
        ValueError, TypeError
            If X does not hold one mixture, its sample rate is not known, or it is not usable.
        """
        separator = getattr(separator, "best_estimator_", separator)
        mixture, x = _one_track(X, sample_rate)
        if isinstance(separator, Pipeline):
            (x,), separator = separator[:-1].transform([x]), separator[-1]
        estimates = separator.predict([x])[0]
        settings = getattr(x, "params", None), getattr(separator, "stft_params_", None)
        rates = (getattr(params, "sample_rate", None) for params in settings)
        sample_rate = mixture.sample_rate or next(filter(None, rates), None)
        names = getattr(separator, "source_names_", default_source_names(len(estimates)))
        return cls.from_estimates(
            mixture,
            estimates,
            sources=None if y is None else y[0],
            sample_rate=sample_rate,
            source_names=names,
            start=start,
            duration=duration,
        )

    @classmethod
    def from_estimates(
        cls,
        mixture: np.ndarray | Waveform,
        estimates: np.ndarray | Sources | Sequence[Waveform],
        *,
        sources: np.ndarray | Sources | Sequence[Waveform] | None = None,
        sample_rate: int | None = None,
        source_names: Sequence[str] | None = None,
        start: float | None = None,
        duration: float | None = DURATION,
        alternatives: bool = False,
    ) -> Self:
        """Show estimates that are there already.

        Parameters
        ----------
        mixture : array or Waveform, shape (n_samples,) or (n_samples, n_channels)
            Lazy waveforms are read a block at a time, and only the excerpt is kept.
        estimates : array, Sources or list of Waveform, each (n_samples,) or (n_samples, n_channels)
            One or more, the voice first. If they are mono, the downmix of the mixture and of the
            sources is shown.
        sources : array, Sources or list of Waveform, optional
            The true sources, one for each estimate.
        sample_rate : int, optional
            In Hz, for a mixture that does not know its own.
        source_names : sequence of str, optional
            By default "vocals" and "accompaniment".
        start, duration : float or None
            As in :meth:`from_estimator`.
        alternatives : bool, default=False
            Whether the estimates are alternatives of one another, such as one voice by several
            separators, with a name each: then only the first sounds at first in the player.

        Returns
        -------
        SeparationDisplay

        Raises
        ------
        ValueError, TypeError
            If the shapes do not match, or the sample rate is not known.
        """
        (mixture,) = check_mixtures([mixture])
        sample_rate = mixture.sample_rate or sample_rate
        if sample_rate is None:
            raise ValueError(f"{mixture.name} has no known sample rate. Give sample_rate=, in Hz.")
        estimates = check_mixtures(list(estimates))
        default = default_source_names(max(2, len(estimates)))[: len(estimates)]
        names = tuple(source_names or getattr(sources, "source_names", None) or default)
        if all(estimate.ndim == 1 for estimate in estimates):
            mixture = mixture.to_mono()
        _check_grid(estimates, mixture, "estimates")
        if sources is not None:
            sources = check_mixtures(list(sources))
            sources = [s.to_mono() if mixture.ndim == 1 else s for s in sources]
            _check_grid(sources, mixture, "sources", len(estimates))
        if len(names) != len(estimates):
            raise ValueError(
                f"source_names must have a name for each of the {len(estimates)} estimates; got "
                f"{names}."
            )
        first, stop = choose_excerpt(estimates[0], sample_rate, start, duration)
        return cls(
            mixture[first:stop],
            np.stack([estimate[first:stop] for estimate in estimates]),
            sample_rate=sample_rate,
            source_names=names,
            sources=None if sources is None else np.stack([s[first:stop] for s in sources]),
            start=first / sample_rate,
            name=mixture.name,
            alternatives=alternatives,
        )

    def plot(self, ax: "Axes | None" = None) -> Self:
        """Draw a column for the mixture and one for each source, on one time axis.

        The rows are spectrograms of the estimates and, if they are given, of the true sources (mel
        scale, one colour scale in dB for all), the masks (the magnitude of the estimate over that
        of the mixture), the waveforms and, with true sources, the SDR by window.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            As `matplotlib.pyplot.subplots` makes them; replaced by a grid of axes in its place. By
            default a new figure.

        Returns
        -------
        SeparationDisplay
            This one, with `axes_` and `figure_`.
        """
        self.axes_ = draw_separation(self, ax)
        self.figure_ = self.axes_["mixture"].figure
        return self

    def _repr_html_(self):
        """Return the player, in which the estimates sound at first, of alternatives the first."""
        stems = [Stem("mixture", self.mixture, muted=True)]
        for i, (name, estimate) in enumerate(zip(self.source_names, self.estimates)):
            scores = None if self.sources is None else self.scores_[i]
            muted = self.alternatives and i > 0
            stems.append(Stem(name, estimate, muted=muted, scores=scores))
        for name, source in zip(self.source_names, () if self.sources is None else self.sources):
            stems.append(Stem(f"{name}, true", source, muted=True))
        return render_player(self.name, stems, self.sample_rate, self.start, self.windows_)

    def _score(self):
        """Return the windows and the scores of the estimates in them."""
        if self.sources is None:
            return [], np.empty((len(self.estimates), 0))
        protocol, n_samples = get_protocol(PROTOCOL), len(self.mixture)
        ranges = protocol.ranges(n_samples, self.sample_rate, self.name)
        windows = [tuple(sample / self.sample_rate for sample in r) for r in ranges]
        parts = self.sources, self.estimates
        score = score_track(self.name, *parts, protocol, sample_rate=self.sample_rate)
        scores = score.windows["sdr"][: len(self.estimates)]
        return windows, np.broadcast_to(scores, (len(self.estimates), len(windows)))


def _one_track(X, sample_rate):
    """Return the waveform of the only track of a list, and what the separator takes."""
    waveforms = [x.waveform if isinstance(x, Spectrogram) else x for x in X]
    mixtures = assume_rate(check_mixtures(waveforms), sample_rate)
    if len(mixtures) != 1:
        raise ValueError(
            f"X must hold one track, which is shown; got {len(mixtures)}. Pass X[:1] and y[:1]."
        )
    return mixtures[0], X[0] if isinstance(X[0], Spectrogram) else mixtures[0]


def _check_grid(waveforms, mixture, called, count=None):
    """Raise a ValueError if waveforms are not as many as needed, or not like the mixture."""
    if count is not None and len(waveforms) != count:
        raise ValueError(
            f"{called} must have one for each of the {count} estimates; got {len(waveforms)}."
        )
    for i, waveform in enumerate(waveforms):
        if waveform.shape != mixture.shape:
            raise ValueError(
                f"{called}[{i}] must have the shape of the mixture, {mixture.shape}; got "
                f"{waveform.shape}."
            )
