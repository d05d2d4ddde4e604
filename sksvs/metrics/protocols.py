"""Protocols of published evaluations: the metrics, the windows, and the reduction to one row."""

import warnings
from dataclasses import dataclass

import numpy as np

from sksvs.metrics.bss_eval.comparison import window_ranges
from sksvs.metrics.bss_eval.decomposition import Variant


@dataclass(frozen=True)
class Protocol:
    """How tracks are scored, and how the scores of many become one row.

    Make a variant of one with `dataclasses.replace`: ``replace(PROTOCOLS["huang2014"],
    name="huang2014, version 2", variant=Variant(images=False, filter_length=1))``.

    Parameters
    ----------
    name : str
    source : str
        The publication.
    variant : Variant
        The variant of BSS Eval. Sources are scored on the downmix, images on the channels of the
        estimates.
    metrics : tuple of str
        The scores, the main one first: "sdr", "isr" (images only), "sir", "sar", "nsdr".
    over_tracks : {"mean", "weighted_mean", "median"}
        How the scores of the tracks are reduced; the weights are the lengths of the tracks.
    window, hop : float or None
        In seconds; None: the whole track is the only window.
    over_windows : {"mean", "median"}
        How the scores of the windows of a track are reduced, those that are not NaN.
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
            The name of the track in errors.
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

    def reduce_windows(self, scores):
        """Return (n_sources,) from scores of (n_sources, n_windows), some of them NaN."""
        reduce = {"mean": np.nanmean, "median": np.nanmedian}[self.over_windows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all windows are NaN
            return reduce(scores, axis=-1)

    def reduce_tracks(self, scores, n_samples):
        """Return (n_sources,) from scores of (n_sources, n_tracks) and the tracks' lengths."""
        if self.over_tracks == "median":
            return np.median(scores, axis=-1)
        weights = n_samples if self.over_tracks == "weighted_mean" else None
        return np.average(scores, axis=-1, weights=weights)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "whole_tracks",
            "the mean over tracks, as `score` computes it",
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
    """Return the protocol of a name, or a `Protocol` as it is."""
    if isinstance(protocol, Protocol):
        return protocol
    if protocol not in PROTOCOLS:
        known = ", ".join(map(repr, PROTOCOLS))
        raise ValueError(f"protocol must be one of {known}, or a Protocol; got {protocol!r}.")
    return PROTOCOLS[protocol]
