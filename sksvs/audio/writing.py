"""Write audio files block by block, one or several together, whole or not at all."""

import os
import warnings
from contextlib import ExitStack, contextmanager, suppress
from numbers import Integral
from pathlib import Path

import numpy as np
import soundfile
import soxr

from sksvs.audio.encoding import choose_encoding, compression_level
from sksvs.audio.header import NotDecodableError, error_text
from sksvs.audio.sndfile import read_header
from sksvs.audio.waveform import ArrayWaveform, Waveform
from sksvs.system.atomic import replacing_all

UNCLIPPED = {"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_III"}  # hold samples beyond ±1
# Of subtypes whose samples are rounded to the nearest integer here; libsndfile cuts bits off.
FULL_SCALE = {"PCM_16": 1 << 15, "PCM_24": 1 << 23}
MAX_BLOCK = 65536  # samples written at a time: libvorbis crashes on long blocks


def write(
    path: str | os.PathLike[str],
    waveform: np.ndarray | Waveform,
    sample_rate: int | None = None,
    subtype: str | None = None,
    bitrate: float | None = None,
) -> None:
    """Write a waveform to a file, whole or not at all.

    The samples go to a temporary file beside `path`, which is renamed when it is complete. A
    lazy waveform is written block by block.

    Parameters
    ----------
    path : str or path-like
        Its ending determines the format: .wav, .flac, .ogg, .mp3, .opus, .aiff, .caf, .w64, .au.
    waveform : array or Waveform, shape (n_samples,) or (n_samples, n_channels)
    sample_rate : int, optional
        In Hz; needed for an array, and for a waveform without a sample rate. MP3 and Opus have
        certain rates: samples of another one are resampled to the next.
    subtype : str, optional
        How to code the samples, by libsndfile's name ("PCM_16", "FLOAT", …). The default is 24
        bits for WAV and FLAC and the format's own default otherwise.
    bitrate : float, optional
        In kb/s, for MP3 (256 for stereo by default), Ogg Vorbis (about 192) and Opus (160).

    Warns
    -----
    UserWarning
        If samples beyond full scale are clipped by the subtype.

    Raises
    ------
    ValueError
        If the format, the subtype, the sample rate or the samples cannot be written.
    OSError
        If the file cannot be written to its end; what was there before stays.
    """
    if not isinstance(waveform, Waveform):
        waveform = ArrayWaveform(waveform, sample_rate, name=f"the waveform for {path}")
    elif None not in (sample_rate, waveform.sample_rate) and sample_rate != waveform.sample_rate:
        raise ValueError(
            f"{waveform.name} has a sample rate of {waveform.sample_rate} Hz; got "
            f"sample_rate={sample_rate} for {path}. Resample with sksvs.audio.resample."
        )
    sample_rate = waveform.sample_rate if sample_rate is None else sample_rate
    path = Path(path)
    if not isinstance(sample_rate, Integral) or sample_rate < 1:
        raise ValueError(
            f"{path} needs a sample rate to be written, a whole number of Hz; got {sample_rate!r}."
        )
    n_channels = waveform.n_channels
    try:
        encoding = choose_encoding(path.suffix, subtype, sample_rate, n_channels, bitrate)
    except ValueError as error:
        raise ValueError(f"{path} cannot be written: {error}") from error
    with writing_all([path], sample_rate, n_channels, encoding) as (file,):
        for block in waveform.blocks():
            file.write(block)


