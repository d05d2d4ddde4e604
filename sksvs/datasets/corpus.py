"""Recognise a corpus by its folders, and load any corpus with one function."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sklearn.utils import Bunch

from sksvs.datasets.bundle import VOICE_AND_REST, check_choice
from sksvs.datasets.ikala import clip_names, load_ikala
from sksvs.datasets.karaoke_clips import folder_of_clips
from sksvs.datasets.mir1k import load_mir1k
from sksvs.datasets.multitrack import load_dsd100, load_musdb18hq
from sksvs.datasets.stems import holds_stems, load_stems
from sksvs.typing import PathLike

# The loader of each corpus, and its own name for each subset of `load_corpus`.
CORPORA: dict[str, tuple[Callable, dict[str, str]]] = {
    "mir1k": (load_mir1k, {"train": "train", "dev": "dev", "test": "test"}),
    "dsd100": (load_dsd100, {"train": "dev", "dev": "dev", "test": "test"}),
    "musdb18hq": (load_musdb18hq, {"train": "train", "dev": "dev", "test": "test"}),
    "ikala": (load_ikala, {}),
    "stems": (load_stems, {}),
}
OF_TWO_SOURCES = ("mir1k", "ikala")


def detect_corpus(root: PathLike) -> str:
    """Return the name of the corpus that a folder holds.

    Parameters
    ----------
    root : str or path-like

    Returns
    -------
    {"mir1k", "dsd100", "musdb18hq", "ikala", "stems"}
        "stems": no corpus, but a folder of songs for :func:`load_stems`.

    Raises
    ------
    ValueError
        If the folder is laid out like none of them.
    """
    root = Path(root)
    if (root / "Mixtures").is_dir():
        return "dsd100"
    if [*root.glob("train/*/mixture.wav")]:
        return "musdb18hq"
    if any(folder_of_clips(root).glob("abjones_*.wav")):
        return "mir1k"
    if clip_names(root):
        return "ikala"
    if holds_stems(root):
        return "stems"
    raise ValueError(
        f"{root} is none of the folders that are known: MIR-1K and iKala (hold Wavfile), DSD100 "
        "(holds Mixtures and Sources), MUSDB18-HQ (holds train and test), or songs, each a folder "
        "that holds vocals.wav and other stems."
    )


def load_corpus(
    root: PathLike,
    subset: str = "train",
    corpus: str | None = None,
    sources: Sequence[str] = VOICE_AND_REST,
    strict: bool = False,
) -> Bunch:
    """Load a corpus, or a folder of songs with stems, whichever the folder holds.

    Parameters
    ----------
    root : str or path-like
        As for `load_mir1k`, `load_dsd100`, `load_musdb18hq`, `load_ikala` and `load_stems`.
    subset : str, default="train"
        "train" (of DSD100 the subset dev), "test", or "dev" where the corpus has it. iKala and
        folders of stems have no subsets: all songs are loaded, whatever is asked for.
    corpus : {"mir1k", "dsd100", "musdb18hq", "ikala", "stems"}, optional
        The default is what `detect_corpus` finds.
    sources : sequence of str, default=("vocals", "accompaniment")
        What `y` holds, as for `load_dsd100` and `load_stems`. The clips of MIR-1K and iKala have no
        other sources than these.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.

    Returns
    -------
    Bunch
        ``X``, ``y``, ``names``, ``groups``, ``duration`` and ``DESCR``, as the loaders return them.

    Raises
    ------
    FileNotFoundError, ValueError
        As the loaders raise them; or if the corpus, the subset or the sources are not among the
        above.
    """
    corpus = detect_corpus(root) if corpus is None else corpus
    check_choice("corpus", corpus, CORPORA)
    loader, subsets = CORPORA[corpus]
    arguments: dict[str, Any] = {"strict": strict}
    if subsets:
        check_choice(f"subset of {corpus}", subset, subsets)
        arguments["subset"] = subsets[subset]
    if corpus in OF_TWO_SOURCES:
        if tuple(sources) != VOICE_AND_REST:
            raise ValueError(
                f"The sources of {corpus} must be {VOICE_AND_REST}, which its clips have; got "
                f"{tuple(sources)!r}."
            )
    else:
        arguments["sources"] = sources
    return loader(root, **arguments)
