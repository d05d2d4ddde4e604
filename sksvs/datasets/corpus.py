"""Tell corpora apart by their folders, and load any of them in one way."""

from pathlib import Path

from sksvs.datasets.mir1k import load_mir1k
from sksvs.datasets.multitrack import load_dsd100, load_musdb18hq

# Loader, and what it calls the subsets that can be asked for.
CORPORA = {
    "mir1k": (load_mir1k, {"train": "train", "dev": "dev", "test": "test"}),
    "dsd100": (load_dsd100, {"train": "dev", "dev": "dev", "test": "test"}),
    "musdb18hq": (load_musdb18hq, {"train": "train", "test": "test"}),
}


def detect_corpus(root):
    """Return which corpus a folder holds.

    Parameters
    ----------
    root : str or path-like

    Returns
    -------
    {"mir1k", "dsd100", "musdb18hq"}

    Raises
    ------
    ValueError
        If it is none of them.
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
    """Load MIR-1K, DSD100 or MUSDB18-HQ, whichever is there.

    Parameters
    ----------
    root : str or path-like
        As for `load_mir1k`, `load_dsd100` and `load_musdb18hq`.
    subset : str, default="train"
        "train" for the songs to learn from ("dev" in DSD100), "test" for those to judge by, or
        another that the corpus has.
    corpus : {"mir1k", "dsd100", "musdb18hq"}, optional
        The default is what the folder looks like.
    strict : bool, default=False
        Whether a file that lacks samples is an error and not a warning.

    Returns
    -------
    Bunch
        As of the loaders: ``X``, ``y``, ``names``, ``groups``, ``DESCR``.

    Raises
    ------
    FileNotFoundError, ValueError
        As by the loaders; or if the corpus is not known.
    """
    corpus = detect_corpus(root) if corpus is None else corpus
    if corpus not in CORPORA:
        known = ", ".join(map(repr, CORPORA))
        raise ValueError(f"corpus must be one of {known}; got {corpus!r}.")
    loader, subsets = CORPORA[corpus]
    if subset not in subsets:
        raise ValueError(f"subset of {corpus} must be one of {', '.join(subsets)}; got {subset!r}.")
    return loader(root, subsets[subset], strict=strict)
