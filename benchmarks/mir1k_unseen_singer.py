"""Train on one singer of MIR-1K and score the other, beside the mixture and the ideal mask.

    python benchmarks/mir1k_unseen_singer.py --data <folder of MIR-1K>

Prints the mean over the clips of voice SDR, SIR and SAR (BSS Eval version 3) and of NSDR.
"""

import argparse
import time

from mir1k import make_folds
from sklearn.pipeline import make_pipeline

from sksvs.estimators import GRUMaskSeparator, IdealMaskOracle, MixtureBaseline, report_network
from sksvs.transforms import STFTTransformer

SINGERS = ("abjones", "amy")


def main():
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of MIR-1K")
    parser.add_argument("--fit-on", default="abjones", choices=SINGERS, help="singer to train on")
    arguments = parser.parse_args()

    folds = make_folds(arguments.data, "holdout")
    (fold,) = (fold for fold in folds if fold.name.startswith(f"{arguments.fit_on} to "))
    print(
        f"{fold.name}: fitted on {len(fold.training[0])} clips, scored on {len(fold.scored[0])}, "
        "0 dB; voice, dB, BSS Eval version 3."
    )
    print(f"{'separator':<34}{'SDR':>7}{'SIR':>7}{'SAR':>7}{'NSDR':>7}{'fit, s':>8}")
    mixture_sdr = None
    for name, last in (
        ("mixture", MixtureBaseline()),
        ("report's network (a)", report_network("a", random_state=0)),
        ("GRUMaskSeparator() by default", GRUMaskSeparator(random_state=0)),
        ("ideal ratio mask", IdealMaskOracle()),
    ):
        separator = make_pipeline(STFTTransformer(), last)
        started = time.monotonic()
        separator.fit(*fold.training)
        seconds = time.monotonic() - started
        score = separator.score(*fold.scored)
        mixture_sdr = score.sdr if mixture_sdr is None else mixture_sdr
        nsdr = score.sdr - mixture_sdr
        print(
            f"{name:<34}{score.sdr:>7.2f}{score.sir:>7.2f}{score.sar:>7.2f}{nsdr:>7.2f}"
            f"{seconds:>8.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
