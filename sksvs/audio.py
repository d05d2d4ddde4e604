"""Read, write and resample audio files; samples are read only when they are sliced."""

import os
from functools import lru_cache

import soundfile
import soxr

from sksvs._audio_writer import named_errors, writing
from sksvs._checks import check_shape, require_finite
from sksvs._declared_size import missing_bytes
from sksvs.waveform import ArrayWaveform, Sources, Waveform, to_mono

__all__ = [
    "ArrayWaveform",
    "AudioFile",
    "Sources",
    "Waveform",
    "libsndfile_version",
    "read",
    "resample",
    "to_mono",
    "write",
]

# Samples to decode before those asked for: these decoders overlap and borrow from past frames,
# and what libsndfile gives just after a seek is not what it gives when it reads through.
PREROLL = {"MP3": 16384, "OGG": 16384}


class AudioFile(Waveform):
    """An audio file as a waveform: facts from its header, samples when it is sliced.

    Reads what libsndfile reads: WAV, FLAC, Ogg Vorbis, MP3 and more. It holds, and pickles, the
    absolute path, the size and the modification time of the file: never samples.

    Parameters
    ----------
    path : str or path-like

    Attributes
    ----------
    path : str
        The absolute path.
    shape : tuple of int
        ``(n_samples,)`` for one channel, else ``(n_samples, n_channels)``.
    sample_rate : int
        In Hz.
    format : str
        What kind of file it is, in libsndfile's words: "WAV", "FLAC", "OGG", …
    subtype : str
        How the samples are coded in the file: "PCM_16", "FLOAT", "VORBIS", …

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no audio file, holds no sample, or (WAV, AIFF, Ogg) is shorter than its header
        says; when samples are read, if they cannot be decoded, end early (FLAC), hold NaN or inf,
        or the file has changed since.

    Examples
    --------
    >>> song = AudioFile("song.flac")                          # doctest: +SKIP
    >>> song.shape, song.sample_rate                           # doctest: +SKIP
    ((10584000, 2), 44100)
    >>> song[44100:88200].shape                                # doctest: +SKIP
    (44100, 2)
    """

    def __init__(self, path):
        self.path = os.path.abspath(path)
        status = _status(self.path)
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns
        _read_header(self.path, self.size, self.modified_ns)  # refuses what is damaged

    def __eq__(self, other):
        return isinstance(other, AudioFile) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash((self.path, self.size, self.modified_ns))

    @property
    def _header(self):
        return _read_header(self.path, self.size, self.modified_ns)

    @property
    def name(self):
        """The absolute path."""
        return self.path

    @property
    def shape(self):
        """``(n_samples,)`` or ``(n_samples, n_channels)``."""
        header = self._header
        return (header.frames,) if header.channels == 1 else (header.frames, header.channels)

    @property
    def sample_rate(self):
        """In Hz."""
        return self._header.samplerate

    @property
    def format(self):
        """What kind of file it is, in libsndfile's words."""
        return self._header.format

    @property
    def subtype(self):
        """How the samples are coded in the file."""
        return self._header.subtype

    def _read(self, start, stop):
        _require_unchanged(self.path, self.size, self.modified_ns)
        with named_errors(self.path), soundfile.SoundFile(self.path) as file:
            first = max(0, start - PREROLL.get(self._header.format, 0))
            file.seek(first)
            samples = file.read(stop - first, dtype="float32")[start - first :]
        if len(samples) != stop - start:
            raise ValueError(
                f"{self.path} is damaged or truncated: it ends at sample {start + len(samples)}, "
                f"but its header promises {self.n_samples}."
            )
        return require_finite(samples, self.path, start)


def read(path):
    """Read a whole file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    samples : array of float32, shape (n_samples,) or (n_samples, n_channels)
        Full scale is ±1.
    sample_rate : int
        In Hz.
    """
    file = AudioFile(path)
    return file[:], file.sample_rate


