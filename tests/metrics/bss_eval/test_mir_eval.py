import sys

import numpy as np
import pytest

from sksvs.metrics import bss_eval_images, bss_eval_sources
from tests.strategies import seeded_noise


@pytest.mark.slow
def test_both_backends_give_the_same_figures():
    references = seeded_noise((2, 3000, 2), seed=1)
    estimates = references + 0.2 * references[::-1] + 0.05 * seeded_noise((2, 3000, 2), seed=2)
    references[0, :1000] = 0
    estimates[1, 2000:] = 0
    for function, r, e in (
        (bss_eval_images, references, estimates),
        (bss_eval_sources, references[..., 0], estimates[..., 0]),
    ):
        for permutation in (False, True):
            ours = function(r, e, 1000, permutation=permutation)
            theirs = function(r, e, 1000, permutation=permutation, backend="mir_eval")
            for mine, other in zip(ours, theirs):
                # Beyond 80 dB there is rounding, which mir_eval does not cut off.
                mine, other = np.clip([mine, other], -80, 80)
                np.testing.assert_allclose(mine, other, atol=1e-6)


def test_without_mir_eval_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mir_eval.separation", None)
    monkeypatch.setattr("sksvs.metrics.bss_eval.mir_eval.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'mir_eval<0\.9'"):
        bss_eval_sources(np.eye(2, 1000), np.eye(2, 1000), backend="mir_eval")
