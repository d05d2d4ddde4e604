"""Fit on one singer of MIR-1K and score another, beside the mixture and the ideal mask.

    python benchmarks/mir1k_unseen_singer.py --data <folder of MIR-1K>

Prints the mean over the clips of voice SDR, SIR and SAR (BSS Eval version 3) and of NSDR.
"""

import argparse
import time

import numpy as np
from sklearn.pipeline import make_pipeline

from sksvs.datasets import load_mir1k
from sksvs.estimators import GRUMaskSeparator, IdealMaskOracle, MixtureBaseline, report_network
from sksvs.transforms import IRMTarget, STFTTransformer


def main():
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of MIR-1K")
    parser.add_argument("--fit-on", default="abjones", help="singer to learn from")
    parser.add_argument("--score-on", default="amy", help="singer to score")
    arguments = parser.parse_args()

    clips = [load_mir1k(arguments.data, subset) for subset in ("train", "dev")]
    X = [x for subset in clips for x in subset.X]
    y = [sources for subset in clips for sources in subset.y]
    singers = np.array([singer for subset in clips for singer in subset.groups])
    learnt = np.flatnonzero(singers == arguments.fit_on)
    scored = np.flatnonzero(singers == arguments.score_on)
    print(
        f"Fitted on {len(learnt)} clips of {arguments.fit_on}, scored on {len(scored)} clips of "
        f"{arguments.score_on}, 0 dB; voice, dB, BSS Eval version 3."
    )
    print(f"{'separator':<34}{'SDR':>7}{'SIR':>7}{'SAR':>7}{'NSDR':>7}{'fit, s':>8}")
    mixture_sdr = None
    for name, last in (
        ("mixture", MixtureBaseline()),
        ("report's network (a)", report_network("a", random_state=0)),
        ("GRUMaskSeparator() by default", GRUMaskSeparator(random_state=0)),
        ("ideal ratio mask", IdealMaskOracle()),
    ):
        separator = make_pipeline(STFTTransformer(), IRMTarget(), last)
        started = time.monotonic()
        separator.fit([X[i] for i in learnt], [y[i] for i in learnt])
        seconds = time.monotonic() - started
        score = separator.score([X[i] for i in scored], [y[i] for i in scored])
        mixture_sdr = score.sdr if mixture_sdr is None else mixture_sdr
        nsdr = score.sdr - mixture_sdr
        print(
            f"{name:<34}{score.sdr:>7.2f}{score.sir:>7.2f}{score.sar:>7.2f}{nsdr:>7.2f}"
            f"{seconds:>8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
