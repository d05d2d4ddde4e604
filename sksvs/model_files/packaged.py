"""Load the fitted pipelines that come with the package."""

from pathlib import Path

from sksvs.model_files.model_file import load

FOLDER = Path(__file__).parent / "models"


def pretrained(name="voice", *, sample_rate=None, return_card=False):
    """Return a fitted pipeline that comes with the package.

    It takes songs of any sample rate and number of channels, mono or stereo, and gives estimates
    on the song's own grid: every song is analysed at its own rate, with a window as long as the
    network's. Above the network's highest frequency the mask is the mean over its highest octave.

    Parameters
    ----------
    name : str, default="voice"
        "voice": the singing voice and the accompaniment, learnt from MIR-1K at 16 kHz. Its card
        says from what, how well it separates, and on which terms it may be used, which are not
        those of the code.
    sample_rate : int, optional
        Of bare arrays, in Hz. By default they are taken to be at the network's own rate, 16,000
        Hz, with a warning. Files, and waveforms that know their rate, are always taken at that.
    return_card : bool, default=False
        Whether to return ``(pipeline, card)``; the card is a dict.

    Returns
    -------
    Pipeline

    Raises
    ------
    ValueError
        If there is no such model; or later, naming the song, if it cannot be separated.

    Examples
    --------
    >>> import numpy as np
    >>> import sksvs
    >>> song = np.random.default_rng(0).normal(scale=0.1, size=(44100, 2))
    >>> voice, accompaniment = sksvs.pretrained("voice", sample_rate=44100).predict([song])[0]
    >>> voice.shape
    (44100, 2)
    """
    if name not in pretrained_names():
        raise ValueError(
            f"There is no pretrained model {name!r}. There are: {', '.join(pretrained_names())}."
        )
    pipeline, card = load(pretrained_path(name), return_card=True)
    pipeline.set_params(stft__array_rate=sample_rate)
    return (pipeline, card) if return_card else pipeline


def pretrained_names():
    """Return the names of the models that come with the package: a list of str."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def pretrained_path(name):
    """Return where the file of a model that comes with the package lies."""
    return FOLDER / f"{name}.safetensors"
