"""Audio files as waveforms: samples are read, or decoded, only when they are sliced."""

import os
import stat
import warnings
from contextlib import suppress
from weakref import WeakValueDictionary

import numpy as np

from sksvs.audio import sndfile
from sksvs.audio.checks import check_shape, require_finite
from sksvs.audio.decoded import DecodedFile
from sksvs.audio.ffmpeg import known_mp3_length, seconds_of_packets
from sksvs.audio.header import NotDecodableError, cut_short, no_audio
from sksvs.audio.pipes import PipeCopy, is_pipe
from sksvs.audio.waveform import Waveform

MAX_HEADERS = 65536  # kept in memory

_headers = {}  # Header by (path, size, time of modification), oldest first
_decoded = WeakValueDictionary()  # DecodedFile by the same, shared by all who read the file


class AudioFile(Waveform):
    """An audio file as a waveform: its header is read at once, its samples when it is sliced.

    Reads every audio file that libsndfile or FFmpeg can decode, and the first audio stream of a
    video. The content of a file determines how it is read; its name has no effect.

    - WAV, FLAC, AIFF, Ogg and other files in which libsndfile finds every sample exactly are read
      in ranges; so are MP3 files whose header states their length.
    - All others (M4A, WMA, WebM, AC-3, videos, MP3 files without such a header, …) are decoded
      once, when they are opened, into a temporary file (in TMPDIR, 4 bytes a sample) that goes
      away with the last `AudioFile` of it in the process.

    The object, and its pickle, hold the absolute path, the size and the modification time of the
    file, and no samples.

    Parameters
    ----------
    path : str or path-like
        Of a file; or of a pipe (a FIFO, ``/dev/stdin``, ``-`` for standard input), which is read
        to its end at once, into a temporary file.
    strict : bool, default=False
        Whether to raise an error instead of a warning if samples are missing.

    Attributes
    ----------
    path : str
        The absolute path.
    shape : tuple of int
        ``(n_samples,)`` for one channel, else ``(n_samples, n_channels)``.
    sample_rate : int
        In Hz.
    format : str
        Of the file: libsndfile's name ("WAV", "FLAC", "OGG", …), else FFmpeg's ("MOV", "ASF", …).
    subtype : str
        The coding of the samples in the file: "PCM_16", "FLOAT", "VORBIS", "AAC", …

    Warns
    -----
    UserWarning
        If samples are missing because the file is cut short or damaged, saying how many were read.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds no audio, or no sample of it; with `strict`, if samples are missing; when
        samples are read, if they hold NaN, inf or more than 1e30, or the file has changed.

    Examples
    --------
    >>> song = AudioFile("song.flac")                          # doctest: +SKIP
    >>> song.shape, song.sample_rate                           # doctest: +SKIP
    ((10584000, 2), 44100)
    >>> song[44100:88200].shape                                # doctest: +SKIP
    (44100, 2)
    """

    def __init__(self, path: str | os.PathLike[str], *, strict: bool = False):
        path = os.fsdecode(path)
        self.strict, self._pipe = bool(strict), PipeCopy(path) if is_pipe(path) else None
        self.path = self.name = path if self._pipe else os.path.abspath(path)
        self._content = self._pipe.path if self._pipe else self.path  # the path of its bytes
        status = _status(self._content)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device"
            raise ValueError(f"{self.path} is {kind} and no audio file.")
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns
        self._samples = None  # DecodedFile, where samples are not read from the file itself
        if self._header.problem is not None:
            self._report(self._header.problem)

    def __getstate__(self):
        return {**self.__dict__, "_pipe": None, "_samples": None}

    def _identity(self):
        return self.path, self.size, self.modified_ns

    def __eq__(self, other):
        return isinstance(other, AudioFile) and self._identity() == other._identity()

    def __hash__(self):
        return hash(self._identity())

    @property
    def _key(self):
        return self._content, self.size, self.modified_ns

    @property
    def _header(self):
        header = _headers.get(self._key)
        if header is None:
            self._require_unchanged()
            header, self._samples = _find_header(self._content, self.path)
            _keep(self._key, header, self._samples)
        return header

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """``(n_samples,)`` or ``(n_samples, n_channels)``."""
        return self._header.shape

    @property
    def sample_rate(self) -> int:  # type: ignore[override]
        """In Hz."""
        return self._header.sample_rate

    @property
    def format(self) -> str:
        """The format of the file: libsndfile's name, or FFmpeg's."""
        return self._header.format

    @property
    def subtype(self) -> str:
        """The coding of the samples in the file: libsndfile's name, or FFmpeg's."""
        return self._header.subtype

    def _read(self, start, stop):
        self._require_unchanged()
        samples = None
        if self._header.direct:
            try:
                samples = sndfile.read_range(self._content, start, stop, self._header)
            except NotDecodableError as error:
                self._decode_damaged(error)
        if samples is None:
            samples = self._decoded_file().read(start, stop)
        return require_finite(samples, self.path, start)

    def _decode_damaged(self, reason):
        """Decode a file that cannot be read in ranges after all, and report the damage."""
        header = self._header
        try:
            decoded = DecodedFile(self._content)
        except NotDecodableError as error:
            raise ValueError(f"{self.path} is damaged and cannot be read ({reason}).") from error
        got, wanted = decoded.header.n_channels, header.n_channels
        if got != wanted:
            raise ValueError(
                f"{self.path} is damaged: its header promises {wanted} channel(s), but {got} were "
                "decoded."
            )
        n_decoded, problem = decoded.header.n_samples, decoded.header.problem
        if n_decoded < header.n_samples:
            problem = (
                f"is damaged: {n_decoded} of its {header.n_samples} samples can be decoded, and "
                "silence stands for the rest"
            )
        self._samples = decoded
        _keep(self._key, header._replace(direct=False, problem=problem), decoded)
        if problem is not None:
            self._report(problem)

    def _decoded_file(self):
        """Return the samples of a file that is not read in ranges; decode it if necessary."""
        if self._samples is None:
            self._samples = _decoded.get(self._key)
        if self._samples is None:
            try:
                self._samples = DecodedFile(self._content, self._header.sequential)
            except NotDecodableError as error:
                raise ValueError(f"{self.path} cannot be decoded any more ({error}).") from error
            _decoded[self._key] = self._samples
        return self._samples

    def _report(self, problem):
        if self.strict:
            raise ValueError(f"{self.path} {problem}.")
        warnings.warn(f"{self.path} {problem}.", stacklevel=3)

    def _require_unchanged(self):
        status = _status(self._content)
        if (status.st_size, status.st_mtime_ns) != (self.size, self.modified_ns):
            raise ValueError(f"{self.path} has changed since it was opened. Open it again.")


