"""The protocols by which the field compares: which figures, in which windows, reduced how."""

import warnings
from dataclasses import dataclass

import numpy as np

from sksvs.metrics.bss_eval.comparison import window_ranges
from sksvs.metrics.bss_eval.decomposition import Variant


@dataclass(frozen=True)
class Protocol:
    """How the figures of many tracks become one row.

    Make a variation with `dataclasses.replace`: ``replace(PROTOCOLS["huang2014"],
    name="huang2014, version 2", variant=Variant(images=False, filter_length=1))``.

    Parameters
    ----------
    name : str
    source : str
        Where it has been published.
    variant : Variant
        Which BSS Eval. Sources are scored on the mean of the channels, images with the channels
        that the estimates have.
    metrics : tuple of str
        The figures, the one to quote first: "sdr", "isr" (images only), "sir", "sar", "nsdr".
    window, hop : float or None
        In seconds; None: the whole track at once.
    over_windows : {"mean", "median"}
        Of the windows of a track that have figures.
    over_tracks : {"mean", "weighted_mean", "median"}
        Weights are the lengths of the tracks.
    """

    name: str
    source: str
    variant: Variant
    metrics: tuple[str, ...]
    over_tracks: str
    window: float | None = None
    hop: float | None = None
    over_windows: str = "mean"

    def ranges(self, n_samples, sample_rate, name):
        """Return the windows of a track: a list of (start, stop) in samples.

        Parameters
        ----------
        n_samples : int
        sample_rate : int or None
            In Hz.
        name : str
            What errors call the track.
        """
        if self.window is None:
            return [(0, n_samples)]
        if sample_rate is None:
            raise ValueError(
                f"{name} has no known sample rate, and protocol {self.name!r} has windows of "
                f"{self.window:g} s. Give evaluate(..., sample_rate=...)."
            )
        window, hop = (round(seconds * sample_rate) for seconds in (self.window, self.hop))
        return window_ranges(n_samples, window, hop, self.variant)

    def reduce_windows(self, figures):
        """Return (n_sources,) from figures of (n_sources, n_windows), some of them NaN."""
        reduce = {"mean": np.nanmean, "median": np.nanmedian}[self.over_windows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # no window has a figure: NaN
            return reduce(figures, axis=-1)

    def reduce_tracks(self, figures, n_samples):
        """Return (n_sources,) from figures of (n_sources, n_tracks) and the tracks' lengths."""
        if self.over_tracks == "median":
            return np.median(figures, axis=-1)
        weights = n_samples if self.over_tracks == "weighted_mean" else None
        return np.average(figures, axis=-1, weights=weights)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "whole_tracks",
            "the mean over tracks, as cross_val_score takes it over folds: what `score` computes",
            Variant(images=False),
            ("sdr", "sir", "sar"),
            "mean",
        ),
        Protocol(
            "huang2014",
            "P.-S. Huang et al., ISMIR 2014, section 4.2: GNSDR, GSIR and GSAR, means weighted by "
            "the lengths of the clips",
            Variant(images=False),
            ("nsdr", "sir", "sar"),
            "weighted_mean",
        ),
        Protocol(
            "sisec2016",
            "A. Liutkus et al., 'The 2016 signal separation evaluation campaign', LVA/ICA 2017: "
            "median over tracks of the mean over windows of 30 s, 15 s apart",
            Variant(images=True),
            ("sdr", "isr", "sir", "sar"),
            "median",
            window=30.0,
            hop=15.0,
        ),
        Protocol(
            "musdb18",
            "F.-R. Stöter, A. Liutkus and N. Ito, 'The 2018 signal separation evaluation "
            "campaign', LVA/ICA 2018: median over tracks of the median over windows of 1 s",
            Variant(images=True, framewise_filters=False),
            ("sdr", "isr", "sir", "sar"),
            "median",
            window=1.0,
            hop=1.0,
            over_windows="median",
        ),
    )
}


def get_protocol(protocol):
    """Return a protocol by its name, or as it is.

    Parameters
    ----------
    protocol : str or Protocol
    """
    if isinstance(protocol, Protocol):
        return protocol
    if protocol not in PROTOCOLS:
        known = ", ".join(map(repr, PROTOCOLS))
        raise ValueError(f"protocol must be one of {known}, or a Protocol; got {protocol!r}.")
    return PROTOCOLS[protocol]
