"""Print how much BSS Eval scores change when zeros are appended to ill-conditioned references.

    python benchmarks/ill_conditioned_references.py

Zeros at the end of all signals change nothing but rounding, so the change shows how many digits of
a score are reliable. The references pass a steep lowpass, like those of lossy codecs, with less and
less noise above it: the condition number of their Gram matrix grows from line to line.
"""

import warnings

import numpy as np
import scipy.linalg
import scipy.signal
from mir_eval import separation

from sksvs.metrics import bss_eval_sources

N_SAMPLES, N_TAPS = 20001, 512


def condition(references):
    """Return the condition number of the Gram matrix of the delayed references."""
    padded = np.pad(references, ((0, 0), (0, N_TAPS - 1)))
    delayed = [scipy.linalg.toeplitz(reference, np.zeros(N_TAPS)) for reference in padded]
    values = scipy.linalg.svdvals(np.concatenate(delayed, axis=1))
    return (values[0] / values[-1]) ** 2


def ask_mir_eval(references, estimates):
    """Return the scores of mir_eval, without its deprecation warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return separation.bss_eval_sources(references, estimates, False)


def main():
    """Print a line for each level of noise."""
    rng = np.random.default_rng(0)
    lowpass = scipy.signal.butter(8, 0.3, output="sos")
    print("largest change by zeros, and distance, in dB")
    print(f"{'condition':>10}{'mir_eval':>10}{'here':>10}{'apart':>10}")
    for floor in (1e-2, 1e-3, 1e-5, 1e-7, 1e-9):
        noises = rng.standard_normal((3, 2, N_SAMPLES))
        dull, artifacts = scipy.signal.sosfilt(lowpass, noises[:2])
        references = dull + floor * noises[2]
        estimates = references + 0.1 * references[::-1] + 0.05 * artifacts
        longer = [np.pad(x, ((0, 0), (0, 20000))) for x in (references, estimates)]
        theirs, ours = (
            [np.array(evaluate(*pair)[:3]) for pair in ((references, estimates), longer)]
            for evaluate in (ask_mir_eval, bss_eval_sources)
        )
        changes = [np.abs(plain - padded).max() for plain, padded in (theirs, ours)]
        apart = np.abs(ours[0] - theirs[0]).max()
        row = condition(references), *changes, apart
        print("".join(f"{value:>10.0e}" for value in row))


if __name__ == "__main__":
    main()
