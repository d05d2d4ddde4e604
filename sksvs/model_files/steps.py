"""Turn the steps of a pipeline into their description in a model file, and back."""

from inspect import isabstract, signature
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs import estimators, transforms
from sksvs.estimators import VotingSeparator
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.estimators.named_members import MAX_MEMBERS
from sksvs.parameters import PARAMETERS, check_value, short
from sksvs.stft.settings import STFTParams
from sksvs.stft.tracks import default_source_names
from sksvs.training.json_values import decode, encode

# Of the description of a step; "learnt" has the fitted scalars.
FIELDS = {"name": str, "class": str, "parameters": dict, "learnt": dict}
OPTIONAL = {"source_names_"}  # fitted scalars that earlier versions did not have
MAX_STEPS = 16


def known_classes():
    """Return the estimators of the package by name: the classes that a file may name."""
    return {
        name: kind
        for module in (transforms, estimators)
        for name in module.__all__
        if isinstance(kind := getattr(module, name), type)
        and issubclass(kind, BaseEstimator)
        and not isabstract(kind)
    }


def describe_step(name, step, fitted=True):
    """Return the name, class, parameters and fitted scalars of a step as JSON.

    Parameters
    ----------
    name : str
    step : BaseEstimator or "passthrough"
    fitted : bool, default=True
        Whether the step has been fitted, so that it has fitted scalars.

    Returns
    -------
    dict
        With the keys of FIELDS. Parameters that belong to one process are None.

    Raises
    ------
    TypeError, ValueError, NotFittedError
        Naming the step and the value that cannot be saved.
    """
    if isinstance(step, str):  # "passthrough"
        return {"name": name, "class": step, "parameters": {}, "learnt": {}}
    kind = type(step)
    if known_classes().get(kind.__name__) is not kind:
        raise TypeError(
            f"Step {name!r} is a {kind.__module__}.{kind.__qualname__}, which is not one of "
            "sksvs's own classes, so it cannot be saved: loading it would mean running its code. "
            "Pickle the pipeline if its readers trust you."
        )
    parameters = step.get_params(deep=False)
    members = parameters.pop("estimators", None)
    parameters |= {key: None for key in parameters if PARAMETERS[key].shapes == "process"}
    if not isinstance(parameters.get("random_state"), Integral | None):
        parameters["random_state"] = None
    scalars = {}
    if fitted and isinstance(step, BaseMaskSeparator):
        check_is_fitted(step, "n_sources_")
        names = [
            name for name in _fitted_scalars(kind) if name not in OPTIONAL or hasattr(step, name)
        ]
        scalars = {name: getattr(step, name) for name in names}
    for values in (parameters, scalars):
        for key, value in values.items():
            try:
                values[key] = encode(value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"Step {name!r} has {key}={short(value)}, but {error}.") from None
    if members is not None:
        if fitted:
            members = step.named_estimators_.items()  # not `estimators`, which are not fitted
        else:
            step._check_parameters()  # that they are pairs of a name and a separator
        parameters["estimators"] = [describe_step(*member, fitted) for member in members]
    return {"name": name, "class": kind.__name__, "parameters": parameters, "learnt": scalars}


def separators(pipeline):
    """Return the separators of a pipeline that hold arrays, by the prefix of their tensors.

    Returns
    -------
    dict of str to BaseMaskSeparator
        The last step by its name, or the members of a VotingSeparator by ``step/member``.
    """
    name, last = pipeline.steps[-1]
    if isinstance(last, VotingSeparator):
        return {f"{name}/{member}": x for member, x in last.named_estimators_.items()}
    return {name: last}


def fitted_arrays(pipeline):
    """Return the fitted arrays of a pipeline by the names of their tensors."""
    arrays = {}
    for tensor, _, separator, attribute, key in _array_places(pipeline):
        value = getattr(separator, attribute)
        arrays[tensor] = value[key] if key else value
    return arrays


def set_fitted_arrays(pipeline, arrays):
    """Set the fitted arrays of a pipeline that `build_pipeline` has made.

    Parameters
    ----------
    pipeline : Pipeline
    arrays : dict of str to array
        By the names of their tensors.
    """
    for tensor, _, separator, attribute, key in _array_places(pipeline):
        if key:
            vars(separator).setdefault(attribute, {})[key] = arrays[tensor]
        else:
            setattr(separator, attribute, arrays[tensor])


def _array_places(pipeline):
    """Yield ``(tensor, shape, separator, attribute, key)`` of every fitted array.

    The array is an attribute of the separator, or one of the values of an attribute that is a
    dict; the key is empty where it is the attribute itself.
    """
    for prefix, separator in separators(pipeline).items():
        for name, shape in separator._fitted_shapes().items():
            attribute, _, key = name.partition("/")
            yield f"{prefix}/{name}", tuple(shape), separator, attribute, key


