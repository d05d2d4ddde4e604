"""Write audio files block by block, whole or not at all."""

import warnings
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path

import numpy as np
import soundfile

from sksvs._declared_size import missing_bytes
from sksvs._whole_file import replacing

# Subtypes that hold samples beyond full scale.
UNCLIPPED = {"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"}

# Full scale of subtypes whose samples NumPy rounds, all at once and to the nearest, where
# libsndfile cuts bits off one sample after another; the integers that libsndfile takes, and what it
# divides them by.
FULL_SCALE = {"PCM_16": (1 << 15, np.int16, 1), "PCM_24": (1 << 23, np.int32, 1 << 8)}


@contextmanager
def writing(path, sample_rate, n_channels, subtype=None, audio_format=None):
    """Open a file to be written block by block, whole or not at all.

    Parameters, warnings and errors as in :func:`sksvs.audio.write`, but for these.

    Parameters
    ----------
    n_channels : int
    audio_format : str, optional
        In libsndfile's words ("WAV", "WAVEX", …). The default is what the ending says.

    Yields
    ------
    object
        With a method ``write(block)`` for samples of shape (n,) or (n, n_channels).
    """
    path = Path(path).resolve()  # through a link, to what it points to
    if not isinstance(sample_rate, Integral) or sample_rate < 1:
        raise ValueError(
            f"{path} needs a sample rate to be written, a whole number of Hz; got {sample_rate!r}."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} does not exist, so {path.name} cannot be written.")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, so no audio can be written there.")
    audio_format = audio_format or path.suffix[1:].upper()
    if not can_write(audio_format):
        raise ValueError(
            f"{path} has no ending of an audio format that can be written, such as .wav or .flac."
        )
    subtype = subtype or default_subtype(audio_format)
    if not can_write(audio_format, subtype):
        known = ", ".join(soundfile.available_subtypes(audio_format))
        raise ValueError(f"{path} cannot hold subtype {subtype}; {audio_format} has: {known}.")

    with replacing(path) as temporary:
        with named_errors(path, "written"):
            file = soundfile.SoundFile(
                str(temporary), "w", sample_rate, n_channels, subtype, format=audio_format
            )
        writer = _Writer(file, path)
        try:
            yield writer
        finally:
            writer.close()
        writer.require_complete(temporary)
    if writer.peak > 1 and subtype not in UNCLIPPED:
        warnings.warn(
            f"{path}: samples up to {writer.peak:.3g} were clipped to ±1 by {subtype}. Scale them "
            "down, or write subtype='FLOAT'.",
            stacklevel=4,
        )


class _Writer:
    """An open file, its peak so far, and whether all of it has reached the disk."""

    def __init__(self, file, path):
        self.file, self.path = file, path
        self.peak, self.n_samples = 0.0, 0

    def write(self, block):
        self.peak = max(self.peak, float(block.max()), -float(block.min()))
        if self.file.subtype in FULL_SCALE:
            block = _round_to_integers(block, *FULL_SCALE[self.file.subtype])
        with self._named_errors():
            self.file.write(_interleaved(block))
        self.n_samples += len(block)

    def close(self):
        with self._named_errors():
            self.file.close()

    def require_complete(self, temporary):
        """Read the end of the closed file: coders keep samples back, and do not report the last."""
        missing = missing_bytes(temporary, temporary.stat().st_size)
        if missing:
            raise self._incomplete(f"{missing} byte(s) are missing")
        with self._named_errors(), soundfile.SoundFile(str(temporary)) as file:
            file.seek(self.n_samples - 1)
            n_read = len(file.read(1))
        if n_read == 0:
            raise self._incomplete("its last sample is missing")

    @contextmanager
    def _named_errors(self):
        try:
            yield
        except soundfile.LibsndfileError as error:
            raise self._incomplete(error.error_string) from error
        except AssertionError as error:  # soundfile's word for a short write
            raise self._incomplete("a block was cut short") from error

    def _incomplete(self, reason):
        return OSError(
            f"{self.path} could not be written to its end, and is left as it was ({reason}). Is "
            "the disk full?"
        )


def _round_to_integers(block, full_scale, dtype, step):
    """Return the nearest integers of a file of this full scale, clipped, times `step`."""
    values = block * block.dtype.type(full_scale)
    np.rint(values, out=values)
    np.clip(values, -full_scale, full_scale - 1, out=values)
    values = values.astype(dtype)
    values *= step
    return values


def _interleaved(block):
    """Return a block of shape (n, n_channels) with its channels side by side in memory.

    Copied channel by channel: NumPy by itself would go from one channel to the next and back.
    """
    if block.flags.c_contiguous:
        return block
    copy = np.empty(block.shape, block.dtype)
    for of_copy, channel in zip(copy.T, block.T):
        of_copy[:] = channel
    return copy


def default_subtype(audio_format):
    """Return 24 bits for WAV and FLAC, the format's own default otherwise."""
    in_24_bits = audio_format in ("WAV", "FLAC")
    return "PCM_24" if in_24_bits else soundfile.default_subtype(audio_format)


def can_write(audio_format, subtype=None):
    """Return whether files of this format, and of this subtype, can be written.

    Both are in libsndfile's words; RAW, which has no header, cannot.
    """
    known = audio_format in soundfile.available_formats() and audio_format != "RAW"
    return known and (subtype is None or soundfile.check_format(audio_format, subtype))


@contextmanager
def named_errors(path, verb="read"):
    """Raise libsndfile's errors as ones that name the file."""
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path} cannot be {verb}: {error.error_string}") from error
