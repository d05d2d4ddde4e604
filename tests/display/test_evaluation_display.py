import numpy as np
import pytest

from sksvs.metrics import PROTOCOLS, Evaluation, SeparationScore, TrackScore

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


NAMES = "vocals", "drums"


def score(sdr):
    values = [{"sdr": [x, -x], "sir": [x + 1, 0], "sar": [x + 2, 0]} for x in sdr]
    return SeparationScore([TrackScore(f"{i}", 1, v, {}) for i, v in enumerate(values)])


def evaluation(**others):
    scores = {"estimate": score([1.0, 5.0, 3.0]), **others}
    return Evaluation(scores, PROTOCOLS["whole_tracks"], ["a", "b", "c"], [1] * 3, NAMES)


def heights(ax, style):
    return [line.get_ydata()[0] for line in ax.get_lines() if line.get_linestyle() == style]


def test_every_track_is_a_point_and_bounds_are_lines():
    found = evaluation(mixture=score([-1.0, -1.0, -4.0]), oracle=score([9.0, 9.0, 9.0]))
    display = found.plot()
    points = [line for line in display.ax_.get_lines() if line.get_marker() == "."]
    assert [sorted(p.get_ydata()) for p in points] == [[1, 3, 5], [2, 4, 6], [3, 5, 7]]
    assert heights(display.ax_, "--") == [-2, -1]  # SDR and SIR: a mixture has no artifacts
    assert heights(display.ax_, ":") == [9, 10, 11]
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == ["SDR", "SIR", "SAR"]
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["mixture", "oracle"]


def test_another_source_on_given_axes_without_bounds():
    figure, ax = pyplot.subplots()
    display = evaluation().plot(ax, source=1)
    assert (display.ax_, display.figure_) == (ax, figure)
    points = [line for line in ax.get_lines() if line.get_marker() == "."]
    assert sorted(points[0].get_ydata()) == [-5, -3, -1]
    assert ax.get_legend() is None
    assert ax.get_title() == "Scores of drums, 3 tracks"


def test_tracks_without_scores_are_left_out():
    found = evaluation(estimate=score([1.0, np.nan, 3.0]))
    points = [line for line in found.plot().ax_.get_lines() if line.get_marker() == "."]
    assert sorted(points[0].get_ydata()) == [1, 3]
    evaluation(estimate=score([np.nan] * 3)).plot().figure_.canvas.draw()
