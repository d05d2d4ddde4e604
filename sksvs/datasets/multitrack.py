"""Load corpora with a mixture and four stems of every song: DSD100 and MUSDB18-HQ."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sksvs.audio import AudioFile, Sources, Waveform
from sksvs.audio.waveform import Sum
from sksvs.datasets.bundle import VOICE_AND_REST, check_choice, make_bunch
from sksvs.system.visible_files import is_visible
from sksvs.typing import PathLike

STEMS = ("bass", "drums", "other", "vocals")
# The songs of MUSDB18's training set on which its makers validate, as in their package musdb.
MUSDB18_VALIDATION = (
    *("Actions - One Minute Smile", "Alexander Ross - Goodbye Bolero", "ANiMAL - Rockshow"),
    *("Clara Berry And Wooldog - Waltz For My Victims", "Fergessen - Nos Palpitants"),
    *("James May - On The Line", "Johnny Lokke - Promises & Lies", "Leaf - Summerghost"),
    *("Meaxic - Take A Step", "Patrick Talbot - A Reason To Leave", "Skelpolu - Human Mistakes"),
    *("Traffic Experiment - Sirens", "Triviul - Angelsaint", "Young Griffo - Pennies"),
)
# The stems that are summed for each source that can be asked for.
SOURCES = {**{stem: (stem,) for stem in STEMS}, "accompaniment": ("bass", "drums", "other")}


def load_dsd100(
    root: PathLike,
    subset: str = "dev",
    sources: Sequence[str] = VOICE_AND_REST,
    strict: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[list[Waveform], list[Sources]]:
    """Load the songs of DSD100 (100 songs, 44.1 kHz stereo WAV) without reading their samples.

    Expects ``Mixtures/Dev/<id - artist - title>/mixture.wav`` and
    ``Sources/Dev/<the same>/{bass,drums,other,vocals}.wav``, and likewise ``Test``. Hidden folders
    and those that systems and tools make ("__MACOSX", "@eaDir") are passed over.

    Parameters
    ----------
    root : str or path-like
        The folder that holds Mixtures and Sources.
    subset : {"dev", "test"}, default="dev"
    sources : sequence of str, default=("vocals", "accompaniment")
        What `y` holds, in this order: any of "bass", "drums", "other", "vocals", and
        "accompaniment", the sum of the first three. To fit a separator, name sources that add up
        to the mixture.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        ``X``, a list of AudioFile; ``y``, a list of Sources, each (n_sources, n_samples[,
        n_channels]), called as in `sources`; ``names``, the songs' folders; ``groups``, their
        artists; ``duration``, of all songs in seconds; ``DESCR``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, holds no audio or has another length than its mixture; it is named.

    References
    ----------
    A. Liutkus et al., "The 2016 signal separation evaluation campaign", LVA/ICA 2017.
    """
    check_choice("subset", subset, ("dev", "test"))
    folder, root = subset.capitalize(), Path(root)
    return _load_songs(
        root / "Mixtures" / folder,
        root / "Sources" / folder,
        sources=sources,
        artist_of=lambda name: name.split(" - ")[1] if " - " in name else name,  # 051 - Actions - …
        layout="Mixtures and Sources",
        description=f"DSD100, subset {subset}, from {root}: mixture and {sources}; groups are "
        "artists. Liutkus et al. 2017; research use.",
        strict=strict,
        return_X_y=return_X_y,
    )


def load_musdb18hq(
    root: PathLike,
    subset: str = "train",
    sources: Sequence[str] = VOICE_AND_REST,
    strict: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[list[Waveform], list[Sources]]:
    """Load the songs of MUSDB18-HQ (150 songs, 44.1 kHz stereo WAV) without reading samples.

    Expects ``train/<artist - title>/{mixture,bass,drums,other,vocals}.wav``, and likewise
    ``test``. Folders are passed over as in :func:`load_dsd100`.

    Parameters
    ----------
    root : str or path-like
        The folder that holds train and test.
    subset : {"train", "dev", "test"}, default="train"
        "dev": the 14 songs of "train" on which the makers of the corpus validate.
    sources : sequence of str, default=("vocals", "accompaniment")
        As in :func:`load_dsd100`.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        As from :func:`load_dsd100`; and ``validation_tracks``, an array that is True for the songs
        in "dev": ``pipe.fit(X, y, gru__validation_tracks=data.validation_tracks)`` holds them out
        of training.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, holds no audio or has another length than its mixture; it is named.

    References
    ----------
    Z. Rafii et al., "MUSDB18-HQ - an uncompressed version of MUSDB18", 2019.
    """
    check_choice("subset", subset, ("train", "dev", "test"))
    folder = Path(root) / ("train" if subset == "dev" else subset)
    return _load_songs(
        folder,
        folder,
        sources=sources,
        artist_of=lambda name: name.split(" - ")[0],  # "Actions - One Minute Smile"
        layout="train and test",
        description=f"MUSDB18-HQ, subset {subset}, from {root}: mixture and {sources}; groups are "
        "artists. Rafii et al. 2019; research use.",
        strict=strict,
        return_X_y=return_X_y,
        only=MUSDB18_VALIDATION if subset == "dev" else None,
        validation=MUSDB18_VALIDATION,
    )


def _load_songs(
    *folders, sources, artist_of, layout, description, strict, return_X_y, only=None, validation=()
):
    """Return the songs of the folder of mixtures, each in a folder of its own, by name.

    With `only`, the songs of these names; with `validation`, the Bunch tells which have these.
    """
    mixtures, stems = folders
    known = isinstance(sources, (list, tuple)) and all(source in SOURCES for source in sources)
    if not known or len(sources) < 2:
        raise ValueError(
            f"sources must be two names or more among {', '.join(SOURCES)}; got {sources!r}."
        )
    used = [stem for source in sources for stem in SOURCES[source]]
    if len(used) != len(set(used)):
        raise ValueError(
            f"sources must have every stem once; got {sources!r}, and accompaniment is the sum of "
            f"{', '.join(SOURCES['accompaniment'])}."
        )
    if not mixtures.is_dir():
        raise FileNotFoundError(
            f"{mixtures} does not exist. root must be the folder that holds {layout}."
        )
    names = sorted(path.name for path in mixtures.iterdir() if path.is_dir())
    names = [name for name in names if is_visible(name) and (only is None or name in only)]
    if not names:
        raise FileNotFoundError(f"{mixtures} holds no songs, each in a folder of its own.")
    X = [AudioFile(mixtures / name / "mixture.wav", strict=strict) for name in names]
    y = [
        Sources([_open_source(stems / name, source, strict) for source in sources], sources)
        for name in names
    ]
    more = {"validation_tracks": np.isin(names, validation)} if validation else {}
    groups = [artist_of(name) for name in names]
    return make_bunch(X, y, names, groups, description, return_X_y, **more)


def _open_source(folder, source, strict):
    stems = [AudioFile(folder / f"{stem}.wav", strict=strict) for stem in SOURCES[source]]
    return stems[0] if len(stems) == 1 else Sum(stems)