def build_pipeline(steps, fitted=True):
    """Return the pipeline that a file describes, without its arrays.

    Parameters
    ----------
    steps : object
        Parsed JSON of any kind.
    fitted : bool, default=True
        Whether the steps have fitted scalars.

    Returns
    -------
    pipeline : Pipeline
        With parameters and fitted scalars.
    shapes : dict of str to tuple of int
        The shapes of the arrays that it lacks, by the names of their tensors; empty if not
        `fitted`.

    Raises
    ------
    TypeError, ValueError
        If `describe_step` does not return such steps, or they exceed a limit.
    """
    if not isinstance(steps, list) or not 1 <= len(steps) <= MAX_STEPS:
        raise ValueError(f"it must have 1 to {MAX_STEPS} steps")
    are_separators = [issubclass(_class_of(step), BaseMaskSeparator) for step in steps]
    if are_separators != [False] * (len(steps) - 1) + [True]:
        raise ValueError("the last step, and no other, must be a separator")
    names = [step["name"] for step in steps]
    reserved = [name for name in names if "__" in name or name in signature(Pipeline).parameters]
    if len(set(names)) < len(names) or reserved:
        raise ValueError(f"its steps cannot be called {short(names)}")
    pipeline = Pipeline([_build_step(step, fitted) for step in steps])
    if not fitted:
        return pipeline, {}
    _check_stft(pipeline)
    return pipeline, {tensor: shape for tensor, shape, *_ in _array_places(pipeline)}


def _check_stft(pipeline):
    """Refuse STFT settings with which the separator cannot work at any sample rate."""
    fitted = pipeline[-1].stft_params_
    for name, step in pipeline.steps:
        if isinstance(step, transforms.STFTTransformer):
            params = STFTParams(step.n_fft, step.hop_length, step.window, step.sample_rate)
            if not params.can_be(fitted):
                raise ValueError(
                    f"step {name!r} has {params.differs_from(fitted)} as in fit, and a separator "
                    "works with the STFT settings that it was fitted with"
                )


def _class_of(described):
    """Return the class that the description of a step names, `str` for "passthrough"."""
    is_dict = isinstance(described, dict)
    if not is_dict or {key: type(value) for key, value in described.items()} != FIELDS:
        raise ValueError(
            "a step must have a name and a class, which are text, and parameters and learnt, "
            f"which are objects; got {short(described)}"
        )
    known = {**known_classes(), "passthrough": str}
    if described["class"] not in known:
        raise ValueError(
            f"step {short(described['name'])} has the class {short(described['class'])}, which "
            "is not known"
        )
    return known[described["class"]]


def _build_step(described, fitted):
    """Return the name and the estimator of a step; values are checked before it is made."""
    kind, name, given = _class_of(described), described["name"], dict(described["parameters"])
    if kind is str:
        return name, "passthrough"
    unknown = sorted(set(given) - set(signature(kind).parameters))
    if unknown:
        raise ValueError(f"{kind.__name__} has no parameter {short(unknown[0])}")
    scalars, expected = described["learnt"], _fitted_scalars(kind) if fitted else ()
    if set(scalars) | OPTIONAL & set(expected) != set(expected):
        raise ValueError(
            f"the fitted scalars of a {kind.__name__} must be {', '.join(expected) or 'none'}; got "
            f"{short(scalars)}"
        )
    members = given.pop("estimators", None)
    parameters = _decode_values(given)
    if kind is VotingSeparator:
        parameters["estimators"] = _build_members(members, fitted)
    step = kind(**parameters)
    if hasattr(step, "_check_parameters"):
        with np.errstate(all="ignore"):  # some windows overflow, and are refused for it
            step._check_parameters()
    if scalars:
        step._set_scalars(_with_source_names(_decode_values(scalars)))
    if fitted and kind is VotingSeparator:
        _set_members(step)
    return name, step


def _with_source_names(scalars):
    """Return the fitted scalars of a separator with a name for every source."""
    n_sources = scalars["n_sources_"]
    names = scalars.get("source_names_", default_source_names(n_sources))
    if len(names) != n_sources:
        raise ValueError(f"source_names_ must be {n_sources} names; got {short(names)}")
    return scalars | {"source_names_": names}


def _build_members(described, fitted):
    """Return the names and separators of a VotingSeparator."""
    if not isinstance(described, list) or len(described) > MAX_MEMBERS:
        raise ValueError(
            f"the estimators of a VotingSeparator must be a list of up to {MAX_MEMBERS}"
        )
    if VotingSeparator in map(_class_of, described):  # nested ones would take long to build
        raise ValueError("a VotingSeparator cannot be an estimator of another")
    return [_build_step(member, fitted) for member in described]


def _set_members(voting):
    """Make a VotingSeparator fitted whose estimators are."""
    names, members = zip(*voting.estimators)
    for what in ("n_sources_", "source_names_", "stft_params_"):
        if any(getattr(x, what) != getattr(members[0], what) for x in members):
            raise ValueError(f"the estimators of a VotingSeparator must have the same {what}")
    voting._set_members(names, members)
    voting.estimators = [(name, clone(member)) for name, member in voting.estimators]


def _fitted_scalars(kind):
    """Return the names of the fitted scalars of a class; a VotingSeparator has its members'."""
    return () if kind is VotingSeparator else getattr(kind, "_fitted_scalars", ())


def _decode_values(values):
    """Return parameters or fitted scalars by name, checked."""
    decoded = {}
    for key, value in values.items():
        try:
            decoded[key] = decode(value)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
        if value is not None and PARAMETERS[key].shapes == "process":
            raise ValueError(f"{key} must be null; got {short(value)}")
        check_value(key, decoded[key])
    return decoded
