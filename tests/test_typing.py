"""What is public is annotated, down to its constructors and methods."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import sksvs
from sksvs.augmentation import Augmentation

PACKAGES = [f"sksvs.{info.name}" for info in pkgutil.iter_modules(sksvs.__path__) if info.ispkg]


def is_ours(function):
    """Return whether a function is written in this package, and not inherited or generated."""
    where = inspect.unwrap(function)
    return where.__module__.startswith("sksvs.") and where.__code__.co_filename.endswith(".py")


def functions_of(thing):
    """Yield the public functions of a function or a class, its constructors among them."""
    if not inspect.isclass(thing):
        yield thing
        return
    for name in dir(thing):
        if name.startswith("_") and name not in ("__init__", "__new__"):
            continue
        member = inspect.getattr_static(thing, name)
        member = (
            member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        )
        if inspect.isfunction(member) and is_ours(member):
            yield member


def public_functions():
    """Return the public functions and methods of the package by their full names."""
    things = [getattr(sksvs, name) for name in sksvs._LAZY_EXPORTS] + [Augmentation]
    for package in map(import_module, PACKAGES):
        things += [getattr(package, name) for name in getattr(package, "__all__", ())]
    found = [f for x in things if callable(x) for f in functions_of(x)]
    return {f"{f.__module__}.{f.__qualname__}": f for f in found}


PUBLIC = public_functions()


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_annotated(name):
    function = inspect.unwrap(PUBLIC[name])
    signature = inspect.signature(function)
    lacking = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.annotation is parameter.empty and parameter.name not in ("self", "cls")
    ]
    if signature.return_annotation is signature.empty and function.__name__ != "__init__":
        lacking.append("return")
    assert lacking == []


def test_all_that_is_public_is_found():
    assert {
        "sksvs.audio.waveform.Waveform.to_mono",
        "sksvs.augmentation.Augmentation.__init__",
        "sksvs.estimators.network_separator.BaseNetworkSeparator.fit",
        "sksvs.masks.ideal_ratio_mask",
        "sksvs.metrics.scores.SeparationScore.__new__",
        "sksvs.model_files.packaged.pretrained",
        "sksvs.separation.one_file.separate_file",
        "sksvs.stft.settings.STFTParams.n_freqs",
        "sksvs.transforms.irm_target.IRMTarget.fit_transform",
    } <= set(PUBLIC)
