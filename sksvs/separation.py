"""Separate audio files into audio files, in constant memory, one or many."""

import os
import warnings
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs._audio_writer import can_write, default_subtype, writing
from sksvs._background import prefetch
from sksvs.audio import AudioFile
from sksvs.spectrogram import Spectrogram
from sksvs.waveform import Downmix

# Endings of libsndfile's kinds of WAV; others are their own ending.
ENDINGS = {"WAVEX": "wav", "RF64": "wav"}
LONGEST_WAV = 4e9  # bytes of samples: lengths in a WAV header have 32 bits, those in RF64 64


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
    """

    path: Path
    stems: tuple[Path, ...]
    error: str | None


def separate_file(separator, path, out_dir, *, source_names=None, audio_format=None, progress=None):
    """Separate an audio file into one file a source, reading and writing a few seconds at a time.

    The files together are what ``separator.predict([AudioFile(path)])`` gives, with the file's
    sample rate and channels: where the pipeline averages channels (`MonoDownmix`), the masks are
    applied to every channel all the same, so that the mean of the channels is what `predict`
    gives. Memory does not grow with the length of the file. Its level is measured first, so it is
    decoded twice.

    Every stem is written to a temporary file that is renamed when all are complete. So under the
    final name there is a whole file or what was there before, also when the process is killed or
    the disk is full. What a killed process leaves, ``.vocals.wav.….part``, is removed when the
    same stem is written a minute later or more.

    Parameters
    ----------
    separator : Pipeline or search
        Fitted, from waveforms to a separator; of a search, its best estimator.
    path : str or path-like
        Any format that `AudioFile` reads. At any sample rate if the pipeline has a
        ``STFTTransformer(sample_rate=...)``, else at that of the songs learnt from.
    out_dir : str or path-like
        Made if it does not exist.
    source_names : sequence of str or None, optional
        Names of the stems without ending, the voice first; None for one that is not to be
        written. The default is ("vocals", "accompaniment"), and ("vocals", "source_1",
        "source_2", …) for more than two.
    audio_format : str, optional
        "wav", "flac" or another that libsndfile writes. The default is that of the file. The
        subtype ("PCM_16", "FLOAT", …) is kept where the format has it, else it is 24 bits; a
        file of a kind that cannot be written gives 24-bit WAV.
    progress : callable, optional
        Called with a number of samples whenever as many more have been separated, as
        ``tqdm(total=len(AudioFile(path))).update`` wants to be.

    Returns
    -------
    tuple of Path
        Of the stems that were written, the voice first.

    Warns
    -----
    UserWarning
        If samples beyond full scale are clipped by the subtype.

    Raises
    ------
    ValueError, TypeError, OSError
        Naming the file: if it cannot be read or has a sample rate that the pipeline does not
        take, a stem would overwrite it, or a stem cannot be written.

    Examples
    --------
    >>> separate_file(separator, "song.flac", "separated/song")    # doctest: +SKIP
    (PosixPath('separated/song/vocals.flac'), PosixPath('separated/song/accompaniment.flac'))
    """
    pipeline = _fitted_pipeline(separator)
    names = _source_names(source_names, pipeline[-1].n_sources_)
    file = AudioFile(path)
    audio_format, subtype = _choose_format(file, audio_format)
    wanted = [i for i, name in enumerate(names) if name is not None]
    stems = _stem_paths(out_dir, names, audio_format)
    for stem in stems:
        if stem.exists() and stem.samefile(file.path):
            raise ValueError(
                f"{file.path} would be overwritten by its own stem. Take another out_dir."
            )
    blocks = pipeline[-1].iter_blocks([_with_all_channels(file, *pipeline[:-1].transform([file]))])
    Path(out_dir).mkdir(parents=True, exist_ok=True)
    n_channels = file.shape[1] if file.ndim == 2 else 1
    with ExitStack() as stack:
        writers = [
            stack.enter_context(writing(stem, file.sample_rate, n_channels, subtype, audio_format))
            for stem in stems
        ]
        for estimates in stack.enter_context(closing(prefetch(blocks))):
            for writer, i in zip(writers, wanted):
                writer.write(estimates[i])
            if progress is not None:
                progress(estimates.shape[1])
    return stems


def separate_files(separator, paths, out_dir, *, n_jobs=None, source_names=None, audio_format=None):
    """Separate many files, a folder of stems each; a file that fails does not stop the others.

    The stems of ``a/b/song.wav`` go to ``out_dir/b/song/``, where ``a`` is what all paths share.

    Parameters
    ----------
    separator, source_names, audio_format
        As in :func:`separate_file`.
    paths : sequence of str or path-like
    out_dir : str or path-like
    n_jobs : int, optional
        Files at a time, each in a process; -1 for as many as there are cores. Any of joblib's
        backends can do the work, Dask's on a cluster too. One file at a time uses more than one
        core by itself.

    Returns
    -------
    list of SeparatedFile
        In the order of `paths`.

    Warns
    -----
    UserWarning
        If files failed, naming them.

    Raises
    ------
    ValueError
        If two files would have their stems in one folder, or a stem of one would overwrite
        another; then nothing is written.
    """
    _source_names(source_names, _fitted_pipeline(separator)[-1].n_sources_)
    if isinstance(paths, (str, os.PathLike)):
        raise TypeError(f"paths must be a sequence of paths; got {paths!r}. Put it into a list.")
    paths = [Path(os.path.abspath(path)) for path in paths]
    folders = stem_folders(paths, out_dir)
    refuse_overwritten_inputs(separator, paths, folders, source_names, audio_format)
    results = Parallel(n_jobs=n_jobs)(
        delayed(_try_to_separate)(separator, path, folder, source_names, audio_format)
        for path, folder in zip(paths, folders)
    )
    failed = [result for result in results if result.error]
    if failed:
        errors = "\n".join(f"  {result.path}: {result.error}" for result in failed)
        warnings.warn(
            f"{len(failed)} of {len(paths)} files could not be separated:\n{errors}", stacklevel=2
        )
    return results


def _try_to_separate(separator, path, folder, source_names, audio_format):
    try:
        stems = separate_file(
            separator, path, folder, source_names=source_names, audio_format=audio_format
        )
    except Exception as error:  # whatever it is, it is reported, and the other files go on
        return SeparatedFile(path, (), f"{type(error).__name__}: {error}")
    return SeparatedFile(path, stems, None)


def _fitted_pipeline(separator):
    pipeline = getattr(separator, "best_estimator_", separator)
    if not isinstance(pipeline, Pipeline) or not hasattr(pipeline[-1], "iter_blocks"):
        raise TypeError(
            "separator must be a fitted Pipeline from waveforms to a separator, or a search over "
            f"one; got {type(separator).__name__}."
        )
    check_is_fitted(pipeline[-1], "n_sources_")
    return pipeline


def _source_names(names, n_sources):
    if names is None:
        others = [f"source_{i}" for i in range(1, n_sources)]
        return ["vocals", *(others if n_sources > 2 else ["accompaniment"])]
    names = list(names)
    written = [name for name in names if name is not None]
    different = written and len(set(written)) == len(written)
    if len(names) != n_sources or not different or any(Path(n).name != n for n in written):
        raise ValueError(
            f"source_names must be {n_sources} different file names without folders, or None for "
            f"a source that is not to be written; got {names}."
        )
    return names


def _choose_format(file, audio_format):
    """Return the format and the subtype of the stems, in libsndfile's words."""
    if audio_format is None:
        wanted = file.format if can_write(file.format, file.subtype) else "WAV"
    else:
        wanted = audio_format.upper().lstrip(".")
        if not can_write(wanted):
            raise ValueError(
                f"audio_format must be a kind of file that libsndfile writes, such as 'wav' or "
                f"'flac'; got {audio_format!r}."
            )
    keeps = can_write(wanted, file.subtype)
    subtype = file.subtype if keeps else default_subtype(wanted)
    bytes_per_sample = 8 if subtype == "DOUBLE" else 4
    if wanted in ("WAV", "WAVEX") and np.prod(file.shape) * bytes_per_sample > LONGEST_WAV:
        wanted = "RF64"
    return wanted, subtype


