"""Load MIR-1K: karaoke clips with the accompaniment in one channel and the voice in the other."""

from sklearn.utils import Bunch

from sksvs.audio import Sources, Waveform
from sksvs.datasets.bundle import check_choice, make_bunch
from sksvs.datasets.karaoke_clips import folder_of_clips, open_clips
from sksvs.system.visible_files import is_visible
from sksvs.typing import PathLike

TRAINING_SINGERS = ("abjones", "amy")
DEV_CLIPS = ("abjones_5_08", "abjones_5_09", "amy_9_08", "amy_9_09")


def load_mir1k(
    root: PathLike,
    subset: str = "train",
    mix: str = "0dB",
    strict: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[list[Waveform], list[Sources]]:
    """Load the clips of MIR-1K (1000 clips, 16 kHz) without reading their samples.

    The left channel of every file is the accompaniment, the right channel the voice. The subsets
    are those of Huang et al. 2014, by singer: "dev" (4 clips) and "train" (171) are by abjones and
    amy, "test" (825) by the 17 other singers. Hidden files are passed over.

    Parameters
    ----------
    root : str or path-like
        The folder Wavfile, or the folder that holds it.
    subset : {"train", "dev", "test"}, default="train"
    mix : {"0dB", "natural"}, default="0dB"
        "0dB": voice and accompaniment are divided by their L2 norms and added, as in Huang et al.
        2014 (so the samples are small: a clip of 8 s has an RMS of 0.004). The norms are measured
        when a clip is first read. "natural": they are added as recorded.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        ``X``, a list of mono mixtures; ``y``, a list of Sources (2, n_samples), called "vocals"
        and "accompaniment"; ``names``, as "abjones_1_01"; ``groups``, the singers; ``duration``, of
        all clips in seconds; ``DESCR``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, holds no audio or does not have two channels; it is named.

    References
    ----------
    C.-L. Hsu and J.-S. R. Jang, "On the improvement of singing voice separation for monaural
    recordings using the MIR-1K dataset", IEEE TASLP 18(2), 2010. P.-S. Huang et al., ISMIR 2014,
    section 4.1.
    """
    check_choice("subset", subset, ("train", "dev", "test"))
    folder = folder_of_clips(root)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} does not exist. Is this the folder of MIR-1K?")
    names = _names_of_subset(folder, subset)
    if not any((folder / f"{name}.wav").exists() for name in names):
        raise FileNotFoundError(
            f"{folder} holds no clips of subset {subset!r}, which are named like abjones_1_01.wav."
        )
    X, y = open_clips([folder / f"{name}.wav" for name in names], mix, strict)
    singers = [name.split("_")[0] for name in names]
    description = (
        f"MIR-1K, subset {subset} by the split of Huang et al. 2014, mixed {mix}, from {folder}: "
        "mixture, voice and accompaniment; groups are singers. Hsu and Jang 2010; research use."
    )
    return make_bunch(X, y, names, singers, description, return_X_y)


def _names_of_subset(folder, subset):
    if subset == "dev":
        return list(DEV_CLIPS)
    names = sorted(path.stem for path in folder.glob("*_*.wav") if is_visible(path.name))
    of_training_singers = [n for n in names if n.split("_")[0] in TRAINING_SINGERS]
    if subset == "test":
        return sorted(set(names) - set(of_training_singers))
    return [n for n in of_training_singers if n not in DEV_CLIPS]
