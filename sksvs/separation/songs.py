"""Find the songs that paths stand for, and give each of them a folder for its stems."""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from sksvs.audio.folders import AUDIO_ENDINGS, find_audio_files, real_path
from sksvs.audio.pipes import STANDARD_INPUT, is_pipe


class Song(NamedTuple):
    """A song to separate.

    Attributes
    ----------
    path : str
        Absolute; "-" for standard input.
    folder : Path
        Of its stems.
    error : str or None
        Why it is not separated.
    """

    path: str
    folder: Path
    error: str | None = None


def find_songs(paths, out_dir):
    """Return the songs that paths stand for.

    Where the stems of a song go depends on its own path alone: ``song.mp3`` has the folder
    ``out_dir/song``. A folder stands for the audio files in it at any depth, by their endings:
    ``a/b.mp3`` in it has the folder ``out_dir/a/b``. Hidden and system files are passed over, and
    what lies in `out_dir`.

    Parameters
    ----------
    paths : sequence of str or path-like
        Files, folders, pipes and "-" for standard input.
    out_dir : str or path-like

    Returns
    -------
    list of Song
        A folder without songs, or one that cannot be read, is one with an error.
    """
    songs, out_dir = [], Path(out_dir)
    for path in map(_as_text, paths):
        if os.path.isdir(path):
            found = list(_walk(path, out_dir))
            empty = Song(os.path.abspath(path), out_dir, f"{path} holds no audio files.")
            songs += found or [empty]
        else:
            absolute = path if is_pipe(path) else os.path.abspath(path)
            songs.append(Song(absolute, out_dir / folder_name(path)))
    return songs


def folder_name(path):
    """Return what the folder with the stems of a song is called: its name without the ending."""
    if path == STANDARD_INPUT:
        return "stdin"
    name = os.path.basename(os.path.abspath(path))
    stem, _, ending = name.rpartition(".")
    is_named = stem.strip(". ") != ""  # and not "." or "..", which are other folders
    return stem if is_named and ending.lower() in AUDIO_ENDINGS else name


def refuse_conflicts(songs, names, ending_of):
    """Return the songs, with errors where one's stems would take the place of something else.

    Parameters
    ----------
    songs : list of Song
    names : sequence of str
        Of the stems that are written, without ending.
    ending_of : callable
        Given a song's path, the ending of its stems. Called only where two songs share a folder or
        one lies among the stems of another; a song for which it raises is passed over.

    Returns
    -------
    list of Song
    """
    inputs = {key: song.path for song in songs for key in _keys(song.path)}
    folders = Counter(real_path(song.folder) for song in songs)
    of_inputs = {real_path(os.path.dirname(song.path)) for song in songs}
    checked, taken = [], {}
    for song in songs:
        place = real_path(song.folder)
        if song.error is None and (folders[place] > 1 or place in of_inputs):
            song = song._replace(error=_conflict(song, names, ending_of, inputs, taken))
        checked.append(song)
    return checked


def _conflict(song, names, ending_of, inputs, taken):
    """Return what the stems of a song would overwrite, or None; these are taken then."""
    try:
        ending = "" if is_pipe(song.path) else ending_of(song.path)
    except (ValueError, OSError):
        return None  # it will be said why when it is separated
    stems = [song.folder / f"{name}.{ending}" for name in names]
    for stem in stems:
        for key in _keys(stem):
            if key in taken:
                return (
                    f"{song.path} would have the same stems as {taken[key]}, in {song.folder}. "
                    "Separate it into another folder."
                )
            if inputs.get(key, song.path) != song.path:
                return (
                    f"A stem of {song.path} would be {stem}, which is one of the songs to "
                    "separate. Take another folder for the stems."
                )
    taken |= {key: song.path for stem in stems for key in _keys(stem)}
    return None


def _as_text(path):
    path = os.fspath(path)
    return os.fsdecode(path) if isinstance(path, bytes) else path


def _walk(root, out_dir):
    """Yield the songs in a folder at any depth, in the order of their names."""
    paths, errors = find_audio_files(root, skip=out_dir)
    for path in paths:
        below = os.path.relpath(os.path.dirname(path), root)
        yield Song(path, out_dir / below / folder_name(path))
    for error in errors:
        message = f"{error.filename} cannot be read ({error.strerror})."
        yield Song(os.path.abspath(error.filename), out_dir, message)


def _keys(path):
    """Yield what tells a file from others: where it is, and if it is there, which one it is."""
    yield real_path(path)
    if path != STANDARD_INPUT and os.path.exists(path):
        status = os.stat(path)
        yield status.st_dev, status.st_ino
