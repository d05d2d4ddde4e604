"""Make the pipeline that `sksvs fit` trains: a new one, or a model to go on from."""

import json

import click

import sksvs
from sksvs.cli.options import sources_to_load
from sksvs.cli.output import in_a_line, one_line
from sksvs.cli.training_plan import FINE_TUNING_RATE, choose_augmentation, make_separator


def read_params(context, option, path):
    """Return the object in a JSON file as what `Pipeline.set_params` takes: lists become tuples."""
    if path is None:
        return {}
    return {name: _tuples(value) for name, value in read_object(path, context, option).items()}


def read_object(path, context=None, option=None):
    """Return the object in a JSON file; exit with an error for other files."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{path} is no JSON file ({error}).", context, option) from error
    if not isinstance(found, dict):
        raise click.BadParameter(f"{path} must hold a JSON object, such as {{}}.", context, option)
    return found


def read_card(path):
    """Return the object in the file of a card; exit with an error if it cannot be one."""
    from sksvs.model_files.model_file import check_card

    card = read_object(path)
    try:
        check_card(card)
    except ValueError as error:
        raise click.UsageError(f"{path}: {one_line(error)}") from error
    return card


def read_augmentation(context, option, text):
    """Return parameters of an Augmentation by name; None for "none"; exit with an error else."""
    from inspect import signature

    from sksvs.augmentation import Augmentation

    if text is None or text == "none":
        return {} if text is None else None
    given, known = {}, list(signature(Augmentation).parameters)
    try:
        for item in text.split(","):
            name, _, values = item.partition("=")
            numbers = tuple(map(float, values.split("/")))
            given[name.strip()] = numbers if len(numbers) > 1 else numbers[0]
        unknown = set(given) - set(known)
        if unknown:
            raise ValueError(f"There is no {sorted(unknown)[0]!r}")
        Augmentation(**given).check()
    except ValueError as error:
        words = (
            "it must be none, or names and values such as gain_db=6,speed=0.3/0: any of "
            f"{', '.join(known)}; got {text}. {one_line(error)}"
        )
        raise click.BadParameter(words, context, option) from error
    return given


def new_pipeline(network, window, augment, **given):
    """Return a pipeline with the strongest separator that two cores train within an hour.

    Parameters
    ----------
    network : {"crn", "gru"}
    window : (int, int)
        In samples: `n_fft` and `hop_length`.
    augment : dict or None
        Parameters of the augmentation that differ from the default; None: no augmentation.
    **given : dict
        Other arguments of `make_separator`.

    Returns
    -------
    Pipeline
    """
    from sklearn.pipeline import Pipeline

    from sksvs.transforms import MonoDownmix, STFTTransformer

    separator = make_separator(network, augmented=augment is not None, **given)
    if augment:
        separator.augmentation.set_params(**augment)
    stft = STFTTransformer(*window, window="cosine")
    return Pipeline([("mono", MonoDownmix()), ("stft", stft), (network, separator)])


def pipeline_to_continue(path, augment, *, dry_voices, pairs, **given):
    """Return the pipeline of a model whose next fit continues the last one, and its card.

    Its augmentation is that for the new data, and its masks are not weighed any more: the weight of
    a model is chosen by songs unlike its training data, not by songs like those that follow now.

    Parameters
    ----------
    path : Path
    augment : dict or None
        Parameters of the augmentation that differ from the default; None: no augmentation.
    dry_voices, pairs : bool
        As for `make_separator`.
    **given : dict
        Parameters of the separator; None keeps those of the model, but the learning rate, which is
        lower than that of a new network.

    Returns
    -------
    pipeline : Pipeline
    card : dict
        The model that it starts from, and the terms of its weights, which stay.
    """
    pipeline, card = sksvs.load(path, return_card=True)
    separator = pipeline[-1]
    if not hasattr(separator, "partial_fit") or hasattr(separator, "estimators"):
        raise click.UsageError(
            f"--start must be a model of one network; got {path}, which is a "
            f"{type(separator).__name__}. Start from one of its members, or train a new network."
        )
    given = {name: value for name, value in given.items() if value is not None}
    defaults = {"learning_rate_init": FINE_TUNING_RATE, "others_weight": 1.0, "warm_start": True}
    separator.set_params(**defaults | given, augmentation=None)
    if augment is not None:
        augmentation = choose_augmentation(separator.n_sources_, dry_voices, pairs)
        separator.set_params(augmentation=augmentation.set_params(**augment))
    kept = {name: card[name] for name in ("licence", "sources") if name in (card or {})}
    return pipeline, {"started_from": (card or {}).get("name", path.stem), **kept}


def sources_of_model(pipeline, sources):
    """Return what to separate: the sources of a model, or those asked for if they are as many."""
    names = pipeline[-1].source_names_
    if sources is None:
        return sources_to_load(pipeline)
    if len(sources) != len(names):
        raise click.UsageError(
            f"--sources must be {len(names)} with the model of --start, which separates "
            f"{', '.join(names)}; got {','.join(sources)}."
        )
    return sources


def set_params(pipeline, params, only=""):
    """Set parameters of a pipeline whose names begin with `only`; exit with an error for others."""
    chosen = {name: value for name, value in params.items() if name.startswith(only)}
    try:
        pipeline.set_params(**chosen)
    except (ValueError, TypeError, AttributeError) as error:
        names = ", ".join(name for name, _ in pipeline.steps)
        raise click.UsageError(
            f"--params: {one_line(error)} Names are those of Pipeline.set_params, of the steps "
            f"{in_a_line(names)}: stft__n_fft."
        ) from error


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