def write(path, waveform, sample_rate=None, subtype=None):
    """Write a waveform to a file, whole or not at all.

    The samples go to a temporary file beside `path`, which is renamed when it is complete. A
    lazy waveform is written block by block.

    Parameters
    ----------
    path : str or path-like
        The ending says the format: .wav, .flac, .ogg, .mp3.
    waveform : array or Waveform, shape (n_samples,) or (n_samples, n_channels)
    sample_rate : int, optional
        In Hz; needed where the waveform does not know its own.
    subtype : str, optional
        How to code the samples, in libsndfile's words ("PCM_16", "FLOAT", …). The default is 24
        bits for WAV and FLAC and the format's own default otherwise.

    Warns
    -----
    UserWarning
        If samples beyond full scale are clipped by the subtype.

    Raises
    ------
    ValueError
        If the format, the subtype, the sample rate or the samples cannot be written.
    """
    if not isinstance(waveform, Waveform):
        waveform = ArrayWaveform(waveform, sample_rate, name=f"the waveform for {path}")
    elif None not in (sample_rate, waveform.sample_rate) and sample_rate != waveform.sample_rate:
        raise ValueError(
            f"{waveform.name} has a sample rate of {waveform.sample_rate} Hz; got "
            f"sample_rate={sample_rate} for {path}. Resample with sksvs.audio.resample."
        )
    sample_rate = waveform.sample_rate if sample_rate is None else sample_rate
    with writing(path, sample_rate, waveform.n_channels, subtype) as file:
        for block in waveform.blocks():
            file.write(block)


def resample(waveform, sample_rate, new_sample_rate):
    """Return a waveform at another sample rate, by soxr at its high-quality setting.

    Parameters
    ----------
    waveform : array or Waveform, shape (n_samples,) or (n_samples, n_channels)
        A lazy waveform is read whole.
    sample_rate : int
        The rate of `waveform`, in Hz.
    new_sample_rate : int
        In Hz.

    Returns
    -------
    array or ArrayWaveform
        Of the same kind (a Waveform gives an ArrayWaveform that knows its new rate), with
        ``round(n_samples * new_sample_rate / sample_rate)`` samples.

    Examples
    --------
    >>> import numpy as np
    >>> resample(np.zeros((44100, 2)), 44100, 16000).shape
    (16000, 2)
    """
    if isinstance(waveform, Waveform):
        if waveform.sample_rate not in (None, sample_rate):
            raise ValueError(
                f"{waveform.name} has a sample rate of {waveform.sample_rate} Hz; got "
                f"sample_rate={sample_rate}."
            )
        samples = resample(waveform[:], sample_rate, new_sample_rate)
        return ArrayWaveform(samples, new_sample_rate, waveform.name)
    for rate in (sample_rate, new_sample_rate):
        if not rate > 0:
            raise ValueError(f"A sample rate must be positive; got {rate!r}.")
    samples = ArrayWaveform(waveform)[:]
    return soxr.resample(samples, sample_rate, new_sample_rate, quality="HQ")


def _status(path):
    try:
        return os.stat(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist.") from error


def _require_unchanged(path, size, modified_ns):
    status = _status(path)
    if (status.st_size, status.st_mtime_ns) != (size, modified_ns):
        raise ValueError(f"{path} has changed since it was opened. Open it again.")


@lru_cache(maxsize=65536)
def _read_header(path, size, modified_ns):
    """Return libsndfile's account of a file; size and time tell a changed file from the old."""
    _require_unchanged(path, size, modified_ns)
    with named_errors(path):
        header = soundfile.info(path)
    check_shape((header.frames, header.channels), path)
    missing = missing_bytes(path, size)
    if missing:
        raise ValueError(
            f"{path} is truncated: it should have {missing} byte(s) more, or its end is missing."
        )
    return header


def libsndfile_version():
    """Return the version of the library that reads and writes files, such as "1.2.2"."""
    return soundfile.__libsndfile_version__
