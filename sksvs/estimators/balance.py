"""Choose whether the voice keeps out the accompaniment or is kept whole."""

import copy

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from sksvs.parameters import BALANCES, OTHERS_WEIGHTS, check_range, short


def with_balance(pipeline: BaseEstimator, balance: str) -> Pipeline:
    """Return a copy of a pipeline that separates a cleaner or a fuller voice.

    The `others_weight` of the separator is multiplied by 2.5 for "cleaner", 1 for "balanced" and
    0.4 for "fuller", within its range of 1e-6 to 1e6. The pipeline itself is not changed: take the
    copies from the model as it was trained, since the factors of a copy of a copy multiply.

    Parameters
    ----------
    pipeline : Pipeline or search
        It ends in a separator with a network. Of a search, the best estimator is copied.
    balance : {"cleaner", "balanced", "fuller"}
        "cleaner": less of the accompaniment in the voice, and the voice thinner. "fuller": all of
        the voice, and more of the accompaniment with it. "balanced": as the model was made.

    Returns
    -------
    Pipeline

    Raises
    ------
    ValueError
        If `balance` is another word, or the separator has no `others_weight`.

    Examples
    --------
    >>> import sksvs
    >>> voice = sksvs.pretrained()
    >>> voice[-1].others_weight, sksvs.with_balance(voice, "cleaner")[-1].others_weight
    (0.7, 1.75)
    """
    if balance not in BALANCES:
        words = ", ".join(map(repr, BALANCES))
        raise ValueError(f"balance must be one of {words}; got {short(balance)}.")
    pipeline = copy.deepcopy(getattr(pipeline, "best_estimator_", pipeline))
    separator = pipeline[-1]
    if "others_weight" not in separator.get_params(deep=False):
        raise ValueError(
            f"A {type(separator).__name__} has no others_weight, so it has no balance. Give a "
            "pipeline that ends in a separator with a network."
        )
    check_range(separator, "others_weight")
    low, high = OTHERS_WEIGHTS
    weight = separator.others_weight * BALANCES[balance]
    separator.set_params(others_weight=min(max(weight, low), high))
    return pipeline
