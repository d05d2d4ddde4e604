"""Separate one audio file into one file a source, in constant memory."""

import os
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs.audio import AudioFile
from sksvs.audio.encoding import keep_encoding
from sksvs.audio.waveform import Downmix
from sksvs.audio.writing import writing_all
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import default_source_names
from sksvs.system.threads import prefetch


def separate_file(
    separator,
    path,
    out_dir,
    *,
    source_names=None,
    audio_format=None,
    bitrate=None,
    strict=False,
    progress=None,
):
    """Separate an audio file into one file a source, reading and writing a few seconds at a time.

    The files together are what ``separator.predict([AudioFile(path)])`` gives, with the file's
    sample rate and channels: where the pipeline averages channels (`MonoDownmix`), the masks are
    applied to every channel all the same, so that the mean of the channels is what `predict`
    gives. Memory does not grow with the length of the file. Its level is measured first, so it is
    decoded twice; a file that cannot be read in ranges is decoded once, into a temporary file.

    Every stem is written to a temporary file. When all of them are complete, all are renamed. So
    under the final names there are whole files or what was there before, also when the process is
    killed or the disk is full. What a killed process leaves, ``.vocals.wav.….part``, is removed
    when the same stem is written an hour later or more.

    Parameters
    ----------
    separator : Pipeline or search
        Fitted, from waveforms to a separator; of a search, its best estimator.
    path : str, path-like or AudioFile
        What `AudioFile` reads: any audio file, a video, a pipe. At any sample rate if the pipeline
        has a ``STFTTransformer(sample_rate=...)``, else at that of the songs trained on.
    out_dir : str or path-like
        Made if it does not exist.
    source_names : sequence of str or None, optional
        Names of the stems without ending, the voice first; None for one that is not to be
        written. The default is the separator's `source_names_`: ("vocals", "accompaniment"), say,
        or the names of the stems that it was trained on.
    audio_format : str, optional
        "wav", "flac", "ogg", "mp3", "opus" or another that `sksvs.audio.write` writes. The default
        is that of the file, and WAV for a file of a kind that is not written. A subtype that is PCM
        or floating point ("PCM_16", "FLOAT", …) is kept where the format has it, else it is the
        format's default: 24 bits for WAV and FLAC. MP3 and Opus have certain sample rates; samples
        of another rate are resampled to the next.
    bitrate : float, optional
        In kb/s, for "mp3", "ogg" and "opus", as in :func:`sksvs.audio.write`.
    strict : bool, default=False
        Whether a file that lacks samples is an error and not a warning.
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
        If samples are missing from the file, or samples beyond full scale are clipped by the
        subtype.

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
    pipeline = fitted_pipeline(separator)
    names = stem_names(pipeline[-1], source_names)
    file = path if isinstance(path, AudioFile) else AudioFile(path, strict=strict)
    encoding = choose_stem_encoding(file, audio_format, bitrate)
    stems = stem_paths(out_dir, names, encoding.ending)
    for stem in stems:
        if stem.exists() and os.path.exists(file.path) and stem.samefile(file.path):
            raise ValueError(
                f"{file.path} would be overwritten by its own stem. Take another out_dir."
            )
    wanted = [i for i, name in enumerate(names) if name is not None]
    blocks = pipeline[-1].iter_blocks([_with_all_channels(file, *pipeline[:-1].transform([file]))])
    with (
        _made_folder(Path(out_dir)),
        writing_all(stems, file.sample_rate, file.n_channels, encoding) as writers,
        closing(prefetch(blocks)) as ahead,
    ):
        for estimates in ahead:
            for writer, i in zip(writers, wanted):
                writer.write(estimates[i])
            if progress is not None:
                progress(estimates.shape[1])
    return stems


@contextmanager
def _made_folder(folder):
    """Make a folder; if it is new and the body fails, remove it again unless something is in it."""
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            error.errno,
            f"The folder {folder} for stems cannot be made ({error.strerror}). Take another one",
        ) from error
    try:
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
        raise


def fitted_pipeline(separator):
    """Return the pipeline of a separator or a search, after making sure that it separates."""
    pipeline = getattr(separator, "best_estimator_", separator)
    if not isinstance(pipeline, Pipeline) or not hasattr(pipeline[-1], "iter_blocks"):
        raise TypeError(
            "separator must be a fitted Pipeline from waveforms to a separator, or a search over "
            f"one; got {type(separator).__name__}."
        )
    if len(pipeline) < 2:
        raise TypeError(
            "separator must be a Pipeline that takes waveforms. Put STFTTransformer before "
            f"{type(pipeline[-1]).__name__}."
        )
    check_is_fitted(pipeline[-1], "n_sources_")
    return pipeline


def stem_names(separator, names=None):
    """Return a name for every source of a fitted separator, None for one that is not to be written.

    Parameters
    ----------
    separator : BaseMaskSeparator
        Whose `source_names_` count where no names are given.
    names : sequence of str or None, optional

    Returns
    -------
    list of str or None

    Raises
    ------
    ValueError
        If there are not as many names as sources, or two are the same or no names of files.
    """
    n_sources = separator.n_sources_
    if names is None:  # a separator of one's own may have no names
        return list(getattr(separator, "source_names_", default_source_names(n_sources)))
    names = list(names)
    written = [name for name in names if name is not None]
    different = written and len(set(written)) == len(written)
    if len(names) != n_sources or not different or any(Path(n).name != n for n in written):
        raise ValueError(
            f"source_names must be {n_sources} different file names without folders, or None for "
            f"a source that is not to be written; got {names}."
        )
    return names


def choose_stem_encoding(file, audio_format, bitrate):
    """Return the encoding of the stems of a file, or raise a ValueError that names it."""
    try:
        return keep_encoding(file, audio_format, bitrate)
    except ValueError as error:
        raise ValueError(f"The stems of {file.path} cannot be written: {error}") from error


def stem_paths(folder, names, ending):
    """Return the paths of the stems that are wanted, the voice first."""
    return tuple(Path(folder) / f"{name}.{ending}" for name in names if name is not None)


def _with_all_channels(file, spectrogram):
    """Return the spectrogram of the file itself where the pipeline has averaged its channels."""
    waveform = spectrogram.waveform
    if isinstance(waveform, Downmix) and waveform.waveform == file:
        return Spectrogram(file, spectrogram.params)
    return spectrogram
