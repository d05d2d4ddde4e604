import pytest
from hypothesis import given
from hypothesis import strategies as st

from sksvs.training.loop import scheduled_rate

curves = st.lists(st.floats(0.1, 10), max_size=20)


@given(curve=curves)
def test_a_constant_rate_is_left_alone(curve):
    assert scheduled_rate("constant", 0.1, 20, 0.0, curve) is None


@given(curve=curves)
def test_a_cosine_falls_from_the_initial_rate_to_zero_whatever_the_loss(curve):
    rates = [scheduled_rate("cosine", 0.1, 20, 0.0, curve[:n]) for n in range(len(curve) + 1)]
    assert rates[0] == pytest.approx(0.1)
    assert rates == sorted(rates, reverse=True)
    assert scheduled_rate("cosine", 0.1, 20, 0.0, [1.0] * 20) == pytest.approx(0, abs=1e-12)
    assert scheduled_rate("cosine", 0.1, 2, 0.0, [1.0], 0.5) == pytest.approx(
        scheduled_rate("cosine", 0.1, 4, 0.0, [1.0] * 3)
    )


@given(curve=curves)
def test_an_adaptive_rate_never_rises(curve):
    rates = [scheduled_rate("adaptive", 0.1, 20, 0.0, curve[:n]) for n in range(len(curve) + 1)]
    assert rates[0] == 0.1
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize(
    ("curve", "tol", "divisions"),
    [
        ([3, 2, 1], 0.0, 0),
        ([3, 2, 2.5, 1.9, 2.5], 0.0, 0),
        ([3, 2, 2.5, 2.1], 0.0, 1),
        ([3, 2, 2.5, 2.1, 2.1, 2.2], 0.0, 2),
        ([3, 2.95, 2.9], 0.1, 1),
    ],
)
def test_two_epochs_without_progress_divide_an_adaptive_rate_by_five(curve, tol, divisions):
    assert scheduled_rate("adaptive", 1.0, 20, tol, curve) == pytest.approx(5.0**-divisions)
