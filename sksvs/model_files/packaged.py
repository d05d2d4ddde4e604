"""Load the models in the package: pipelines fitted for users who do not train their own."""

from pathlib import Path
from typing import Literal, overload

from sklearn.pipeline import Pipeline

from sksvs.estimators import with_balance
from sksvs.model_files.model_file import load

FOLDER = Path(__file__).parent / "models"
RESEARCH_ONLY = "research only"  # as a licence in a card
DEFAULT = "voice-free"  # within half a decibel of the best one on songs, under free licences


@overload
def pretrained(
    name: str = DEFAULT,
    *,
    sample_rate: int | None = None,
    balance: str = "balanced",
    return_card: Literal[False] = False,
) -> Pipeline: ...
@overload
def pretrained(
    name: str = DEFAULT,
    *,
    sample_rate: int | None = None,
    balance: str = "balanced",
    return_card: Literal[True],
) -> tuple[Pipeline, dict]: ...
def pretrained(
    name: str = DEFAULT,
    *,
    sample_rate: int | None = None,
    balance: str = "balanced",
    return_card: bool = False,
) -> Pipeline | tuple[Pipeline, dict]:
    """Return a fitted pipeline from the package.

    It separates mono and stereo songs of any sample rate. The estimates have the sample rate and
    the channels of the song: each song is analysed at its own rate, with a window as long as the
    network's. Above the network's highest frequency, 22 kHz or of "voice-mir1k" 8 kHz, the mask is
    the mean over its highest octave.

    Parameters
    ----------
    name : str, default="voice-free"
        "voice-free": a network for songs, trained on nothing but recordings under free licences.
        "voice": the best one for songs, for research only. "voice-live": a causal one, for
        :class:`~sksvs.estimators.StreamingSeparator`. "voice-mir1k": the best one for MIR-1K. All
        separate the singing voice and the accompaniment.
    sample_rate : int, optional
        In Hz, of songs that are plain arrays. By default they are assumed to be at the network's
        own rate, with a warning. Files and waveforms with a sample rate are analysed at theirs.
    balance : {"cleaner", "balanced", "fuller"}, default="balanced"
        What is heard of the voice and of the accompaniment, see :func:`~sksvs.with_balance`.
    return_card : bool, default=False
        Whether to return ``(pipeline, card)``. The card is a dict, see below.

    Returns
    -------
    Pipeline

    Raises
    ------
    ValueError
        If there is no such model or balance.

    Notes
    -----
    The card of a packaged model has

    - "licence": the terms of its weights, which are not those of the code: an SPDX expression such
      as "CC-BY-SA-4.0 AND GPL-3.0-or-later", or "research only";
    - "sources": all that it was trained on, a list of dicts with "name", "terms" and "hours";
    - "training": the command that trained it, and "date", of its training, in ISO format;
    - "parameters", their number, and "macs_per_second", the multiply-accumulate operations for a
      second of audio;
    - "scores", a dict, and "limits": what it separates less well.

    Examples
    --------
    >>> import numpy as np
    >>> import sksvs
    >>> song = np.random.default_rng(0).normal(scale=0.1, size=(44100, 2))
    >>> voice, accompaniment = sksvs.pretrained(sample_rate=44100).predict([song])[0]
    >>> voice.shape
    (44100, 2)
    """
    if name not in pretrained_names():
        raise ValueError(
            f"There is no pretrained model {name!r}. There are: {', '.join(pretrained_names())}."
        )
    pipeline, card = load(pretrained_path(name), return_card=True)
    pipeline = with_balance(pipeline, balance).set_params(stft__array_rate=sample_rate)
    return (pipeline, card) if return_card else pipeline


def pretrained_names() -> list[str]:
    """Return the names of the models in the package, as a list of str."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def pretrained_path(name):
    """Return the path of a model in the package."""
    return FOLDER / f"{name}.safetensors"
