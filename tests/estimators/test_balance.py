"""A balance multiplies the weight of the accompaniment, in a copy of the pipeline."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sksvs
from sksvs.estimators import GRUMaskSeparator, MixtureBaseline
from sksvs.parameters import OTHERS_WEIGHTS, PARAMETERS
from sksvs.transforms import STFTTransformer
from tests.tiny_separators import tiny_separator


def pipeline_of(separator):
    return make_pipeline(STFTTransformer(n_fft=64, hop_length=32), separator)


def test_a_cleaner_voice_has_less_of_every_bin_and_a_fuller_one_more(tracks):
    model = pipeline_of(tiny_separator(max_iter=1, others_weight=2.0)).fit(*tracks)
    spectrograms = model[:-1].transform(tracks[0])
    masks = {
        word: sksvs.with_balance(model, word)[-1].predict_mask(spectrograms)[0][0]
        for word in ("cleaner", "balanced", "fuller")
    }
    assert np.all(masks["cleaner"] <= masks["balanced"])
    assert np.all(masks["balanced"] <= masks["fuller"])
    assert masks["fuller"].mean() - masks["cleaner"].mean() > 0.1
    np.testing.assert_array_equal(masks["balanced"], model[-1].predict_mask(spectrograms)[0][0])
    assert model[-1].others_weight == 2.0


def test_the_models_own_weight_counts():
    model = pipeline_of(GRUMaskSeparator(others_weight=2.0))
    assert sksvs.with_balance(model, "cleaner")[-1].others_weight == pytest.approx(5.0)
    assert sksvs.with_balance(model, "fuller")[-1].others_weight == pytest.approx(0.8)


@pytest.mark.parametrize("own", OTHERS_WEIGHTS)
@pytest.mark.parametrize("balance", ["cleaner", "fuller"])
def test_the_weight_stays_in_its_range(own, balance):
    balanced = sksvs.with_balance(pipeline_of(GRUMaskSeparator(others_weight=own)), balance)
    assert PARAMETERS["others_weight"].is_valid(balanced[-1].others_weight)


def test_the_best_estimator_of_a_search_is_taken():
    model = pipeline_of(MixtureBaseline())
    search = GridSearchCV(model, {})
    search.best_estimator_ = pipeline_of(GRUMaskSeparator())
    assert sksvs.with_balance(search, "cleaner")[-1].others_weight == 2.5


@pytest.mark.parametrize(
    ("separator", "balance", "message"),
    [
        (GRUMaskSeparator(), "loud", "one of 'cleaner', 'balanced', 'fuller'; got 'loud'"),
        (GRUMaskSeparator(), None, "one of 'cleaner', 'balanced', 'fuller'; got None"),
        (GRUMaskSeparator(others_weight=0), "fuller", "others_weight must be from 1e-6 to 1e6"),
        (MixtureBaseline(), "cleaner", "A MixtureBaseline has no others_weight"),
    ],
)
def test_what_has_no_balance_is_an_error(separator, balance, message):
    with pytest.raises(ValueError, match=message):
        sksvs.with_balance(pipeline_of(separator), balance)
