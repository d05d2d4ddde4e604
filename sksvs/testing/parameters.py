"""Laws on parameters: a separator is one of scikit-learn's estimators."""

from inspect import signature

from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksvs.testing.laws import law, require, require_named
from sksvs.testing.trial import into_last_step, own_parameters, songs


@law
def check_the_constructor_stores_its_arguments(trial):
    """The constructor stores every argument, whatever it is, under its own name.

    Usual cause: `__init__` checks or converts a value, such as ``self.size = int(size)``. Leave
    that to `fit`, and keep the result in an attribute that ends in "_".
    """
    kind = type(trial.new()[-1])
    given = {name: object() for name in signature(kind).parameters}
    separator = kind(**given)
    for name, value in given.items():
        stored = getattr(separator, name, "nothing")
        require(stored is value, f"{name}={value!r} is stored as {stored!r}.")


@law
def check_get_params_returns_what_set_params_sets(trial):
    """`get_params` returns what `set_params` has set, which refuses unknown names.

    Usual cause: a parameter is stored under another name, or `set_params` is overridden. Derive
    from sklearn.base.BaseEstimator and store each parameter under its name.
    """
    separator = trial.new()[-1]
    for name in signature(type(separator)).parameters:
        value = object()
        returned = clone(separator).set_params(**{name: value}).get_params(deep=False)
        require(name in returned, f"get_params has no {name}.")
        require(returned[name] is value, f"{name} was set to {value!r}, but is {returned[name]!r}.")
    try:
        separator.set_params(no_such_parameter=1)
    except ValueError as error:
        require_named(str(error), "no_such_parameter")
    else:
        require(False, "no error for set_params(no_such_parameter=1).")


@law
def check_a_clone_has_the_same_parameters(trial):
    """A clone of a fitted separator has its parameters and nothing of its fit.

    Usual cause: the constructor changes its arguments, or sets attributes that end in "_". It only
    stores its arguments.
    """
    fitted = trial.fitted
    again = clone(fitted)
    require(own_parameters(again) == own_parameters(fitted), "other parameters.")
    learnt = [name for name in vars(again[-1]) if name.endswith("_") and not name.startswith("_")]
    require(not learnt, f"a clone with {', '.join(learnt)}.")


@law
def check_it_refuses_to_predict_before_fit(trial):
    """Before `fit`, `predict` and `score` raise sklearn.exceptions.NotFittedError.

    Usual cause: a fitted attribute is set in the constructor, or read without a check. Call
    ``sklearn.utils.validation.check_is_fitted(self, "n_sources_")`` first.
    """
    X, y = songs()
    unfitted = trial.new()
    X = into_last_step(unfitted, X, y)
    for method, arguments in (("predict", [X]), ("score", [X, y])):
        try:
            getattr(unfitted[-1], method)(*arguments)
        except NotFittedError:
            continue
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} from {method}: {error}") from error
        require(False, f"no error from {method}.")
