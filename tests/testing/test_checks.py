"""Every law holds for a separator that keeps it, and is broken by one that breaks it."""

import re
from inspect import getdoc

import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

import sksvs
from sksvs.estimators import MixtureBaseline
from sksvs.testing import CHECKS, check_separator, parametrize_with_checks, predictions
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.testing.broken_separators import BROKEN, LosesSome
from tests.testing.mean_mask import MeanMask

SAVED = "check_a_saved_separator_predicts_the_same"
SUM = "check_estimates_add_up_to_the_mixture"


@pytest.fixture
def few(monkeypatch):
    """Leave three checks, of which `LosesSome` breaks the second and skips the third."""
    kept = {name: CHECKS[name] for name in ("check_silence_stays_silent", SUM, SAVED)}
    monkeypatch.setattr("sksvs.testing.checks.CHECKS", kept)


def statuses(results):
    return [result["status"] for result in results]


def test_there_is_a_broken_separator_for_every_law():
    assert len(CHECKS) >= 25
    assert set(CHECKS) == {*BROKEN, SAVED}  # which no separator of other packages can break


@pytest.mark.parametrize("law", BROKEN)
def test_a_broken_separator_fails_with_the_law_and_what_was_got(law):
    separator, got = BROKEN[law]
    with pytest.raises(AssertionError) as error:
        CHECKS[law](separator)
    law_in_full, _, was_got = str(error.value).partition("\n\nGot: ")
    assert law_in_full == f"{law} fails for {type(separator).__name__}.\n\n{getdoc(CHECKS[law])}"
    assert re.search(got, f"Got: {was_got}"), was_got


def test_a_saved_model_that_predicts_something_else_is_found(monkeypatch):
    def load(path):
        loaded = sksvs.load(path)
        monkeypatch.setattr(loaded[-1], "n_sources_", 3)
        return loaded

    CHECKS[SAVED](MixtureBaseline())
    monkeypatch.setattr(predictions, "load", load)
    with pytest.raises(AssertionError, match=r"shape \(3, 4000\) in place of \(2, 4000\)"):
        CHECKS[SAVED](MixtureBaseline())


def test_a_law_says_its_usual_cause_and_is_a_sentence():
    for name, check in CHECKS.items():
        first, *rest = getdoc(check).split("\n\n")
        assert first.endswith(".") and "\n" not in first, name
        assert "Usual cause:" in " ".join(" ".join(rest).split()), name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mono", [False, True])
def test_a_separator_that_keeps_the_laws_passes(mono):
    stft = STFTTransformer(n_fft=256, hop_length=128)
    separator = make_pipeline(MonoDownmix(), stft, MeanMask()) if mono else MeanMask()
    results = check_separator(separator, on_skip=None)
    skipped = [result["check_name"] for result in results if result["status"] == "skipped"]
    of_stereo = ["check_opposite_channels_are_separated_one_by_one"]
    assert sorted(skipped) == sorted([SAVED, *(of_stereo if mono else [])])
    assert {*statuses(results)} == {"passed", "skipped"}
    assert not hasattr(separator, "n_sources_")


class OfWaveforms(BaseEstimator):
    """A separator that takes waveforms, and has no masks and no blocks."""

    def fit(self, X, y=None):
        stft = STFTTransformer(n_fft=128, hop_length=64)
        self.pipeline_ = make_pipeline(stft, MeanMask(random_state=0)).fit(X, y)
        return self

    def predict(self, X):
        check_is_fitted(self, "pipeline_")
        return self.pipeline_.predict(X)

    def score(self, X, y):
        check_is_fitted(self, "pipeline_")
        return self.pipeline_.score(X, y)


def test_a_separator_of_waveforms_needs_no_masks():
    results = check_separator(make_pipeline(OfWaveforms()), on_skip=None)
    assert {*statuses(results)} == {"passed", "skipped"}
    skipped = {result["check_name"] for result in results if result["status"] == "skipped"}
    assert skipped == {
        SAVED,
        "check_blocks_join_to_the_estimates",
        "check_iter_predict_yields_the_estimates",
        "check_masks_lie_between_zero_and_one",
        "check_masks_sum_to_one",
        "check_predict_ignores_targets",
    }


def test_the_first_failure_is_raised(few):
    with pytest.raises(AssertionError, match=f"{SUM} fails for LosesSome"):
        check_separator(LosesSome())


def test_failures_and_skips_may_be_warnings(few):
    with (
        pytest.warns(EstimatorCheckFailedWarning, match=SUM),
        pytest.warns(SkipTestWarning, match=f"{SAVED} is skipped for LosesSome"),
    ):
        results = check_separator(LosesSome(), on_fail="warn")
    assert statuses(results) == ["passed", "failed", "skipped"]
    assert results[1]["check_name"] == SUM
    assert isinstance(results[1]["exception"], AssertionError)


def test_an_expected_failure_is_none_and_has_its_reason(few):
    separator = LosesSome()
    expected = {SUM: "a tenth is lost", "check_silence_stays_silent": "it may hum"}
    results = check_separator(separator, expected_failed_checks=expected, on_skip=None)
    assert statuses(results) == ["passed", "xfail", "skipped"]
    assert results[1]["expected_to_fail_reason"] == "a tenth is lost"
    assert [result["expected_to_fail"] for result in results] == [True, True, False]
    assert all(result["estimator"] is separator for result in results)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"estimator": MeanMask}, TypeError, "as an instance; got <class"),
        ({"estimator": "gru"}, TypeError, "A separator or a Pipeline .* got 'gru'"),
        ({"on_fail": "ignore"}, ValueError, "on_fail must be one of 'raise', 'warn', None; got"),
        ({"on_skip": "raise"}, ValueError, "on_skip must be one of 'warn', None; got 'raise'"),
        (
            {"expected_failed_checks": {"check_x": "why"}},
            ValueError,
            "'check_x', which is no check",
        ),
        ({"expected_failed_checks": {SUM: ""}}, ValueError, f"must say why {SUM} fails; got ''"),
    ],
)
def test_arguments_are_checked_before_anything_is_fitted(arguments, error, message):
    with pytest.raises(error, match=message):
        check_separator(**{"estimator": MeanMask(), **arguments})


def test_pytest_runs_every_check_of_every_separator(few):
    separators = [MeanMask(), LosesSome()]
    mark = parametrize_with_checks(
        separators,
        expected_failed_checks=lambda s: {SUM: "a tenth"} if isinstance(s, LosesSome) else {},
    ).mark
    names, tests = mark.args
    assert names == ("estimator", "check")
    assert [test.id for test in tests][-2:] == [f"LosesSome-{SUM}", f"LosesSome-{SAVED}"]
    assert [test.values[0] for test in tests] == [separators[0]] * 3 + [separators[1]] * 3
    marks = [test.marks for test in tests]
    assert [len(each) for each in marks] == [0, 0, 0, 0, 1, 0]
    assert (marks[4][0].name, marks[4][0].kwargs["reason"]) == ("xfail", "a tenth")
    tests[1].values[1](separators[0])
    with pytest.raises(AssertionError, match=SUM):
        tests[4].values[1](separators[1])


def test_the_checks_of_a_separator_share_one_fit(few, monkeypatch):
    fits, fit = [], MeanMask.fit
    monkeypatch.setattr(MeanMask, "fit", lambda *args: fits.append(1) or fit(*args))
    check_separator(MeanMask(), on_skip=None)
    assert len(fits) == 1
