"""Losses are what their formulas say, of the masks that prediction applies."""

import numpy as np
import pytest

from sksvs import parameters
from sksvs.networks.features import masks_from_output
from sksvs.training import losses
from sksvs.training.objective import Objective, network_target
from tests.strategies import seeded_noise

N_FREQS, N_FRAMES = 5, 7


def make_case(n_sources, n_masks, seed=0):
    """Return the network's output, complex sources and their sum: one segment."""
    parts = seeded_noise((2, n_sources, N_FREQS, N_FRAMES), seed)
    sources = (parts[0] + 1j * parts[1]).astype(np.complex64)
    output = np.abs(seeded_noise((N_FRAMES, n_masks * N_FREQS), seed + 1)).astype(np.float32)
    return (np.minimum(output, 1) if n_masks == 1 else output), sources, sources.sum(axis=0)


def loss_of(objective, output, sources, mixture, level=1.0):
    target = network_target(mixture, sources, lambda magnitudes: magnitudes, level, objective)
    assert target.shape == (N_FRAMES, objective.n_parts * N_FREQS)
    return np.array(losses.make_loss(objective)(target[np.newaxis], output[np.newaxis]))[0]


CASES = [(2, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(("n_sources", "n_masks"), CASES)
@pytest.mark.parametrize("name", ["absolute", "squared"])
def test_magnitude_losses_compare_what_prediction_would_apply(n_sources, n_masks, name):
    output, sources, mixture = make_case(n_sources, n_masks)
    masks = masks_from_output(output, n_sources, N_FREQS)
    errors = np.abs(masks * np.abs(mixture) - np.abs(sources))
    expected = (errors if name == "absolute" else errors**2).mean(axis=(0, 1))
    objective = Objective(f"magnitude_{name}_error", n_sources, n_masks)
    np.testing.assert_allclose(
        loss_of(objective, output, sources, mixture), expected, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize(("n_sources", "n_masks"), CASES)
@pytest.mark.parametrize("name", ["absolute", "squared"])
def test_spectrum_losses_are_errors_of_the_complex_estimates(n_sources, n_masks, name):
    output, sources, mixture = make_case(n_sources, n_masks, seed=5)
    masks = masks_from_output(output, n_sources, N_FREQS)
    errors = np.abs(masks * mixture - sources) / 2
    expected = (errors if name == "absolute" else errors**2).mean(axis=(0, 1))
    objective = Objective(f"spectrum_{name}_error", n_sources, n_masks)
    # The root of an absolute error has 1e-7 added to it.
    np.testing.assert_allclose(
        loss_of(objective, output, sources, mixture, level=2.0), expected, atol=1e-4
    )


@pytest.mark.parametrize("floor", [1e-3, 0.1])
@pytest.mark.parametrize(("n_sources", "n_masks"), CASES)
def test_the_error_ratio_is_that_of_the_segment_in_db(n_sources, n_masks, floor):
    output, sources, mixture = make_case(n_sources, n_masks, seed=9)
    masks = masks_from_output(output, n_sources, N_FREQS)
    errors = (np.abs(masks * mixture - sources) ** 2).sum(axis=(1, 2))
    ratios = 10 * np.log10(errors / (np.abs(mixture) ** 2).sum() + floor)
    objective = Objective("segment_error_ratio", n_sources, n_masks, error_floor=floor)
    actual = loss_of(objective, output, sources, mixture, level=3.0)
    np.testing.assert_allclose(actual, np.full(N_FRAMES, ratios.mean()), atol=1e-3)


def test_a_silent_mixture_has_a_finite_loss():
    output, sources, mixture = make_case(2, 1)
    for name in parameters.MAGNITUDE_LOSSES + parameters.SPECTRUM_LOSSES:
        assert np.isfinite(loss_of(Objective(name, 2, 1), output, 0 * sources, 0 * mixture)).all()


def test_the_discriminative_term_is_the_error_against_the_other_sources():
    for n_sources in (2, 3):
        output, sources, mixture = make_case(n_sources, n_sources, seed=3)
        estimates = masks_from_output(output, n_sources, N_FREQS) * np.abs(mixture)
        others = [
            np.square(estimates[j] - np.abs(sources[k]))
            for j in range(n_sources)
            for k in range(n_sources)
            if k != j
        ]
        plain, with_term = (
            loss_of(
                Objective("magnitude_squared_error", n_sources, n_sources, gamma),
                output,
                sources,
                mixture,
            )
            for gamma in (0.0, 0.05)
        )
        expected = 0.05 * np.sum(others, axis=0).mean(axis=0) / n_sources
        np.testing.assert_allclose(plain - with_term, expected, atol=1e-5, rtol=1e-4)


def test_mask_losses_compare_masks():
    output, sources, mixture = make_case(2, 1)
    expected = np.abs(output - np.abs(sources[0]).T).mean(axis=1)
    actual = loss_of(Objective("mask_absolute_error", 2, 1), output, sources, mixture)
    np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_the_names_that_fit_accepts_are_those_there_are():
    assert set(parameters.MASK_LOSSES) == set(losses.MASK_LOSSES)
    assert set(parameters.MAGNITUDE_LOSSES) == set(losses.ERRORS)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("loudness", [0.0, 1e-43, 1e-39, 1e-35])
@pytest.mark.parametrize("loss", ["spectrum_absolute_error", "segment_error_ratio"])
def test_a_mixture_that_has_all_but_faded_out_has_a_finite_loss(loudness, loss):
    output, sources, mixture = make_case(2, 1)
    sources, mixture = (np.complex64(loudness) * x for x in (sources, mixture))
    assert np.isfinite(loss_of(Objective(loss, 2, 1), output, sources, mixture)).all()