def _stem_paths(folder, names, audio_format):
    """Return the paths of the stems that are wanted, the voice first."""
    ending = ENDINGS.get(audio_format, audio_format.lower())
    return tuple(Path(folder) / f"{name}.{ending}" for name in names if name is not None)


def _with_all_channels(file, spectrogram):
    """Return the spectrogram of the file itself where the pipeline has averaged its channels."""
    waveform = spectrogram.waveform
    if isinstance(waveform, Downmix) and waveform.waveform == file:
        return Spectrogram(file, spectrogram.params)
    return spectrogram


def stem_folders(paths, out_dir):
    """Return a folder for the stems of each file, named by what the paths do not share.

    Parameters
    ----------
    paths : sequence of str or path-like
    out_dir : str or path-like

    Returns
    -------
    list of Path
        ``out_dir/b/song`` for ``a/b/song.wav``, where ``a`` is what all paths share.

    Raises
    ------
    ValueError
        If two files would have the same folder.
    """
    paths = [Path(os.path.abspath(path)) for path in paths]
    if not paths:
        return []
    shared = os.path.commonpath([path.parent for path in paths])
    folders = [Path(out_dir) / path.relative_to(shared).with_suffix("") for path in paths]
    for i, folder in enumerate(folders):
        first = folders.index(folder)
        if first < i:
            raise ValueError(
                f"{paths[first]} and {paths[i]} would have their stems in one folder, {folder}. "
                "Separate them one after the other, with separate_file."
            )
    return folders


def refuse_overwritten_inputs(separator, paths, folders, source_names=None, audio_format=None):
    """Raise a ValueError if a stem of one file would lie where another file is to be read.

    Parameters
    ----------
    separator, source_names, audio_format
        As in :func:`separate_file`.
    paths : sequence of str or path-like
        Those that cannot be separated are passed over: they have no stems.
    folders : sequence of Path
        As of :func:`stem_folders`.
    """
    names = _source_names(source_names, _fitted_pipeline(separator)[-1].n_sources_)
    inputs = {key: path for path in paths for key in _keys(path)}
    for path, folder in zip(paths, folders):
        try:
            stems = _stem_paths(folder, names, _choose_format(AudioFile(path), audio_format)[0])
        except (ValueError, OSError):
            continue
        for stem in stems:
            for other in (inputs.get(key) for key in _keys(stem)):
                if other not in (None, path):
                    raise ValueError(
                        f"A stem of {path} would be {stem}, which is one of the files to separate, "
                        f"{other}. Take another folder for the stems."
                    )


def _keys(path):
    """Return what tells a file from others: where it is, and if it is there, which one it is."""
    yield os.path.realpath(path)
    if os.path.exists(path):
        status = os.stat(path)
        yield status.st_dev, status.st_ino
