"""Load iKala: karaoke clips of 30 s with the accompaniment left and the voice right."""

import re

from sklearn.utils import Bunch

from sksvs.audio import Sources, Waveform
from sksvs.datasets.bundle import make_bunch
from sksvs.datasets.karaoke_clips import folder_of_clips, open_clips
from sksvs.system.visible_files import is_visible
from sksvs.typing import PathLike

CLIP = re.compile("[0-9]+_(verse|chorus)")  # the number of a song and the part of it


def load_ikala(
    root: PathLike, mix: str = "natural", strict: bool = False, return_X_y: bool = False
) -> Bunch | tuple[list[Waveform], list[Sources]]:
    """Load the clips of iKala (252 clips, 44.1 kHz) without reading their samples.

    The left channel of every file is the accompaniment, the right channel the voice. There are no
    official subsets; split by `groups`, so that verse and chorus of a song stay together. Hidden
    files are passed over.

    Parameters
    ----------
    root : str or path-like
        The folder Wavfile, or the folder that holds it.
    mix : {"natural", "0dB"}, default="natural"
        "natural": voice and accompaniment are added as recorded. "0dB": they are divided by their
        L2 norms and added.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        ``X``, a list of mono mixtures; ``y``, a list of Sources (2, n_samples), called "vocals"
        and "accompaniment"; ``names``, as "10161_chorus"; ``groups``, the numbers of the songs,
        as "10161"; ``duration``, of all clips in seconds; ``DESCR``.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no clip, or one holds no audio or does not have two channels; it is named.

    References
    ----------
    T.-S. Chan et al., "Vocal activity informed singing voice separation with the iKala dataset",
    ICASSP 2015.
    """
    names = clip_names(root)
    folder = folder_of_clips(root)
    if not names:
        raise FileNotFoundError(
            f"{folder} holds no clips of iKala, which are named like 10161_chorus.wav."
        )
    X, y = open_clips([folder / f"{name}.wav" for name in names], mix, strict)
    songs = [name.split("_")[0] for name in names]
    description = (
        f"iKala, mixed {mix}, from {folder}: mixture, voice and accompaniment; groups are songs. "
        "Chan et al. 2015; research use."
    )
    return make_bunch(X, y, names, songs, description, return_X_y)


def clip_names(root):
    """Return the names of the clips in a folder, in order; none where it is not iKala."""
    paths = (path for path in folder_of_clips(root).glob("*.wav") if is_visible(path.name))
    return sorted(path.stem for path in paths if CLIP.fullmatch(path.stem))
