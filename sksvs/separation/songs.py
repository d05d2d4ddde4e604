"""Find the songs that paths stand for, and choose a folder for the stems of each."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sksvs.audio import AudioFile
from sksvs.audio.folders import AUDIO_ENDINGS, find_audio_files, real_path
from sksvs.audio.pipes import STANDARD_INPUT, is_pipe
from sksvs.typing import PathLike


class Song(NamedTuple):
    """A song to separate.

    Attributes
    ----------
    path : str or AudioFile
        Absolute; "-" for standard input. An AudioFile is the open copy of a pipe.
    folder : Path
        Of its stems.
    error : str or None
        Why it cannot be separated.
    """

    path: str | AudioFile
    folder: Path
    error: str | None = None


def find_songs(paths: Sequence[PathLike], out_dir: PathLike) -> list[Song]:
    """Return the songs that paths stand for.

    The folder of the stems of a song depends only on its own path: ``out_dir/song`` for
    ``song.mp3``. A folder stands for the audio files in it at any depth, by their endings: the
    stems of ``a/b.mp3`` in it go to ``out_dir/a/b``. Hidden files, system files and the contents of
    `out_dir` are skipped.

    Parameters
    ----------
    paths : sequence of str or path-like
        Files, folders, pipes and "-" for standard input.
    out_dir : str or path-like

    Returns
    -------
    list of Song
        A folder without songs, or one that cannot be read, gives one with an error.
    """
    songs, out_dir = [], Path(out_dir)
    for path in map(os.fsdecode, paths):
        if os.path.isdir(path):
            found = list(_walk(path, out_dir))
            empty = Song(os.path.abspath(path), out_dir, f"{path} holds no audio files.")
            songs += found or [empty]
        else:
            absolute = path if is_pipe(path) else os.path.abspath(path)
            songs.append(Song(absolute, out_dir / folder_name(path)))
    return songs


def folder_name(path):
    """Return the name of the folder for the stems of a song: that of the song without ending."""
    if path == STANDARD_INPUT:
        return "stdin"
    name = os.path.basename(os.path.abspath(path))
    stem, _, ending = name.rpartition(".")
    is_named = stem.strip(". ") != ""  # and not "." or "..", which are other folders
    return stem if is_named and ending.lower() in AUDIO_ENDINGS else name


def refuse_conflicts(songs, stems_of):
    """Return the songs, with errors where stems would overwrite another song or other stems.

    Parameters
    ----------
    songs : list of Song
    stems_of : callable
        Given a song, the paths of its stems. Called only if two songs share a folder or a song lies
        in a folder of stems; a song for which it raises has no conflict.

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
            song = song._replace(error=_conflict(song, stems_of, inputs, taken))
        checked.append(song)
    return checked


def _conflict(song, stems_of, inputs, taken):
    """Return the error of a song whose stems would overwrite a file; else add them to `taken`."""
    try:
        stems = stems_of(song)
    except (ValueError, OSError):
        return None  # separating it raises the same error
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
    """Yield what identifies a file: its real path and, if it exists, its device and inode."""
    yield real_path(path)
    if path != STANDARD_INPUT and os.path.exists(path):
        status = os.stat(path)
        yield status.st_dev, status.st_ino
