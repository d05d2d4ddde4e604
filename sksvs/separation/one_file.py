"""Separate one audio file into one file a source, in constant memory."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import compress
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksvs.audio import AudioFile
from sksvs.audio.encoding import keep_encoding
from sksvs.audio.waveform import Downmix
from sksvs.audio.writing import writing_all
from sksvs.stft.spectrogram import Spectrogram
from sksvs.stft.tracks import default_source_names
from sksvs.system.threads import prefetch
from sksvs.typing import PathLike


def separate_file(
    separator: BaseEstimator,
    path: PathLike | AudioFile,
    out_dir: PathLike,
    *,
    source_names: Sequence[str | None] | None = None,
    audio_format: str | None = None,
    bitrate: float | None = None,
    strict: bool = False,
    progress: Callable[[int], object] | None = None,
) -> tuple[Path, ...]:
    """Separate an audio file into one file a source, reading and writing a few seconds at a time.

    The stems are the estimates of ``separator.predict([AudioFile(path)])``, with the file's sample
    rate and channels: if the pipeline averages channels (`MonoDownmix`), its masks are applied to
    every channel, so that the mean of the channels is what `predict` returns. Memory does not grow
    with the length of the file. Its level is measured first, so it is decoded twice; a file that
    cannot be read in ranges is decoded once, into a temporary file.

    Every stem is written to a temporary file, and all are renamed when all are complete. So the
    final names belong to whole files or to those of before, even if the process is killed
    or the disk is full. Temporary files of a killed process, ``.vocals.wav.….part``, are removed
    when the same stem is written an hour later or more.

    Parameters
    ----------
    separator : Pipeline or search
        Fitted; takes waveforms and ends with a separator. Of a search, the best estimator is used.
    path : str, path-like or AudioFile
        Anything that `AudioFile` reads: an audio file, a video, a pipe. Its sample rate must be
        that of the training data, unless the pipeline has a ``STFTTransformer(sample_rate=...)``.
    out_dir : str or path-like
        Made if it does not exist.
    source_names : sequence of str or None, optional
        Names of the stems without ending, the voice first; None for a stem that is not written.
        The default is the separator's `source_names_`: ("vocals", "accompaniment"), or the names
        of the sources that it was trained on.
    audio_format : str, optional
        "wav", "flac", "ogg", "mp3", "opus" or another that `sksvs.audio.write` writes. The default
        is the format of the file, or WAV if that cannot be written. A subtype that is PCM or
        floating point ("PCM_16", "FLOAT", …) is kept if the format has it; else the format's
        default is used: 24 bits for WAV and FLAC. MP3 and Opus have certain sample rates; samples
        of another rate are resampled to the next.
    bitrate : float, optional
        In kb/s, for "mp3", "ogg" and "opus", as in :func:`sksvs.audio.write`.
    strict : bool, default=False
        Whether to raise an error instead of a warning if samples are missing.
    progress : callable, optional
        Called with the number of samples of each separated block, such as
        ``tqdm(total=len(AudioFile(path))).update``.

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
        If the file cannot be read or its sample rate does not suit the pipeline, if a stem would
        overwrite it, or if a stem cannot be written.

    Examples
    --------
    >>> separate_file(separator, "song.flac", "separated/song")    # doctest: +SKIP
    (PosixPath('separated/song/vocals.flac'), PosixPath('separated/song/accompaniment.flac'))
    """
    pipeline = fitted_pipeline(separator)
    file = path if isinstance(path, AudioFile) else AudioFile(path, strict=strict)
    names, encoding, stems = plan_stems(
        pipeline, file, out_dir, source_names, audio_format, bitrate
    )
    for stem in stems:
        if stem.exists() and os.path.exists(file.path) and stem.samefile(file.path):
            raise ValueError(
                f"{file.path} would be overwritten by its own stem. Take another out_dir."
            )
    written = [name is not None for name in names]
    blocks = pipeline[-1].iter_blocks([_with_all_channels(file, *pipeline[:-1].transform([file]))])
    with (
        _made_folder(Path(out_dir)),
        writing_all(stems, file.sample_rate, file.n_channels, encoding) as writers,
        closing(prefetch(blocks)) as ahead,
    ):
        for estimates in ahead:
            for writer, estimate in zip(writers, compress(estimates, written)):
                writer.write(estimate)
            if progress is not None:
                progress(estimates.shape[1])
    return stems


@contextmanager
def _made_folder(folder):
    """Make a folder; if it is new and the body fails, remove it again unless it holds files."""
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
    """Return the pipeline of a separator or a search; raise if it cannot separate waveforms."""
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


def plan_stems(pipeline, file, folder, source_names, audio_format, bitrate):
    """Return how the stems of a file are written.

    Returns
    -------
    names : list of str or None
        A name for every source; None for a source that is not written.
    encoding : Encoding
    paths : tuple of Path
        Of the stems that are written, the voice first.
    """
    names = stem_names(pipeline[-1], source_names)
    try:
        encoding = keep_encoding(file, audio_format, bitrate)
    except ValueError as error:
        raise ValueError(f"The stems of {file.path} cannot be written: {error}") from error
    return names, encoding, stem_paths(folder, names, encoding.ending)


def stem_names(separator, names=None):
    """Return a name for every source of a fitted separator; None for one that is not written.

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
    if names is None:  # a separator from elsewhere may have no names
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


def stem_paths(folder, names, ending):
    """Return the paths of the stems that are written, the voice first."""
    return tuple(Path(folder) / f"{name}.{ending}" for name in names if name is not None)


def _with_all_channels(file, spectrogram):
    """Return the spectrogram of all channels of a file, if the pipeline has averaged them."""
    waveform = spectrogram.waveform
    if isinstance(waveform, Downmix) and waveform.waveform == file:
        return Spectrogram(file, spectrogram.params)
    return spectrogram
