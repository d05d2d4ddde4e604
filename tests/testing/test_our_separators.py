"""The separators of the package keep the laws that anybody's are checked against."""

import pytest
from sklearn.pipeline import make_pipeline

from sksvs.estimators import IdealMaskOracle, MixtureBaseline, VotingSeparator
from sksvs.testing import CHECKS, check_separator, parametrize_with_checks
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer
from tests.tiny_separators import tiny_crn, tiny_drnn, tiny_separator

OF_THE_MIXTURE = [
    "check_estimates_add_up_to_the_mixture",
    "check_one_sample_is_separated",
    "check_a_constant_is_no_voice",
    "check_masks_sum_to_one",
]
WITHOUT_PREDICT = [
    "check_the_constructor_stores_its_arguments",
    "check_get_params_returns_what_set_params_sets",
    "check_a_clone_has_the_same_parameters",
    "check_it_refuses_to_predict_before_fit",
    "check_fit_returns_the_separator",
    "check_fit_leaves_its_parameters_alone",
    "check_fit_leaves_tracks_alone",
    "check_cross_validation_gives_finite_scores",
    "check_the_score_is_a_float_with_sdr_sir_and_sar",
    "check_a_silent_reference_is_left_out_of_the_score",
    "check_a_silent_estimate_makes_the_score_nan",
    "check_fit_without_sources_says_what_is_missing",
    "check_fit_refuses_another_number_of_sources_than_mixtures",
    "check_fit_names_the_track_whose_sources_have_another_length",
    "check_score_names_the_track_whose_sources_have_another_length",
    "check_integer_samples_are_refused",
    "check_another_sample_rate_is_refused_by_name",
]
OF_THE_ORACLE = [name for name in CHECKS if name not in WITHOUT_PREDICT]


def any_rate(separator):
    """Return a mono pipeline that takes songs of any rate, and chooses the ideal mask."""
    stft = STFTTransformer(256, 128, sample_rate=8000)
    return make_pipeline(MonoDownmix(), stft, IRMTarget(), separator)


@pytest.mark.parametrize(
    ("separator", "broken", "reason"),
    [
        (MixtureBaseline(), OF_THE_MIXTURE, "every estimate is the mixture, constant included"),
        (IdealMaskOracle(), OF_THE_ORACLE, "masks come from the sources: no predict(X)"),
    ],
    ids=["mixture", "oracle"],
)
def test_baselines_keep_all_other_laws(separator, broken, reason):
    expected = dict.fromkeys(broken, reason)
    results = check_separator(separator, expected_failed_checks=expected, on_skip=None)
    passed = [result["check_name"] for result in results if result["status"] == "passed"]
    assert passed == [name for name in CHECKS if name not in broken]


@parametrize_with_checks([tiny_separator(max_iter=1)])
def test_a_separator_with_a_network(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        tiny_separator(bidirectional=False),
        tiny_separator(joint_mask=True, side_weight=0.5, others_weight=2.0),
        tiny_separator(loss="binary_crossentropy", early_stopping=True, validation_fraction=0.4),
        tiny_crn(),
        tiny_crn(bidirectional=False),
        tiny_drnn(),
        VotingSeparator([("gru", tiny_separator()), ("crn", tiny_crn())], (0.9, 1.0, 1.1)),
        any_rate(tiny_separator()),
    ]
)
def test_other_networks(estimator, check):
    check(estimator)
