"""Load any folder of songs that holds a folder of stems for each song."""

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from sklearn.utils import Bunch

from sksvs.audio import AudioFile, Sources, Waveform
from sksvs.audio.checks import common_grid
from sksvs.audio.folders import find_audio_files
from sksvs.audio.timeline import in_channels
from sksvs.audio.waveform import Sum
from sksvs.datasets.bundle import VOICE_AND_REST, check_choice, in_words, make_bunch
from sksvs.typing import PathLike

MIXTURE = "mixture"
REST = VOICE_AND_REST[1]  # made of all stems that are asked for under no other name
# Other names under which the stems of a song are found.
ALIASES = {
    "vocals": ("vocal", "voice", "vox", "singing"),
    REST: ("instrumental", "instrumentals", "music", "karaoke", "no_vocals", "backing"),
    MIXTURE: ("mix", "master"),
    "drums": ("drum", "percussion"),
    "bass": ("bassline",),
    "other": ("others",),
}


def load_stems(
    root: PathLike,
    sources: Sequence[str] = VOICE_AND_REST,
    *,
    aliases: Mapping[str, Sequence[str]] | None = None,
    incomplete: str = "skip",
    strict: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[list[Waveform], list[Sources]]:
    """Load a folder of songs, each a folder of stems, without reading their samples.

    A song is a folder, at any depth below `root`, that holds an audio file called after one of the
    sources, in any format and case: ``vocals.wav``, ``bass.mp3``. What else it holds are stems too:
    those that are not asked for are summed into "accompaniment", if that is asked for and there is
    no file of that name. The mixture is ``mixture.*``, or where there is none, the sum of all
    sources. Hidden files, and those that systems and tools make, are passed over.

    Parameters
    ----------
    root : str or path-like
    sources : sequence of str, default=("vocals", "accompaniment")
        What `y` holds, in this order: two names or more, the target voice first. To fit a
        separator, name sources that add up to the mixture.
    aliases : dict of str to sequence of str, optional
        More names of files for a source, or for "mixture": ``{"vocals": ["lead", "take 1"]}``.
        "vocal", "voice", "vox" and "singing" are vocals already; "instrumental", "music",
        "karaoke", "no_vocals" and "backing" are accompaniments, "mix" and "master" mixtures.
    incomplete : {"skip", "raise"}, default="skip"
        What happens to songs that lack a stem, or hold a file that cannot be read, has another
        sample rate or another length: a warning names them and they are left out, or an error
        names the first one.
    strict : bool, default=False
        Whether a file that lacks samples is an error instead of a warning.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        ``X``, a list of mixtures; ``y``, a list of Sources, each (n_sources, n_samples[,
        n_channels]), called as in `sources`; ``names``, the songs' folders, relative to `root`;
        ``groups``, the artists: "Artist" where the folder is called "Artist - Title" or "051 -
        Artist - Title", else the folder around that of the song, or in `root` itself the song;
        ``duration``, the length of all songs in seconds; ``DESCR``.

        Where some stems of a song are mono and others are not, the mono ones are the same in all
        channels.

    Warns
    -----
    UserWarning
        If songs are left out, naming them.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder does not exist or holds no complete song, an argument is not usable, or with
        ``incomplete="raise"`` a song is not complete, naming it and what it lacks.
    OSError
        If a folder may not be read.

    Examples
    --------
    >>> data = load_stems("my_songs")                               # doctest: +SKIP
    >>> data = load_stems(                                          # doctest: +SKIP
    ...     "my_songs", ["lead", "choir", "band"], aliases={"band": ["playback"]})
    """
    check_choice("incomplete", incomplete, ("skip", "raise"))
    sources = _check_names(sources)
    names_of = _names_of_files(sources, aliases)
    if not os.path.isdir(root):
        raise FileNotFoundError(f"{root} does not exist, or is no folder.")
    paths, errors = find_audio_files(root)
    if errors:
        raise errors[0]
    folders = {}
    for path in paths:
        folders.setdefault(os.path.dirname(path), []).append(path)
    root, found, left_out = os.path.abspath(root), {}, []
    for folder in sorted(folders):
        stems, unknown = _stems_of(folders[folder], names_of)
        if not any(source in stems for source in sources):
            continue  # no song, but a folder of other recordings
        name = os.path.basename(root) if folder == root else os.path.relpath(folder, root)
        try:
            found[name] = _open_song(folder, stems, unknown, sources, strict)
        except (ValueError, OSError) as error:
            if incomplete == "raise":
                raise
            left_out.append(str(error))
    if left_out:
        n_songs = len(left_out) + len(found)
        warnings.warn(
            f"{len(left_out)} of {n_songs} songs are left out: {in_words(left_out)}", stacklevel=2
        )
    if not found:
        raise ValueError(
            f"{root} holds no complete song. Each must be a folder with audio files called "
            f"{', '.join(sources)}. Name files that are called otherwise: "
            f"aliases={{{sources[0]!r}: [...]}}."
        )
    names = list(found)
    X, y = ([song[part] for song in found.values()] for part in (0, 1))
    description = f"Songs with stems from {root}: mixture and {sources}; groups are artists."
    return make_bunch(X, y, names, [_artist(name) for name in names], description, return_X_y)


def holds_stems(root):
    """Return whether some folder at any depth holds a file called vocals, or by an alias of it."""
    names = {"vocals", *ALIASES["vocals"]}
    return any(Path(path).stem.lower() in names for path in find_audio_files(root)[0])


def _check_names(sources):
    known = isinstance(sources, (list, tuple)) and all(isinstance(name, str) for name in sources)
    if not known or len(sources) < 2 or len({name.lower() for name in sources}) < len(sources):
        raise ValueError(f"sources must be two different names or more; got {sources!r}.")
    return tuple(sources)


def _names_of_files(sources, aliases):
    """Return what a file is, source or mixture, by its name in lower case."""
    aliases = {} if aliases is None else dict(aliases)
    unknown = set(aliases) - {*sources, MIXTURE}
    if unknown:
        raise ValueError(
            f"aliases must be for {', '.join(sources)} or {MIXTURE}; got {sorted(unknown)[0]!r}."
        )
    names_of = {}
    for name in (*sources, MIXTURE):
        more = aliases.get(name, ())
        more = (more,) if isinstance(more, str) else tuple(more)
        for alias in (name, *ALIASES.get(name.lower(), ()), *more):
            if names_of.setdefault(alias.lower(), name) != name:
                raise ValueError(
                    f"A file called {alias!r} must be one source; got {names_of[alias.lower()]!r} "
                    f"and {name!r}. Name it in aliases of one of them."
                )
    return names_of


def _stems_of(paths, names_of):
    """Return the files of a folder by source, and those that have no known name."""
    stems, unknown = {}, []
    for path in paths:
        name = names_of.get(Path(path).stem.lower())
        unknown += [path] if name is None else []
        if name is not None:
            stems.setdefault(name, []).append(path)
    return stems, unknown


def _open_song(folder, stems, unknown, sources, strict):
    """Return the mixture and the sources of a song.

    Raises
    ------
    ValueError, OSError
        If a stem is missing, there are two files for one, or a file cannot be read or does not fit
        the others; it is named.
    """
    for name, paths in stems.items():
        if len(paths) > 1:
            files = ", ".join(map(os.path.basename, paths))
            raise ValueError(f"{folder} has several files for {name}: {files}. Keep one.")
    if REST in sources and unknown:
        stems = {REST: unknown, **stems}
    missing = [source for source in sources if source not in stems]
    if missing:
        there = ", ".join(sorted(os.path.basename(p) for ps in stems.values() for p in ps))
        raise ValueError(f"{folder} lacks {', '.join(missing)}: it holds {there}.")
    opened = {name: [AudioFile(p, strict=strict) for p in paths] for name, paths in stems.items()}
    n_channels = max(file.n_channels for files in opened.values() for file in files)
    waveforms = {}
    for name, files in opened.items():
        files = [in_channels(file, n_channels) for file in files]
        waveforms[name] = files[0] if len(files) == 1 else Sum(files)
    y = Sources([waveforms[source] for source in sources], sources)
    mixture = waveforms.get(MIXTURE) or Sum(y.waveforms)
    common_grid([mixture, *y.waveforms])
    return mixture, y


def _artist(name):
    """Return the artist of a song from the folder's path relative to the root."""
    folder, song = os.path.split(name)
    parts = song.split(" - ")
    if len(parts) > 2 and parts[0].isdigit():
        return parts[1]
    return parts[0] if len(parts) > 1 else folder or song