@contextmanager
def writing_all(paths, sample_rate, n_channels, encoding):
    """Open files of one encoding to be written block by block, all of them whole or none.

    Parameters
    ----------
    paths : sequence of pathlib.Path
    sample_rate : int
        Of the samples, in Hz. If that of the encoding differs, they are resampled.
    n_channels : int
    encoding : Encoding

    Yields
    ------
    list of object
        Each with a method ``write(block)`` for samples of shape (n,) or (n, n_channels).

    Warns
    -----
    UserWarning
        If samples beyond full scale are clipped by the subtype.

    Raises
    ------
    OSError
        If a folder does not exist, a path is a folder, or a file cannot be written to its end:
        all files that were there before then stay as they were.
    """
    paths = [Path(path).resolve() for path in paths]  # through a link, to what it points to
    for path in paths:
        if not path.parent.is_dir():
            raise FileNotFoundError(
                f"{path.parent} does not exist, so {path.name} cannot be written."
            )
    with replacing_all(paths) as temporaries:
        with ExitStack() as stack:
            writers = []
            for path, temporary in zip(paths, temporaries):
                writers.append(_Writer(path, temporary, sample_rate, n_channels, encoding))
                stack.callback(writers[-1].abandon)
            yield writers
            for writer in writers:
                writer.finish()
        for writer in writers:
            if writer.peak > 1 and encoding.subtype not in UNCLIPPED:
                warnings.warn(
                    f"{writer.path}: samples up to {writer.peak:.3g} were clipped to ±1 by "
                    f"{encoding.subtype}. Scale them down, or write subtype='FLOAT'.",
                    stacklevel=4,
                )


class _Writer:
    """An open file and its peak so far; `finish` checks that all of it has reached the disk."""

    def __init__(self, path, temporary, sample_rate, n_channels, encoding):
        self.path, self.peak = path, 0.0
        self._temporary, self._n_samples = temporary, 0
        self._resampler = None
        if encoding.sample_rate != sample_rate:
            self._resampler = soxr.ResampleStream(
                sample_rate, encoding.sample_rate, n_channels, "float32", "HQ"
            )
        with self._named_errors():
            self._file = soundfile.SoundFile(
                str(temporary) if os.name == "nt" else os.fsencode(temporary),
                "w",
                encoding.sample_rate,
                n_channels,
                encoding.subtype,
                format=encoding.format,
                compression_level=compression_level(encoding, n_channels),
                bitrate_mode="CONSTANT" if encoding.subtype == "MPEG_LAYER_III" else None,
            )

    def write(self, block):
        """Write samples of shape (n,) or (n, n_channels)."""
        if block.ndim == 2 and not block.flags.c_contiguous:
            block = np.stack(list(block.T), axis=1)  # ten times as fast as np.ascontiguousarray
        if self._resampler is not None:
            block = self._resampler.resample_chunk(np.float32(block))
        self._write(block)

    def finish(self):
        """Close the file, and make sure that all of it is there."""
        if self._resampler is not None:
            nothing = np.empty((0, self._file.channels), np.float32)
            self._write(self._resampler.resample_chunk(nothing, last=True))
        with self._named_errors():
            self._file.close()
        try:  # libsndfile reports no error when the samples that coders keep back find no room
            header = read_header(self._temporary)
        except NotDecodableError as error:
            raise self._incomplete(str(error)) from error
        if not header.direct or header.problem or header.n_samples < self._n_samples:
            raise self._incomplete(header.problem or "its last sample is missing")

    def abandon(self):
        """Close the file if it is open; errors do not matter, as it is about to be removed."""
        with suppress(soundfile.LibsndfileError, AssertionError):
            self._file.close()

    def _write(self, block):
        if len(block) == 0:
            return
        self.peak = max(self.peak, float(block.max()), -float(block.min()))
        if self._file.subtype in FULL_SCALE:
            full_scale = FULL_SCALE[self._file.subtype]
            integers = np.clip(np.rint(block * full_scale), -full_scale, full_scale - 1)
            block = integers.astype(np.int32) * ((1 << 31) // full_scale)  # the upper bits count
        with self._named_errors():
            for start in range(0, len(block), MAX_BLOCK):
                self._file.write(block[start : start + MAX_BLOCK])
        self._n_samples += len(block)

    @contextmanager
    def _named_errors(self):
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError) as error:
            # soundfile raises an AssertionError without a message for a short write.
            raise self._incomplete(error_text(error) or "a block was cut short") from error

    def _incomplete(self, reason):
        return OSError(
            f"{self.path} could not be written to its end, and is left as it was ({reason}). Is "
            "the disk full?"
        )
