"""Read audio files with libsndfile: headers, ranges of samples, or from first to last."""

import os
import re
from contextlib import contextmanager

import soundfile

from sksvs.audio.header import Header, NotDecodableError, cut_short

# Samples to decode before those asked for: these decoders overlap and borrow from past frames,
# and what libsndfile gives just after a seek is not what it gives when it reads through.
PREROLL = {"MP3": 16384, "OGG": 16384}
BLOCK_LENGTH = 65536

SndfileError = soundfile.LibsndfileError

# What libsndfile's log says of sample data (in W64 and RF64 files: of the whole file) whose length
# is not what the header claims.
_LENGTHS = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
# Of an Ogg file whose last page is not marked as the last, or is followed by a part of another.
_NO_END = ("lacks an end-of-stream bit", "Junk after the last page")
NEGLIGIBLE = 64  # bytes that may be missing without a warning: writers that counted wrongly


@contextmanager
def opened(path):
    """Open a file by what is in it, whatever it is called; yield a `soundfile.SoundFile`."""
    with open(path, "rb", buffering=0) as file:
        # By number, so that neither the ending nor a name that is not UTF-8 gets in the way.
        target = path if os.name == "nt" else file.fileno()
        with soundfile.SoundFile(target, closefd=False) as opened_file:
            yield opened_file


def read_header(path):
    """Return libsndfile's account of a file.

    Parameters
    ----------
    path : str

    Returns
    -------
    Header
        `direct` says whether any range can be read; not so where libsndfile cannot seek, guesses
        the length (MPEG audio) or does not find the last sample.

    Raises
    ------
    NotDecodableError
        If libsndfile does not know such a file.
    """
    try:
        with opened(path) as file:
            facts = file.frames, file.channels, file.samplerate, file.format, file.subtype
            guessed = file.subtype.startswith("MPEG") and file.format != "MP3"
            sequential = not file.seekable() and file.frames > 0
            direct = (
                file.seekable()
                and not guessed
                and _is_safe_to_seek(path, file.format)
                and _has_its_last_sample(file)
            )
            return Header(*facts, direct, sequential, _find_problem(file))
    except (SndfileError, TypeError, ValueError) as error:
        raise NotDecodableError(f"libsndfile: {_words(error)}") from error


def read_range(path, start, stop, header):
    """Return samples as libsndfile gives them when it reads through; fewer if it cannot.

    Returns
    -------
    array of float32, shape (n,) or (n, n_channels)
    """
    first = max(0, start - PREROLL.get(header.format, 0))
    with opened(path) as file:
        file.seek(first)
        return file.read(stop - first, dtype="float32")[start - first :]


class SndfileDecoder:
    """A file decoded in order, for codecs in which libsndfile cannot seek.

    Parameters, attributes and errors as of :class:`~sksvs.audio.ffmpeg.FFmpegDecoder`.
    """

    def __init__(self, path):
        header = read_header(path)
        self.sample_rate, self.n_channels = header.sample_rate, header.n_channels
        self.format, self.subtype = header.format, header.subtype
        self.problem = header.problem
        self._path = path

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def blocks(self):
        """Yield all samples in order: arrays of float32, shape (n, n_channels)."""
        n_samples = 0
        try:
            with opened(self._path) as file:
                while len(block := file.read(BLOCK_LENGTH, dtype="float32", always_2d=True)):
                    n_samples += len(block)
                    yield block
        except SndfileError as error:
            self.problem = f"is damaged after {n_samples} samples ({_words(error)})"


def _has_its_last_sample(file):
    if file.frames < 1:
        return False
    try:
        file.seek(file.frames - 1)
        return len(file.read(1)) == 1
    except SndfileError:
        return False


def _is_safe_to_seek(path, audio_format):
    """Return whether seeking does not end the process, as libvorbis does without a codebook.

    Nothing can be decoded then. It is tried in an opening of its own, as the first seek after a
    read may go wrong.
    """
    if audio_format != "OGG":
        return True
    with opened(path) as file:
        return len(file.read(1)) == 1


def _find_problem(file):
    log = file.extra_info
    for promised, there in _LENGTHS.findall(log):
        promised, there = int(promised), int(there)
        if promised - there > NEGLIGIBLE and not _is_placeholder(promised):
            n_promised = round(file.frames * promised / max(1, there))
            return cut_short(file.frames, n_promised, file.samplerate)
    if any(words in log for words in _NO_END):
        seconds = file.frames / file.samplerate
        return (
            f"does not end as an Ogg file should: {file.frames} samples ({seconds:.1f} s) were "
            "read, and more may be missing"
        )
    return None


def _is_placeholder(length):
    """Return whether a length was written by a program that could not know it, as to a pipe."""
    return length == 0 or 0x7FFF0000 <= length <= 0x80000000 or length >= 0xFFFF0000


def _words(error):
    return getattr(error, "error_string", None) or str(error)


def libsndfile_version():
    """Return the version of libsndfile, such as "1.2.2"."""
    return soundfile.__libsndfile_version__
