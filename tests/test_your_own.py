"""The code of the page on one's own loss and network runs, in its order."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "your_own.rst"


@pytest.mark.slow
def test_the_code_runs_from_top_to_bottom(capsys):
    blocks = re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", PAGE.read_text())
    assert len(blocks) == 2
    code = "".join(map(dedent, blocks))
    exec(compile(code, str(PAGE), "exec"), {"__name__": "your_own"})
    assert capsys.readouterr().out.splitlines() == [
        "WaveformLoss(your_own.error_ratio) True",
        "SpectrumLoss(your_own.compressed_error) True",
        "si_sdr True",
        "(2, 64000)",
    ]
