import pytest

from sksvs.audio import ArrayWaveform
from sksvs.display import write_evaluation_report
from sksvs.estimators import IdealMaskOracle, MixtureBaseline
from sksvs.metrics import evaluate
from tests.display.conftest import Elements
from tests.separation.conftest import tiny_pipeline
from tests.strategies import SAMPLE_RATE, tiny_tracks

pytest.importorskip("matplotlib")


def test_the_table_the_distribution_and_the_worst_tracks(tmp_path):
    pipeline = tiny_pipeline(last=MixtureBaseline())
    X, y = tiny_tracks(5, duration=1.0)
    X = [ArrayWaveform(x, SAMPLE_RATE) for x in X]
    names = [f"song <{i}>" for i in range(5)]
    found = evaluate(pipeline, X, y, names=names, mixture=True, oracle=IdealMaskOracle())
    path = tmp_path / "scores.html"
    write_evaluation_report(path, "a title", found, pipeline, X, y)
    page = Elements(path.read_text())
    (picture,) = page.of_class("picture")
    assert picture["src"].startswith("data:image/png;base64,")
    sdr = {t: float(s.sources["sdr"][0]) for t, s in zip(names, found.scores["estimate"].tracks)}
    worst = sorted(sdr, key=sdr.get)[:3]
    places = [page.text.index(f"{name}: SDR {sdr[name]:.2f}") for name in worst]
    assert places == sorted(places)
    assert len(page.of_class("sksvs-player")) == 3
    assert [tag for tag, _ in page.found].count("tr") == 1 + 5 + 1
    table = page.text[page.text.index("All tracks") :]
    for name, value in sdr.items():
        assert f"{name}0:01{value:.2f}" in table
    assert f"all (mean){found.scores['estimate'].sdr:.2f}" in table
    assert f"{found.scores['oracle'].sar:.2f}" in table
