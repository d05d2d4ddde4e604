"""Decode files that cannot be read in ranges, once, into a temporary file."""

import mmap
import os
import tempfile
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from sksvs.audio import ffmpeg, sndfile
from sksvs.audio.header import NotDecodableError

MAX_OPEN = 128  # temporary files at a time

_lock = Lock()  # held while a file is decoded and `_open_files` changes
_open_files = WeakKeyDictionary()  # keys: each DecodedFile that has a temporary file, oldest first


def _renew_lock():
    """Give a process that was forked while another thread decodes a lock that is free."""
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class DecodedFile:
    """All samples of an audio file, decoded into a temporary file.

    The temporary file goes away with this object, and as it has no name nothing is left of it when
    the process is killed. It lies
    where `tempfile` puts it (TMPDIR) and takes 4 bytes a sample: 21 MB a minute of 44.1 kHz
    stereo. Decoding takes constant memory. When there are more than 128 such files, the oldest ones
    are closed, and decoded again when they are needed.

    Parameters
    ----------
    path : str
    sequential : bool
        Whether libsndfile decodes the file, but cannot seek in it. FFmpeg mistakes some such codecs
        (G.721, NMS ADPCM) for others, so it is then tried last.

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
        self._path, self._storage = path, None
        self._decoders = (sndfile, ffmpeg) if sequential else (ffmpeg, sndfile)
        self._open()

    def read(self, start, stop):
        """Return samples: float32, shape (n,) or (n, n_channels); silence beyond the end."""
        storage, n_channels = self._open(), self.header.n_channels
        samples = np.zeros((stop - start, n_channels), np.float32)
        stored = np.frombuffer(storage, np.float32).reshape(-1, n_channels)[start:stop]
        samples[: len(stored)] = stored
        if hasattr(mmap, "MADV_DONTNEED"):
            storage.madvise(mmap.MADV_DONTNEED)  # keeps pages of the map from adding up in memory
        return samples[:, 0] if n_channels == 1 else samples

    def _open(self):
        """Return the memory map of the temporary file, which is written first if there is none."""
        storage = self._storage
        if storage is None:
            with _lock:
                storage = self._storage = self._storage or self._decode()
                _open_files[self] = None
                for oldest in list(_open_files)[:-MAX_OPEN]:
                    oldest._storage = None  # closed when nobody reads it any more
                    del _open_files[oldest]
        return storage

    def _decode(self):
        reasons = []
        for decoder in self._decoders:
            try:
                self.header, storage = _decode_with(decoder, self._path)
            except NotDecodableError as error:
                reasons.append(str(error).rstrip("."))
            else:
                return storage
        raise NotDecodableError("; ".join(reasons))


def _decode_with(decoder, path):
    """Decode a file into a temporary file; return its header and the memory map of all samples."""
    try:
        with tempfile.TemporaryFile() as file:
            header = decoder.decode(path, lambda block: file.write(np.ascontiguousarray(block)))
            file.flush()
            return header, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        if error.filename is not None:  # the audio file itself cannot be opened
            raise
        raise OSError(
            error.errno,
            f"{path} cannot be decoded into the temporary folder {tempfile.gettempdir()} "
            f"({error.strerror or error}). Make room there, or set TMPDIR to another folder",
        ) from error
