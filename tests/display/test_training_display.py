import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksvs.display import TrainingDisplay
from sksvs.estimators import MixtureBaseline, VotingSeparator
from sksvs.transforms import STFTTransformer
from tests.tiny_separators import analysed, tiny_separator

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def curves(ax):
    return {line.get_label(): list(line.get_ydata()) for line in ax.get_lines()}


def test_the_curves_are_those_of_the_fit(trained):
    pipeline = make_pipeline(STFTTransformer(n_fft=64, hop_length=32), trained)
    display = TrainingDisplay.from_estimator(pipeline).plot()
    assert curves(display.ax_) == {"training": trained.loss_curve_}
    assert list(display.ax_.get_lines()[0].get_xdata()) == [1, 2]
    assert display.score_ax_ is None


def test_validation_and_scores_are_drawn_too(tracks):
    separator = tiny_separator(early_stopping=True, validation_fraction=0.4)
    separator.fit(*analysed(*tracks))
    figure, ax = pyplot.subplots()
    display = TrainingDisplay.from_estimator(separator, [1.0, 2.5]).plot(ax)
    validation = separator.validation_loss_curve_
    assert len(validation) == 2
    assert curves(ax) == {"training": separator.loss_curve_, "validation": validation}
    assert curves(display.score_ax_) == {"SDR": [1.0, 2.5]}
    assert display.figure_ is figure
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training", "validation", "SDR"]
    several = {"SDR": [1.0], "SIR": [2.0, 3.0]}
    assert curves(TrainingDisplay.from_estimator(separator, several).plot().score_ax_) == several


def test_a_vote_has_the_curves_of_its_members(tracks):
    pair = [(name, tiny_separator(max_iter=1, random_state=i)) for i, name in enumerate("ab")]
    voting = VotingSeparator(pair).fit(*analysed(*tracks))
    display = TrainingDisplay.from_estimator(voting)
    one, other = (member.loss_curve_ for member in voting.estimators_)
    assert display.losses == {"a training": one, "b training": other}


def test_what_was_not_trained_has_no_curves(tracks, trained):
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(tiny_separator())
    with pytest.raises(TypeError, match="MixtureBaseline has no loss_curve_: nothing of it was"):
        TrainingDisplay.from_estimator(MixtureBaseline().fit(*analysed(*tracks)))
    with pytest.raises(ValueError, match="scores has 3 values of SDR, .* trained for 2 epochs"):
        TrainingDisplay.from_estimator(trained, [1.0, 2.0, 3.0])
