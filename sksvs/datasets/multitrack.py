"""Load corpora that keep a mixture and four stems of every song: DSD100 and MUSDB18-HQ."""

from pathlib import Path

from sksvs.audio import AudioFile, Sources
from sksvs.audio.waveform import Sum
from sksvs.datasets.bundle import make_bunch
from sksvs.system.visible_files import is_visible

STEMS = ("bass", "drums", "other", "vocals")
WHOLE, ACCOMPANIMENT = "accompaniment", ("bass", "drums", "other")


def load_dsd100(
    root,
    subset="dev",
    sources=("vocals", "accompaniment"),
    strict=False,
    return_X_y=False,
):
    """Load the songs of DSD100 (100 songs, 44.1 kHz stereo WAV) without reading their samples.

    Expects ``Mixtures/Dev/<id - artist - title>/mixture.wav`` and
    ``Sources/Dev/<the same>/{bass,drums,other,vocals}.wav``, and likewise ``Test``. Hidden folders
    and those of systems and tools ("__MACOSX", "@eaDir") are passed over.

    Parameters
    ----------
    root : str or path-like
        The folder that holds Mixtures and Sources.
    subset : {"dev", "test"}, default="dev"
    sources : sequence of str, default=("vocals", "accompaniment")
        What `y` holds, in this order: any of "bass", "drums", "other", "vocals", and
        "accompaniment", the sum of the first three. A separator takes them to add up to the
        mixture, so leave none out when you fit one.
    strict : bool, default=False
        Whether a file that lacks samples is an error and not a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        ``X``, a list of AudioFile; ``y``, a list of Sources, each (n_sources, n_samples[,
        n_channels]), called as in `sources`; ``names``, the songs' folders; ``groups``, their
        artists; ``DESCR``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, holds no audio or has another length than its mixture; it is named.

    References
    ----------
    A. Liutkus et al., "The 2016 signal separation evaluation campaign", LVA/ICA 2017.
    """
    folder = _subset_folder(subset, {"dev": "Dev", "test": "Test"})
    root = Path(root)
    mixtures = root / "Mixtures" / folder
    return _load_songs(
        mixtures,
        root / "Sources" / folder,
        sources,
        # "051 - Actions - One Minute Smile"
        lambda name: name.split(" - ")[1] if " - " in name else name,
        "Mixtures and Sources",
        f"DSD100, subset {subset}, from {root}: mixture and {sources}; groups are "
        "artists. Liutkus et al. 2017; research use.",
        strict,
        return_X_y,
    )


def load_musdb18hq(
    root,
    subset="train",
    sources=("vocals", "accompaniment"),
    strict=False,
    return_X_y=False,
):
    """Load the songs of MUSDB18-HQ (150 songs, 44.1 kHz stereo WAV) without reading samples.

    Expects ``train/<artist - title>/{mixture,bass,drums,other,vocals}.wav``, and likewise
    ``test``. Folders are passed over as in :func:`load_dsd100`.

    Parameters
    ----------
    root : str or path-like
        The folder that holds train and test.
    subset : {"train", "test"}, default="train"
    sources : sequence of str, default=("vocals", "accompaniment")
        As in :func:`load_dsd100`.
    strict : bool, default=False
        Whether a file that lacks samples is an error and not a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        As of :func:`load_dsd100`.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, holds no audio or has another length than its mixture; it is named.

    References
    ----------
    Z. Rafii et al., "MUSDB18-HQ - an uncompressed version of MUSDB18", 2019.
    """
    folder = Path(root) / _subset_folder(subset, {"train": "train", "test": "test"})
    return _load_songs(
        folder,
        folder,
        sources,
        lambda name: name.split(" - ")[0],
        "train and test",
        f"MUSDB18-HQ, subset {subset}, from {root}: mixture and {sources}; groups are "
        "artists. Rafii et al. 2019; research use.",
        strict,
        return_X_y,
    )


def _subset_folder(subset, folders):
    if subset not in folders:
        raise ValueError(f"subset must be one of {', '.join(map(repr, folders))}; got {subset!r}.")
    return folders[subset]


def _load_songs(mixtures, stems, sources, artist_of, layout, description, strict, return_X_y):
    """Return the songs below `mixtures`, each a folder, in the order of their names.

    Hidden folders and those of systems and tools are passed over.
    """
    known = isinstance(sources, (list, tuple)) and all(s in (*STEMS, WHOLE) for s in sources)
    if not known or len(sources) < 2:
        raise ValueError(
            f"sources must be two names or more among {', '.join(STEMS)} and accompaniment; "
            f"got {sources!r}."
        )
    stems_used = [s for name in sources for s in (ACCOMPANIMENT if name == WHOLE else (name,))]
    if len(stems_used) != len(set(stems_used)):
        raise ValueError(
            f"sources must have every stem once; got {sources!r}, and accompaniment is the sum of "
            f"{', '.join(ACCOMPANIMENT)}."
        )
    if not mixtures.is_dir():
        raise FileNotFoundError(
            f"{mixtures} does not exist. root must be the folder that holds {layout}."
        )
    names = sorted(
        path.name for path in mixtures.iterdir() if path.is_dir() and is_visible(path.name)
    )
    if not names:
        raise FileNotFoundError(f"{mixtures} holds no songs, each in a folder of its own.")
    X = [AudioFile(mixtures / name / "mixture.wav", strict=strict) for name in names]
    y = [
        Sources([_load_source(stems / name, source, strict) for source in sources], sources)
        for name in names
    ]
    return make_bunch(X, y, names, [artist_of(name) for name in names], description, return_X_y)


def _load_source(folder, source, strict):
    if source == WHOLE:
        return Sum([AudioFile(folder / f"{stem}.wav", strict=strict) for stem in ACCOMPANIMENT])
    return AudioFile(folder / f"{source}.wav", strict=strict)
