"""Read audio files with libsndfile: headers, ranges of samples, or from start to end."""

import os
import re
from contextlib import contextmanager

import soundfile

from sksvs.audio.header import Header, NotDecodableError, cut_short, error_text

# Samples to decode before those asked for: in these formats frames overlap or depend on past ones,
# so that samples just after a seek differ from those that reading from the start gives.
PREROLL = {"MP3": 16384, "OGG": 16384}
BLOCK_LENGTH = 65536

# Lines of libsndfile's log on sample data (in W64 and RF64 files: on the whole file) whose length
# is not the one in the header.
_LENGTHS = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size) *: (\d+) \(should be (\d+)\)", re.MULTILINE
)
# In the log of an Ogg file whose last page is not marked as the last, or is followed by a part of
# another page.
_NO_END = ("lacks an end-of-stream bit", "Junk after the last page")
NEGLIGIBLE = 64  # bytes that may be missing without a warning: some programs miscount


@contextmanager
def opened(path):
    """Open a file, whatever its name is, and yield a `soundfile.SoundFile`."""
    with open(path, "rb", buffering=0) as file:
        # By number, so that neither the ending nor a name that is not UTF-8 gets in the way.
        target = path if os.name == "nt" else file.fileno()
        with soundfile.SoundFile(target, closefd=False) as opened_file:
            yield opened_file


def read_header(path):
    """Return the header of a file as libsndfile reads it.

    Parameters
    ----------
    path : str

    Returns
    -------
    Header
        `direct` is False where libsndfile cannot seek, guesses the length (MPEG audio) or does not
        find the last sample.

    Raises
    ------
    NotDecodableError
        If libsndfile cannot read the file.
    """
    try:
        with opened(path) as file:
            direct = (
                file.seekable()
                and file.frames > 0
                and (file.format == "MP3" or not file.subtype.startswith("MPEG"))
                and (file.format != "OGG" or _has_sample(path, 0))
                and _has_sample(path, file.frames - 1)
            )
            sequential = not file.seekable() and file.frames > 0
            facts = file.frames, file.channels, file.samplerate, file.format, file.subtype
            return Header(*facts, direct, sequential, _find_problem(file))
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        raise NotDecodableError(f"libsndfile: {error_text(error)}") from error


def read_range(path, start, stop, header):
    """Return a range of samples, the same as in a decoding from start to end.

    Returns
    -------
    array of float32, shape (n,) or (n, n_channels)

    Raises
    ------
    NotDecodableError
        If the file is damaged.
    """
    first = max(0, start - PREROLL.get(header.format, 0))
    try:
        with opened(path) as file:
            file.seek(first)
            samples = file.read(stop - first, dtype="float32")[start - first :]
    except soundfile.LibsndfileError as error:
        raise NotDecodableError(error_text(error)) from error
    if len(samples) < stop - start:
        raise NotDecodableError("it ends early")
    return samples


def decode(path, write):
    """Decode a file from start to end, for codecs in which libsndfile cannot seek.

    Parameters, returned value and errors as of :func:`sksvs.audio.ffmpeg.decode`.
    """
    header, n_samples = read_header(path), 0
    try:
        with opened(path) as file:
            while len(block := file.read(BLOCK_LENGTH, dtype="float32", always_2d=True)):
                write(block)
                n_samples += len(block)
    except soundfile.LibsndfileError as error:
        problem = f"is damaged after {n_samples} samples ({error_text(error)})"
        header = header._replace(problem=problem)
    if n_samples == 0:
        raise NotDecodableError("it holds no sample")
    return header._replace(n_samples=n_samples, direct=False)


def _has_sample(path, index):
    """Return whether a sample can be decoded.

    The file is opened once more for this, since a first seek after a read may fail. Sample 0 is
    read without a seek, which crashes libvorbis if the file has a broken codebook.
    """
    try:
        with opened(path) as file:
            if index > 0:
                file.seek(index)
            return len(file.read(1)) == 1
    except soundfile.LibsndfileError:
        return False


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
    """Return whether a length stands for "unknown", as in files written to a pipe."""
    return length == 0 or 0x7FFF0000 <= length <= 0x80000000 or length >= 0xFFFF0000


def libsndfile_version() -> str:
    """Return the version of libsndfile, such as "1.2.2"."""
    return soundfile.__libsndfile_version__
