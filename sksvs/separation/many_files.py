"""Separate many audio files, one after another or in processes; none stops the others."""

import os
import warnings
from pathlib import Path
from typing import NamedTuple

from joblib import Parallel, delayed, effective_n_jobs

from sksvs.audio import AudioFile
from sksvs.audio.encoding import keep_encoding
from sksvs.audio.pipes import is_pipe
from sksvs.separation.one_file import (
    choose_stem_encoding,
    fitted_pipeline,
    separate_file,
    stem_names,
    stem_paths,
)
from sksvs.separation.songs import find_songs, refuse_conflicts


class SeparatedFile(NamedTuple):
    """What has become of one file.

    Attributes
    ----------
    path : Path
        Of the mixture.
    stems : tuple of Path
        Of the estimates, the voice first; empty if it failed.
    error : str or None
        Why it failed.
    warnings : tuple of str
        What is odd about the file or its stems.
    skipped : bool
        Whether its stems were there already.
    """

    path: Path
    stems: tuple[Path, ...]
    error: str | None
    warnings: tuple[str, ...] = ()
    skipped: bool = False


def separate_files(
    separator,
    paths,
    out_dir,
    *,
    n_jobs=None,
    source_names=None,
    audio_format=None,
    bitrate=None,
    strict=False,
    skip_existing=False,
):
    """Separate many files, a folder of stems each; a file that fails does not stop the others.

    The stems of ``song.wav`` go to ``out_dir/song/``, whatever other songs there are. A folder
    stands for the audio files in it, at any depth, and their stems keep its structure: those of
    ``b/song.wav`` in it go to ``out_dir/b/song/``. A song whose stems would take the place of
    another's, or of another song, fails.

    Parameters
    ----------
    separator, source_names, audio_format, bitrate, strict
        As in :func:`separate_file`.
    paths : sequence of str or path-like
        Files and folders.
    out_dir : str or path-like
    n_jobs : int, optional
        Files at a time, each in a process; -1 for as many as there are cores. Any of joblib's
        backends can do the work, Dask's on a cluster too. One file at a time uses more than one
        core by itself.
    skip_existing : bool, default=False
        Whether a song whose stems are all there already is passed over.

    Returns
    -------
    list of SeparatedFile
        In the order of `paths`, and of the names in a folder.

    Warns
    -----
    UserWarning
        What is odd about files, file by file; then, if files failed, naming them.
    """
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError(f"paths must be a sequence of paths; got {paths!r}. Put it into a list.")
    options = {
        "source_names": source_names,
        "audio_format": audio_format,
        "bitrate": bitrate,
        "strict": strict,
        "skip_existing": skip_existing,
    }
    songs = plan_songs(separator, paths, out_dir, source_names, audio_format)
    results = []
    for result in separate_songs(separator, songs, n_jobs, **options):
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


def plan_songs(separator, paths, out_dir, source_names=None, audio_format=None):
    """Return the songs that paths stand for, those with an error that cannot be separated.

    Parameters
    ----------
    separator, paths, out_dir, source_names, audio_format
        As in :func:`separate_files`.

    Returns
    -------
    list of Song
    """
    names = stem_names(fitted_pipeline(separator)[-1], source_names)

    def ending_of(path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they come when it is separated
            return keep_encoding(AudioFile(path), audio_format).ending

    written = [name for name in names if name is not None]
    return refuse_conflicts(find_songs(paths, out_dir), written, ending_of)


def separate_songs(separator, songs, n_jobs=None, **options):
    """Yield what becomes of songs, in their order.

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
        # Workers do not have the pipes of this process, but they have what came through them.
        songs = [_with_copy_of_pipe(song) for song in songs]
    return Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(separate_song)(separator, song, **options) for song in songs
    )


def separate_song(separator, song, *, skip_existing=False, begin=None, **options):
    """Separate one song and say what has become of it; nothing that goes wrong is raised.

    Parameters
    ----------
    separator : Pipeline or search
    song : Song
    skip_existing : bool, default=False
    begin : callable, optional
        Called with the number of samples of the song when it has been opened.
    **options
        As for :func:`separate_file`.

    Returns
    -------
    SeparatedFile
    """
    opened = isinstance(song.path, AudioFile)
    path = Path(song.path.path if opened else song.path)
    if song.error is not None:
        return SeparatedFile(path, (), song.error)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file = song.path if opened else AudioFile(song.path, strict=options.get("strict"))
            if begin is not None:
                begin(file.n_samples)
            stems = _existing_stems(separator, file, song, options) if skip_existing else None
            skipped = stems is not None
            if not skipped:
                stems = separate_file(separator, file, song.folder, **options)
        except Exception as error:  # whatever it is, it is reported, and the other files go on
            return SeparatedFile(path, (), _sentence(path, error), _texts(caught))
    return SeparatedFile(path, stems, None, _texts(caught), skipped)


def _texts(caught):
    return tuple(dict.fromkeys(str(warning.message) for warning in caught))


def _sentence(path, error):
    """Return what an error says, with the song in it."""
    text = str(error)
    if not text or not isinstance(error, (ValueError, OSError, TypeError)):
        text = ": ".join(filter(None, [type(error).__name__, text]))
    return text if str(path) in text else f"{path}: {text}"


def _existing_stems(separator, file, song, options):
    """Return the paths of the stems of a file if all of them are there; None otherwise."""
    names = stem_names(fitted_pipeline(separator)[-1], options.get("source_names"))
    encoding = choose_stem_encoding(file, options.get("audio_format"), options.get("bitrate"))
    stems = stem_paths(song.folder, names, encoding.ending)
    return stems if all(stem.exists() for stem in stems) else None


def _with_copy_of_pipe(song):
    if song.error is not None or not is_pipe(song.path):
        return song
    try:
        return song._replace(path=AudioFile(song.path))
    except (ValueError, OSError) as error:
        return song._replace(error=_sentence(song.path, error))
