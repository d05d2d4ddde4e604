"""Protocols of published evaluations: the metrics, the windows, and the reduction to one row."""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sksvs.metrics.bss_eval.comparison import window_ranges
from sksvs.metrics.bss_eval.decomposition import Variant

OTHER_METRICS = ("usdr", "log_wmse")  # than those of BSS Eval


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
    variant : Variant or None
        The variant of BSS Eval. Sources are scored on the downmix, images on the channels of the
        estimates. None: no metric is one of BSS Eval; scored on the channels of the estimates.
    metrics : tuple of str
        The scores, the main one first: "sdr", "isr" (images only), "sir", "sar", "nsdr" (sources
        and images) of BSS Eval; "usdr" (:func:`usdr`) and "log_wmse" (:func:`log_wmse`).
    over_tracks : {"mean", "weighted_mean", "median"}
        How the scores of the tracks are reduced; the weights are the lengths of the tracks.
    window, hop : float or None
        In seconds. Without a window, the whole track is the only one; the hop is by default
        that long.
    over_windows : {"mean", "median"}
        How the scores of the windows of a track are reduced, those that are not NaN.
    permutation : bool
        Whether BSS Eval orders the estimates so that the mean SIR is largest, in every window.

    Raises
    ------
    ValueError
        If a metric is not one that the variant has.
    """

    name: str
    source: str
    variant: Variant | None
    metrics: tuple[str, ...]
    over_tracks: str
    window: float | None = None
    hop: float | None = None
    over_windows: str = "mean"
    permutation: bool = False

    def __post_init__(self):
        """Refuse metrics that cannot be computed."""
        known = (*self.variant.metrics, "nsdr") if self.variant else ()
        known = (*known, *OTHER_METRICS)
        unknown = [metric for metric in self.metrics if metric not in known]
        if unknown or not self.metrics:
            raise ValueError(
                f"metrics of protocol {self.name!r} must be one or more of "
                f"{', '.join(map(repr, known))} for {self.method}; got {self.metrics!r}."
            )

    @property
    def images(self) -> bool:
        """Whether the channels of the estimates are scored, and not their downmix."""
        return self.variant is None or self.variant.images

    @property
    def method(self) -> str:
        """The variant of BSS Eval in words."""
        return "no BSS Eval" if self.variant is None else str(self.variant)

    def ranges(self, n_samples: int, sample_rate: int | None, name: str) -> list[tuple[int, int]]:
        """Return the windows of a track: a list of (start, stop) in samples.

        Parameters
        ----------
        n_samples : int
        sample_rate : int or None
            In Hz.
        name : str
            The name of the track in errors.
        """
        if sample_rate is None and (self.window or "log_wmse" in self.metrics):
            needs = f"has windows of {self.window:g} s" if self.window else "weighs frequencies"
            raise ValueError(
                f"{name} has no known sample rate, and protocol {self.name!r} {needs}. Give "
                "evaluate(..., sample_rate=...)."
            )
        if self.window is None or sample_rate is None:
            return [(0, n_samples)]
        window, hop = (round(s * sample_rate) for s in (self.window, self.hop or self.window))
        return window_ranges(n_samples, window, hop, self.variant or Variant(True, False))

    def reduce_windows(self, scores: np.ndarray) -> np.ndarray:
        """Return (n_sources,) from scores of (n_sources, n_windows), some of them NaN."""
        reduce: Any = {"mean": np.nanmean, "median": np.nanmedian}[self.over_windows]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all windows are NaN
            return reduce(scores, axis=-1)

    def reduce_tracks(self, scores: np.ndarray, n_samples: np.ndarray) -> float:
        """Return one score from those of tracks, (n_tracks,), and the tracks' lengths."""
        if self.over_tracks == "median":
            return np.median(scores)
        weights = n_samples if self.over_tracks == "weighted_mean" else None
        return np.average(scores, weights=weights)


_MUSDB18 = Protocol(
    "musdb18",
    "F.-R. Stöter, A. Liutkus and N. Ito, 'The 2018 signal separation evaluation campaign', "
    "LVA/ICA 2018: median over tracks of the median over windows of 1 s",
    Variant(images=True, framewise_filters=False),
    ("sdr", "isr", "sir", "sar"),
    "median",
    window=1.0,
    hop=1.0,
    over_windows="median",
)
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
            "park2018",
            "S. Park et al., 'Music source separation using stacked hourglass networks', ISMIR "
            "2018: as huang2014, estimates in their best order, clips at their natural levels",
            Variant(images=False),
            ("nsdr", "sir", "sar"),
            "weighted_mean",
            permutation=True,
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
        _MUSDB18,
        replace(
            _MUSDB18,
            name="csdr",
            source="Y. Luo and J. Yu, 'Music source separation with band-split RNN', IEEE/ACM "
            "TASLP 31, 2023: cSDR, another name for the protocol musdb18",
        ),
        Protocol(
            "mdx",
            "Y. Mitsufuji et al., 'Music Demixing Challenge 2021', Frontiers in Signal Processing "
            "1, 2022: uSDR, mean over songs",
            None,
            ("usdr",),
            "mean",
        ),
        Protocol(
            "log_wmse",
            "I. Jordal, 'logWMSE', 2023: error weighted by frequency and relative to the mixture, "
            "mean over songs; silent sources count",
            None,
            ("log_wmse",),
            "mean",
        ),
    )
}


def get_protocol(protocol: str | Protocol) -> Protocol:
    """Return the protocol of a name, or a `Protocol` as it is."""
    if isinstance(protocol, Protocol):
        return protocol
    if protocol not in PROTOCOLS:
        known = ", ".join(map(repr, PROTOCOLS))
        raise ValueError(f"protocol must be one of {known}, or a Protocol; got {protocol!r}.")
    return PROTOCOLS[protocol]
