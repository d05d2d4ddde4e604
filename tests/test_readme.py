"""The code in the README runs, in its order."""

import re
from pathlib import Path

import pytest

from sksvs.audio import write
from tests.strategies import seeded_noise

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_the_code_runs_from_top_to_bottom(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    write("song.flac", seeded_noise((16000, 2), seed=0, scale=0.1), 16000)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert len(blocks) == 5
    code = "\n".join(blocks)
    small = {"n_tracks=12": "n_tracks=12, duration=1.0", "max_iter=20": "max_iter=1"}
    for written, tiny in small.items():
        assert code.count(written) == 1
        code = code.replace(written, tiny)
    exec(compile(code, str(README), "exec"), {})
    assert capsys.readouterr().out.startswith("SeparationScore(sdr=")
    names = sorted(path.name for path in Path("separated/song").iterdir())
    assert names == ["accompaniment.flac", "vocals.flac"]
