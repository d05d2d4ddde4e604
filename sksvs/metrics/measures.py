"""Compute the metrics of a protocol in every window of a track, and say which silence forbids."""

import numpy as np

from sksvs.metrics.bss_eval.comparison import MAX_DB, measure_track
from sksvs.metrics.bss_eval.signals import signal_energy
from sksvs.metrics.energy_ratio import usdr
from sksvs.metrics.protocols import OTHER_METRICS
from sksvs.metrics.weighted_error import log_wmse


def measure(references, estimates, ranges, protocol, mixture=None, sample_rate=None):
    """Return the scores of a track by metric: each (n_sources, n_windows), within ±100.

    Parameters
    ----------
    references, estimates : array of float, shape (n_sources, n_samples[, n_channels])
    ranges : list of (start, stop)
        The windows, in samples.
    protocol : Protocol
    mixture : array of float, shape (n_samples[, n_channels]), optional
        Needed for "nsdr" and "log_wmse".
    sample_rate : int, optional
        In Hz, needed for "log_wmse".
    """
    found = {}
    if set(protocol.metrics) - set(OTHER_METRICS):
        compared = mixture if "nsdr" in protocol.metrics else None
        found = measure_track(
            references, estimates, ranges, protocol.variant, compared, protocol.permutation
        )
    for metric in set(protocol.metrics) & set(OTHER_METRICS):
        by_window = []
        for start, stop in ranges:
            window = references[:, start:stop], estimates[:, start:stop]
            if metric == "log_wmse":
                by_window.append(log_wmse(*window, mixture[start:stop], sample_rate))
            else:
                by_window.append(usdr(*window))
        found[metric] = np.stack(by_window, axis=-1)
    return {metric: np.clip(found[metric], -MAX_DB, MAX_DB) for metric in protocol.metrics}


def definable(metric, references, ranges, mixture=None):
    """Return where a metric is defined for good estimates: bool, (n_sources, n_windows).

    BSS Eval is undefined for all sources where a reference is silent, uSDR for the silent one, and
    log-WMSE only where the mixture is silent.

    Parameters
    ----------
    metric : str
    references : array of float, shape (n_sources, n_samples[, n_channels])
    ranges : list of (start, stop)
        The windows, in samples.
    mixture : array of float, shape (n_samples[, n_channels]), optional
        Needed for "log_wmse".
    """
    signals = [mixture] if metric == "log_wmse" else references
    sounding = [[signal_energy(signal[a:b]) > 0 for a, b in ranges] for signal in signals]
    if metric != "usdr":
        sounding = np.all(sounding, axis=0)
    return np.broadcast_to(sounding, (len(references), len(ranges)))
