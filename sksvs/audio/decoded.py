"""Samples of files that cannot be read in ranges: decoded once, kept in a temporary file."""

import os
import tempfile
import weakref
from collections import deque
from threading import Lock

import numpy as np

from sksvs.audio.ffmpeg import FFmpegDecoder
from sksvs.audio.header import Header, NotDecodableError
from sksvs.audio.sndfile import SndfileDecoder

MAX_OPEN = 128  # temporary files at a time; of more, the first ones are given up
READ_BYTES = 1 << 26
SAMPLE_BYTES = 4

_lock = Lock()  # of decoding, and of the files that are open
_open_files = deque()  # weak references to DecodedFile, in the order in which they were decoded


def _renew_lock():
    """Give a process that was forked while another thread decodes a lock that is free."""
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class DecodedFile:
    """All samples of an audio file, decoded into a temporary file that goes away with this object.

    The temporary file has no name, so nothing is left of it when the process is killed. It lies
    where `tempfile` puts it (TMPDIR) and takes 4 bytes a sample: 21 MB a minute of 44.1 kHz
    stereo. Decoding takes constant memory. Of more than 128 such files the first ones are given
    up, and decoded again when they are needed.

    Parameters
    ----------
    path : str
    sequential : bool
        Whether libsndfile decodes the file, but cannot seek in it. FFmpeg takes some such codecs
        (G.721, NMS ADPCM) for others, so it is then asked last.

    Attributes
    ----------
    header : Header
        With the number of samples that were decoded.

    Raises
    ------
    NotDecodableError
        If no decoder can read the file.
    OSError
        If the temporary folder is full.
    """

    def __init__(self, path, sequential=False):
        self._path = path
        kinds = (FFmpegDecoder, SndfileDecoder)
        self._decoders = kinds[::-1] if sequential else kinds
        self._storage = None
        self._open()

    def read(self, start, stop):
        """Return samples: float32, shape (n,) or (n, n_channels); silence beyond the end."""
        storage, n_channels = self._open(), self.header.n_channels
        samples = np.zeros((stop - start, n_channels), np.float32)
        there = samples[: max(0, self.header.n_samples - start)]
        if there.size > 0:  # NumPy has no view of nothing
            storage.read_into(memoryview(there).cast("B"), start * n_channels * SAMPLE_BYTES)
        return samples[:, 0] if n_channels == 1 else samples

    def _open(self):
        """Return the temporary file, decoding into a new one if there is none."""
        storage = self._storage
        if storage is None:
            with _lock:
                storage = self._storage or self._decode()
        return storage

    def _decode(self):
        reasons = []
        for kind in self._decoders:
            try:
                with kind(self._path) as decoder:
                    storage, n_samples = _write(decoder, self._path)
            except NotDecodableError as error:
                reasons.append(str(error).rstrip("."))
                continue
            if n_samples == 0:
                reasons.append("it holds no sample")
                continue
            self.header = Header(
                n_samples,
                decoder.n_channels,
                decoder.sample_rate,
                decoder.format,
                decoder.subtype,
                direct=False,
                problem=decoder.problem,
            )
            self._storage = storage
            _give_up_the_first()
            _open_files.append(weakref.ref(self))
            return storage
        raise NotDecodableError("; ".join(reasons))


def _write(decoder, path):
    """Return the storage of all samples that a decoder gives, and their number."""
    storage, n_samples = _Storage(), 0
    try:
        for block in decoder.blocks():
            storage.file.write(np.ascontiguousarray(block, np.float32))
            n_samples += len(block)
        storage.file.flush()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path} cannot be decoded into the temporary folder {tempfile.gettempdir()} "
            f"({error.strerror or error}). Make room there, or set TMPDIR to another folder",
        ) from error
    return storage, n_samples


def _give_up_the_first():
    """Close temporary files until one more may be opened; readers keep theirs to the end."""
    for reference in list(_open_files):
        decoded = reference()
        if decoded is None or decoded._storage is None:
            _open_files.remove(reference)
        elif len(_open_files) >= MAX_OPEN:
            decoded._storage = None
            _open_files.remove(reference)


class _Storage:
    """A temporary file that is closed, and so removed, when nobody reads it any more."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()  # noqa: SIM115

    def __del__(self):
        self.file.close()

    def read_into(self, buffer, position):
        """Fill a buffer from a position, without one that threads or processes would share."""
        for start in range(0, len(buffer), READ_BYTES):
            part = buffer[start : start + READ_BYTES]
            if hasattr(os, "pread"):
                part[:] = os.pread(self.file.fileno(), len(part), position + start)
            else:  # Windows
                with _lock:
                    self.file.seek(position + start)
                    self.file.readinto(part)
