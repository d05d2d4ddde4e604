"""Recognise a corpus by its folders, and load any corpus with one function."""

from pathlib import Path

from sksvs.datasets.bundle import check_choice
from sksvs.datasets.mir1k import load_mir1k
from sksvs.datasets.multitrack import load_dsd100, load_musdb18hq

# The loader of each corpus, and its own name for each subset of `load_corpus`.
CORPORA = {
    "mir1k": (load_mir1k, {"train": "train", "dev": "dev", "test": "test"}),
    "dsd100": (load_dsd100, {"train": "dev", "dev": "dev", "test": "test"}),
    "musdb18hq": (load_musdb18hq, {"train": "train", "test": "test"}),
}


def detect_corpus(root):
    """Return the name of the corpus that a folder holds.

    Parameters
    ----------
    root : str or path-like

    Returns
    -------
    {"mir1k", "dsd100", "musdb18hq"}

    Raises
    ------
    ValueError
        If the folder is laid out like none of them.
    """
    root = Path(root)
    if (root / "Mixtures").is_dir():
        return "dsd100"
    if (root / "train").is_dir():
        return "musdb18hq"
    if any([*root.glob("abjones_*.wav"), *root.glob("Wavfile/abjones_*.wav")]):
        return "mir1k"
    raise ValueError(
        f"{root} is none of the folders that are known: MIR-1K (holds Wavfile), DSD100 (holds "
        "Mixtures and Sources), MUSDB18-HQ (holds train and test)."
    )


def load_corpus(root, subset="train", corpus=None, strict=False):
    """Load MIR-1K, DSD100 or MUSDB18-HQ, whichever the folder holds.

    Parameters
    ----------
    root : str or path-like
        As for `load_mir1k`, `load_dsd100` and `load_musdb18hq`.
    subset : str, default="train"
        "train" (of DSD100 the subset dev), "test", or "dev" where the corpus has it.
    corpus : {"mir1k", "dsd100", "musdb18hq"}, optional
        The default is what `detect_corpus` finds.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.

    Returns
    -------
    Bunch
        ``X``, ``y``, ``names``, ``groups`` and ``DESCR``, as the loaders return them.

    Raises
    ------
    FileNotFoundError, ValueError
        As the loaders raise them; or if the corpus or the subset is not one of the above.
    """
    corpus = detect_corpus(root) if corpus is None else corpus
    check_choice("corpus", corpus, CORPORA)
    loader, subsets = CORPORA[corpus]
    check_choice(f"subset of {corpus}", subset, subsets)
    return loader(root, subsets[subset], strict=strict)
