"""The page on a separator of one's own has code that runs and a complete table of laws."""

import re
import runpy
from inspect import getdoc
from pathlib import Path
from textwrap import dedent

import pytest

from sksvs.testing import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "your_own_separator.rst").read_text()


@pytest.mark.slow
def test_the_code_runs_and_its_separator_keeps_the_laws(tmp_path):
    blocks = re.findall(r"code-block:: python\n\n(.*?)\n(?=\S)", PAGE, flags=re.DOTALL)
    assert len(blocks) == 4
    (tmp_path / "page.py").write_text("\n".join(map(dedent, blocks)))
    names = runpy.run_path(str(tmp_path / "page.py"), run_name="__main__")
    assert {result["status"] for result in names["results"]} == {"passed", "skipped"}
    assert sum(r["status"] == "xfail" for r in names["of_the_mixture"]) == len(names["reasons"])


def test_the_table_has_every_law_in_its_words():
    rows = re.findall(r"^   \* - ``(check_\w+)``\n     - (.*)$", PAGE, flags=re.MULTILINE)
    laws = {name: getdoc(check).split("\n")[0].replace("``", "`") for name, check in CHECKS.items()}
    assert {name: law.replace("``", "`") for name, law in rows} == laws
    assert [name for name, _ in rows] == list(CHECKS)