def read(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
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


def _status(path):
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(f"{path} does not exist.") from error


def _keep(key, header, decoded):
    """Keep the header of a file, and share its samples with those who read it later."""
    _headers[key] = header
    if decoded is not None:
        _decoded[key] = decoded
    if len(_headers) > MAX_HEADERS:
        del _headers[next(iter(_headers))]


def _find_header(path, name):
    """Return the header of a file, and its decoded samples where it is not read in ranges."""
    with open(path, "rb") as file:
        first_bytes = file.read(512)
    if not first_bytes:
        raise ValueError(f"{name} is empty: it has no bytes.")
    known, decoded, promised = None, None, None
    is_mpeg = _may_be_mpeg(first_bytes)
    # libsndfile prints warnings on MPEG files whose header is wrong, and guesses their length.
    length = known_mp3_length(path) if is_mpeg else None
    if length is not None or not is_mpeg:
        with suppress(NotDecodableError):
            known = sndfile.read_header(path)
    if known is not None:
        if length not in (None, known.n_samples):
            known = known._replace(direct=False)
        seconds = known.n_samples / known.sample_rate  # by the last page of an Ogg file
        if known.format == "OGG" and seconds > 2 * seconds_of_packets(path) + 1:
            known, promised = known._replace(direct=False), known.n_samples
    if known is None or not known.direct:
        try:
            decoded = DecodedFile(path, sequential=known is not None and known.sequential)
        except NotDecodableError as error:
            raise no_audio(name, first_bytes, str(error)) from error
        header = decoded.header
        if known is not None:
            header = header._replace(
                format=known.format, subtype=known.subtype, sequential=known.sequential
            )
        if promised is not None:
            problem = cut_short(header.n_samples, promised, header.sample_rate)
            header = header._replace(problem=problem)
        known = header
    check_shape(known.shape, name)
    return known, decoded


def _may_be_mpeg(first_bytes):
    """Return whether a file begins as MPEG audio does: a tag, a frame, or zeros before them."""
    start = first_bytes.lstrip(b"\0")
    return start[:3] == b"ID3" or not start or (start[0] == 0xFF and start[1:2] >= b"\xe0")
