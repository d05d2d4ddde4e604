"""Between the steps of a pipeline and their description in a model file."""

from inspect import signature
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs import estimators, transforms
from sksvs.estimators import VotingSeparator
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.estimators.voting_separator import MOST_MEMBERS
from sksvs.parameters import PARAMETERS, check_value, short
from sksvs.stft.spectrogram import STFTParams
from sksvs.stft.tracks import default_source_names
from sksvs.training.json_values import decode, encode

FIELDS = ("name", "class", "parameters", "learnt")  # of the description of a step
MOST_STEPS = 16


def known_classes():
    """Return the estimators of the package by name: what a file may ask for."""
    return {
        name: getattr(module, name)
        for module in (transforms, estimators)
        for name in module.__all__
        if isinstance(getattr(module, name), type)
        and issubclass(getattr(module, name), BaseEstimator)
    }


def describe_step(name, step, fitted=True):
    """Return the name, the class, the parameters and the fitted scalars of a step, as JSON.

    Parameters
    ----------
    name : str
    step : BaseEstimator or "passthrough"
    fitted : bool, default=True
        Whether there are fitted scalars.

    Returns
    -------
    dict

    Raises
    ------
    TypeError, ValueError, NotFittedError
        Naming the step and what of it cannot be saved.
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
    facts = {}
    if fitted and isinstance(step, BaseMaskSeparator):
        check_is_fitted(step, "n_sources_")
        if members is None:  # one that an older version has pickled has no source_names_
            names = {"source_names_": default_source_names(step.n_sources_)}
            facts = {fact: (names | vars(step))[fact] for fact in step._learnt_facts}
    encoded = []
    for values in (parameters, facts):
        encoded.append({})
        for key, value in values.items():
            try:
                encoded[-1][key] = encode(value)
            except (TypeError, ValueError) as error:
                raise type(error)(f"Step {name!r} has {key}={short(value)}, but {error}.") from None
    if members is not None:  # as they were fitted
        if fitted:
            members = step.named_estimators_.items()
        else:
            step._check_parameters()  # that they are pairs of a name and a separator
        encoded[0]["estimators"] = [describe_step(*member, fitted) for member in members]
    return dict(zip(FIELDS, (name, kind.__name__, *encoded)))


def separators(name, step):
    """Return the separators with learnt arrays in a step, by the beginning of their tensors' names.

    Parameters
    ----------
    name : str
    step : BaseEstimator or "passthrough"

    Returns
    -------
    dict of str to BaseMaskSeparator
        The step itself, or the members of a VotingSeparator; none of a transformer.
    """
    if isinstance(step, VotingSeparator):
        return {f"{name}/{member}": x for member, x in step.named_estimators_.items()}
    return {name: step} if isinstance(step, BaseMaskSeparator) else {}


def learnt_arrays(separator, prefix):
    """Return the learnt arrays of a separator by the names of their tensors."""
    arrays = {}
    for key in separator._learnt_shapes():
        attribute, _, item = key.partition("/")
        value = getattr(separator, attribute)
        arrays[f"{prefix}/{key}"] = value[item] if item else value
    return arrays


def set_learnt_arrays(separator, prefix, arrays):
    """Set the learnt arrays of a separator that `build_pipeline` has made.

    Parameters
    ----------
    separator : BaseMaskSeparator
    prefix : str
        The beginning of the names of its tensors.
    arrays : dict of str to array
        By the names of their tensors, those of other separators among them.
    """
    learnt = {}
    for key in separator._learnt_shapes():
        attribute, _, item = key.partition("/")
        array = arrays[f"{prefix}/{key}"]
        if item:
            learnt.setdefault(attribute, {})[item] = array
        else:
            learnt[attribute] = array
    if learnt:
        separator._set_learnt(learnt)


def build_pipeline(steps, fitted=True):
    """Return the pipeline that a file describes, without its arrays.

    Parameters
    ----------
    steps : object
        Out of JSON, of whatever kind.
    fitted : bool, default=True
        Whether there are fitted scalars.

    Returns
    -------
    pipeline : Pipeline
        With parameters and fitted scalars.
    shapes : dict of str to tuple of int
        Of the arrays that it lacks, by the names of their tensors; none where nothing is fitted.

    Raises
    ------
    TypeError, ValueError
        If it is anything but what `describe_step` writes, or larger than any use.
    """
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        raise ValueError(f"it must have 1 to {MOST_STEPS} steps")
    if any(map(_is_voting, steps[:-1])):  # which may take long to build
        raise ValueError("the last step, and no other, must be a separator")
    built = [_build_step(step, fitted) for step in steps]
    names = [name for name, _ in built]
    taken = [name for name in names if "__" in name or name in signature(Pipeline).parameters]
    if len(set(names)) < len(names) or taken:
        raise ValueError(f"its steps cannot be called {short(names)}")
    separate = [isinstance(step, BaseMaskSeparator) for _, step in built]
    if separate != [False] * (len(built) - 1) + [True]:
        raise ValueError("the last step, and no other, must be a separator")
    if not fitted:
        return Pipeline(built), {}
    _check_stft(built)
    shapes = {
        f"{prefix}/{key}": tuple(shape)
        for name, step in built
        for prefix, separator in separators(name, step).items()
        for key, shape in separator._learnt_shapes().items()
    }
    return Pipeline(built), shapes


def stft_step(steps):
    """Return the name and the STFTTransformer among ``(name, step)``; ``(None, None)``: no such."""
    found = [(name, step) for name, step in steps if isinstance(step, transforms.STFTTransformer)]
    return found[-1] if found else (None, None)


def _check_stft(steps):
    """Refuse STFT settings with which the separator cannot work at any sample rate."""
    name, step = stft_step(steps)
    if step is None:
        return
    fitted = steps[-1][1].stft_params_
    params = STFTParams(step.n_fft, step.hop_length, step.window, step.sample_rate)
    if not params.can_be(fitted):
        raise ValueError(
            f"step {name!r} has {params.differs_from(fitted)} as in fit, and a separator works "
            "with the STFT settings that it was fitted with"
        )


def _build_step(described, fitted=True):
    """Return the name and the estimator of a step, checked before it is made."""
    if not isinstance(described, dict) or set(described) != set(FIELDS):
        raise ValueError(f"a step must have {', '.join(FIELDS)}; got {short(described)}")
    name, kind, parameters, facts = (described[field] for field in FIELDS)
    if not isinstance(name, str) or not isinstance(kind, str):
        raise ValueError(f"a step must have a name and a class; got {short(described)}")
    if not isinstance(parameters, dict) or not isinstance(facts, dict):
        raise ValueError(f"step {short(name)} must have parameters and facts by name")
    if kind == "passthrough":
        return name, kind
    if kind not in known_classes():
        raise ValueError(f"step {short(name)} has the class {short(kind)}, which is not known")
    kind = known_classes()[kind]
    if kind is VotingSeparator:
        return name, _build_voting(parameters, facts, fitted)
    step = kind(**_decode_parameters(kind, parameters))
    if hasattr(step, "_check_parameters"):
        with np.errstate(all="ignore"):  # of windows that are refused for it
            step._check_parameters()
    expected = getattr(step, "_learnt_facts", ()) if fitted else ()
    if set(facts) | ({"source_names_"} & set(expected)) != set(expected):  # older files lack them
        raise ValueError(
            f"a {kind.__name__} has learnt {', '.join(expected) or 'nothing'}; got {short(facts)}"
        )
    if facts:
        step._set_learnt(_with_source_names(_decode_values(facts)))
    return name, step


def _with_source_names(facts):
    """Return the fitted scalars of a separator with a name for every source."""
    n_sources = facts["n_sources_"]
    names = facts.get("source_names_", default_source_names(n_sources))
    if len(names) != n_sources:
        raise ValueError(f"source_names_ must be {n_sources} names; got {short(names)}")
    return facts | {"source_names_": names}


def _build_voting(parameters, facts, fitted):
    """Return a VotingSeparator with the members that are described among its parameters."""
    described = parameters.get("estimators")
    if not isinstance(described, list) or len(described) > MOST_MEMBERS:
        raise ValueError(
            f"the estimators of a VotingSeparator must be a list of up to {MOST_MEMBERS}"
        )
    if facts:
        raise ValueError(f"a VotingSeparator has learnt nothing by itself; got {short(facts)}")
    if any(map(_is_voting, described)):
        raise ValueError("a VotingSeparator cannot be an estimator of another")
    others = {key: value for key, value in parameters.items() if key != "estimators"}
    members = [_build_step(member, fitted) for member in described]
    step = VotingSeparator(members, **_decode_parameters(VotingSeparator, others))
    step._check_parameters()
    if not fitted:
        return step
    for what in ("n_sources_", "source_names_", "stft_params_"):
        if any(getattr(x, what) != getattr(members[0][1], what) for _, x in members):
            raise ValueError(f"the estimators of a VotingSeparator must have the same {what}")
    step.estimators = [(name, clone(member)) for name, member in members]
    step._set_members(*zip(*members))
    return step


def _is_voting(described):
    return isinstance(described, dict) and described.get("class") == VotingSeparator.__name__


def _decode_parameters(kind, parameters):
    unknown = sorted(set(parameters) - set(signature(kind).parameters))
    if unknown:
        raise ValueError(f"{kind.__name__} has no parameter {short(unknown[0])}")
    for key, value in parameters.items():
        if value is not None and PARAMETERS[key].shapes == "process":
            raise ValueError(f"{key} must be null; got {short(value)}")
    return _decode_values(parameters)


def _decode_values(values):
    """Return parameters or facts by name, checked."""
    decoded = {}
    for key, value in values.items():
        try:
            decoded[key] = decode(value)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
        check_value(key, decoded[key])
    return decoded
