"""Separate many audio files, one by one or in processes; a failure does not stop the others."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import BaseEstimator

from sksvs.audio import AudioFile
from sksvs.audio.encoding import keep_encoding
from sksvs.audio.pipes import is_pipe
from sksvs.separation.one_file import (
    fitted_pipeline,
    plan_stems,
    separate_file,
    stem_names,
    stem_paths,
)
from sksvs.separation.songs import Song, find_songs, refuse_conflicts
from sksvs.typing import PathLike


class SeparatedFile(NamedTuple):
    """The result of separating one file.

    Attributes
    ----------
    path : Path
        Of the mixture.
    stems : tuple of Path
        Of the estimates, the voice first; empty if the file failed.
    error : str or None
        Why the file failed.
    warnings : tuple of str
        About the file or its stems.
    skipped : bool
        Whether the stems were there already.
    """

    path: Path
    stems: tuple[Path, ...]
    error: str | None
    warnings: tuple[str, ...] = ()
    skipped: bool = False


def separate_files(
    separator: BaseEstimator,
    paths: Sequence[PathLike],
    out_dir: PathLike,
    *,
    n_jobs: int | None = None,
    source_names: Sequence[str | None] | None = None,
    audio_format: str | None = None,
    bitrate: float | None = None,
    strict: bool = False,
    skip_existing: bool = False,
) -> list[SeparatedFile]:
    """Separate many files, a folder of stems each; a file that fails does not stop the others.

    The stems of ``song.wav`` go to ``out_dir/song/``. A folder stands for the audio files in it, at
    any depth, and the folders of stems keep its structure: the stems of ``b/song.wav`` in it go to
    ``out_dir/b/song/``. A song whose stems would overwrite those of another one, or another song,
    fails.

    Parameters
    ----------
    separator, source_names, audio_format, bitrate, strict
        As in :func:`separate_file`.
    paths : sequence of str or path-like
        Files and folders.
    out_dir : str or path-like
    n_jobs : int, optional
        Files at a time, each in a process; -1 for one a core. Any joblib backend can be used, also
        Dask's on a cluster. One file at a time uses more than one core by itself.
    skip_existing : bool, default=False
        Whether to skip songs whose stems all exist already.

    Returns
    -------
    list of SeparatedFile
        In the order of `paths`, and by name within a folder.

    Warns
    -----
    UserWarning
        About each file, as :func:`separate_file` does; then, if files failed, naming them.
    """
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError(f"paths must be a sequence of paths; got {paths!r}. Put it into a list.")
    songs = plan_songs(separator, paths, out_dir, source_names, audio_format)
    stems = {"source_names": source_names, "audio_format": audio_format, "bitrate": bitrate}
    separated = separate_songs(
        separator, songs, n_jobs, strict=strict, skip_existing=skip_existing, **stems
    )
    results = []
    for result in separated:
        for message in result.warnings:
            warnings.warn(message, stacklevel=2)
        results.append(result)
    failed = [result.error for result in results if result.error]
    if failed:
        errors = "\n".join(f"  {error}" for error in failed)
        warnings.warn(
            f"{len(failed)} of {len(results)} files could not be separated:\n{errors}",
            stacklevel=2,
        )
    return results


def plan_songs(
    separator: BaseEstimator,
    paths: Sequence[PathLike],
    out_dir: PathLike,
    source_names: Sequence[str | None] | None = None,
    audio_format: str | None = None,
) -> list[Song]:
    """Return the songs that paths stand for; a song that cannot be separated has an error.

    Parameters
    ----------
    separator, paths, out_dir, source_names, audio_format
        As in :func:`separate_files`.

    Returns
    -------
    list of Song
    """
    names = stem_names(fitted_pipeline(separator)[-1], source_names)

    def stems_of(song):
        if is_pipe(song.path):  # cannot be opened twice; all that matters is that two conflict
            return stem_paths(song.folder, names, "")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come again when the song is separated
            ending = keep_encoding(AudioFile(song.path), audio_format).ending
        return stem_paths(song.folder, names, ending)

    return refuse_conflicts(find_songs(paths, out_dir), stems_of)


def separate_songs(
    separator: BaseEstimator, songs: Sequence[Song], n_jobs: int | None = None, **options: Any
) -> Iterator[SeparatedFile]:
    """Separate songs, and yield their results in order.

    Parameters
    ----------
    separator, n_jobs
        As in :func:`separate_files`.
    songs : list of Song
    **options
        As for :func:`separate_song`.

    Yields
    ------
    SeparatedFile
    """
    if effective_n_jobs(n_jobs) > 1:
        # Workers cannot read the pipes of this process, but they can read copies of the content.
        songs = [copy_pipe(song) for song in songs]
    return Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(separate_song)(separator, song, **options) for song in songs
    )


def separate_song(
    separator: BaseEstimator,
    song: Song,
    *,
    skip_existing: bool = False,
    begin: Callable[[int], object] | None = None,
    **options: Any,
) -> SeparatedFile:
    """Separate one song; whatever goes wrong is returned as text and not raised.

    Parameters
    ----------
    separator : Pipeline or search
    song : Song
    skip_existing : bool, default=False
    begin : callable, optional
        Called with the number of samples of the song once it is open.
    **options
        As for :func:`separate_file`.

    Returns
    -------
    SeparatedFile
    """
    source = song.path
    path = Path(source.path if isinstance(source, AudioFile) else source)
    if song.error is not None:
        return SeparatedFile(path, (), song.error)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file = (
                source
                if isinstance(source, AudioFile)
                else AudioFile(source, strict=options.get("strict", False))
            )
            if begin is not None:
                begin(file.n_samples)
            skipped = False
            if skip_existing:
                facts = (options.get(key) for key in ("source_names", "audio_format", "bitrate"))
                stems = plan_stems(fitted_pipeline(separator), file, song.folder, *facts)[-1]
                skipped = all(stem.exists() for stem in stems)
            if not skipped:
                stems = separate_file(separator, file, song.folder, **options)
        except Exception as error:  # whatever it is, it is reported, and the other files go on
            return SeparatedFile(path, (), _sentence(path, error), _texts(caught))
    return SeparatedFile(path, stems, None, _texts(caught), skipped)


def _texts(caught):
    return tuple(dict.fromkeys(str(warning.message) for warning in caught))


def _sentence(path, error):
    """Return the text of an error, with the path of the song in it."""
    text = str(error)
    if not text or not isinstance(error, (ValueError, OSError, TypeError)):
        text = ": ".join(filter(None, [type(error).__name__, text]))
    return text if str(path) in text else f"{path}: {text}"


def copy_pipe(song: Song) -> Song:
    """Return a song whose path is an open copy of its pipe; a song that is no pipe as it is.

    Parameters
    ----------
    song : Song

    Returns
    -------
    Song
        With an error if the pipe cannot be read.
    """
    if song.error is not None or isinstance(song.path, AudioFile) or not is_pipe(song.path):
        return song
    try:
        return song._replace(path=AudioFile(song.path))
    except (ValueError, OSError) as error:
        return song._replace(error=_sentence(song.path, error))
