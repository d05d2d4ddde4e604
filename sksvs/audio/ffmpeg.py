"""Decode audio files with FFmpeg, through PyAV, from the first sample to the last."""

import re

import av
import numpy as np

from sksvs.audio.header import NO_STREAM, NotDecodableError, cut_short

# Containers whose header states the duration; that of others is FFmpeg's guess from a bit rate.
STATE_DURATION = {
    *("aiff", "ape", "asf", "au", "avi", "caf", "flac", "flv", "matroska", "mov", "tta", "w64"),
    *("wav", "wv"),
}
# Tags in an unknown encoding are no reason to refuse a file; PyAV 19 takes them as they are.
LENIENT = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}
TOLERANCE = 0.25  # seconds that may be missing without a warning: headers round, coders pad
LONGEST_PACKET = 1  # second: no codec's is longer
MP3_PADDING = 4608  # samples: the delay of an encoder and the rest of its last frame
SUBTYPES = {  # by FFmpeg's name of the codec: libsndfile's words
    "mp3": "MPEG_LAYER_III",
    "mp2": "MPEG_LAYER_II",
    "pcm_u8": "PCM_U8",
    "pcm_s8": "PCM_S8",
    "pcm_s16": "PCM_16",
    "pcm_s24": "PCM_24",
    "pcm_s32": "PCM_32",
    "pcm_f32": "FLOAT",
    "pcm_f64": "DOUBLE",
}


class FFmpegDecoder:
    """The first audio stream of a file, decoded in order, in constant memory.

    The file is given to FFmpeg as a stream of bytes: nothing else is opened, whatever the file
    refers to, and its name has no part in how it is read.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    sample_rate, n_channels : int
        Of the first frame. Later frames of another kind, as in joined MP3 files, are converted.
    format, subtype : str
        See :class:`~sksvs.audio.header.Header`.
    problem : str or None
        What was missing, once all `blocks` have been read.

    Raises
    ------
    NotDecodableError
        If there is no audio stream, or nothing in it can be decoded.
    """

    def __init__(self, path):
        self.problem = None
        self._lost, self._conversion = 0.0, None  # seconds; (settings of frames, resampler)
        self._file = open(path, "rb")  # noqa: SIM115 (closed with this object)
        self._container = None
        try:
            self._container, self._stream = _open_audio(self._file)
            self._frames = self._decode()
            self._first = next(self._frames, None)
            if self._first is None:
                raise NotDecodableError("FFmpeg: none of its samples can be decoded")
        except BaseException:
            self.__exit__()
            raise
        self.sample_rate, self.n_channels = self._first.rate, self._first.layout.nb_channels
        self.format = self._container.format.name.split(",")[0].upper()
        self.subtype = _subtype(self._stream, self._first)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._container is not None:
            self._container.close()
        self._file.close()

    def blocks(self):
        """Yield all samples in order: arrays of float32, shape (n, n_channels), full scale ±1."""
        n_samples, frame = 0, self._first
        while frame is not None:
            for samples in self._converted(frame):
                n_samples += len(samples)
                yield samples
            frame = next(self._frames, None)
        for samples in self._flush():
            n_samples += len(samples)
            yield samples
        self.problem = self._find_problem(n_samples)

    def _decode(self):
        """Yield the frames of the stream; packets that cannot be decoded are passed over."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                return  # the file ends within a packet
            if packet is None:
                return
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):  # PyAV's own: no codec
                self._lost += float((packet.duration or 0) * (packet.time_base or 0))
                continue
            for frame in frames:
                if frame.samples > 0 and frame.rate > 0 and frame.layout.nb_channels > 0:
                    yield frame

    def _converted(self, frame):
        settings = frame.rate, frame.layout.name, frame.layout.nb_channels
        first = self._first
        if settings == (first.rate, first.layout.name, first.layout.nb_channels):
            yield from self._flush()
            yield _to_array(frame)
            return
        key = (*settings, frame.format.name)
        if self._conversion is None or self._conversion[0] != key:
            yield from self._flush()
            resampler = av.AudioResampler("fltp", first.layout, first.rate)
            self._conversion = key, resampler
        frame.pts = None
        for converted in self._conversion[1].resample(frame):
            yield _to_array(converted)

    def _flush(self):
        """Yield what a resampler holds back, and let go of it."""
        if self._conversion is not None:
            for frame in self._conversion[1].resample(None):
                yield _to_array(frame)
            self._conversion = None

    def _find_problem(self, n_samples):
        promised = _promised_seconds(self._container, self._stream) or 0.0
        if promised - n_samples / self.sample_rate > TOLERANCE:
            return cut_short(n_samples, round(promised * self.sample_rate), self.sample_rate)
        if self._lost > TOLERANCE:
            return f"is damaged: {self._lost:.1f} s of it cannot be decoded and are left out"
        return None


def known_mp3_length(path):
    """Return how many samples an MP3 file has if its header says so and is right; None otherwise.

    Counts the frames of the file, which takes much less time than to decode them.

    Parameters
    ----------
    path : str
    """
    with open(path, "rb") as file:
        try:
            container, stream = _open_audio(file)
        except NotDecodableError:
            return None
        with container:
            if container.format.name != "mp3" or not stream.start_time:
                return None  # without an encoder's delay FFmpeg has guessed the duration
            promised = stream.duration * stream.time_base * stream.rate
            try:
                there = sum(packet.duration or 0 for packet in container.demux(stream))
            except av.error.FFmpegError:
                return None
            surplus = there * stream.time_base * stream.rate - promised
            return round(promised) if 0 <= surplus <= MP3_PADDING else None


def seconds_of_packets(path):
    """Return how long the packets of a file are together, without decoding them.

    Those of Vorbis are estimates, up to a tenth too short.

    Parameters
    ----------
    path : str

    Returns
    -------
    float
        0 for a file that FFmpeg does not know.
    """
    with open(path, "rb") as file:
        try:
            container, stream = _open_audio(file)
        except NotDecodableError:
            return 0.0
        with container:
            longest = LONGEST_PACKET / stream.time_base
            durations = (packet.duration or 0 for packet in container.demux(stream))
            try:
                return float(sum(min(n, longest) for n in durations) * stream.time_base)
            except av.error.FFmpegError:
                return 0.0


def _open_audio(file):
    """Return the container in an open file and its first audio stream."""
    try:
        container = av.open(file, "r", options={"protocol_whitelist": "none"}, **LENIENT)
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        raise NotDecodableError(f"FFmpeg: {_words(error)}") from error
    try:
        if not container.streams.audio:
            kinds = sorted({stream.type for stream in container.streams})
            raise NotDecodableError(NO_STREAM + (f", only {' and '.join(kinds)}" if kinds else ""))
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise NotDecodableError("FFmpeg has no decoder for its audio stream")
    except BaseException:
        container.close()
        raise
    return container, stream


def _words(error):
    """Return what FFmpeg says, without the number and the name that it puts around it."""
    return getattr(error, "strerror", None) or str(error)


def _promised_seconds(container, stream):
    """Return how long the header says that the stream is; None where it does not say so."""
    name = container.format.name.split(",")[0]
    if name == "mp3" and stream.start_time and stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if name not in STATE_DURATION:
        return None
    if stream.codec_context.name.startswith("pcm_") and stream.frames:  # frames of one sample
        return stream.frames / stream.rate
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / av.time_base
    return None


def _subtype(stream, frame):
    codec = stream.codec_context.codec.canonical_name
    codec = re.sub(r"^(pcm_[suf]\d+)[bl]e(_planar)?$", r"\1", codec)
    if codec == "flac":
        return "PCM_16" if frame.format.name in ("s16", "s16p") else "PCM_24"
    return SUBTYPES.get(codec, codec.upper())


def _to_array(frame):
    """Return the samples of a frame: float32, shape (n, n_channels), full scale ±1."""
    samples = frame.to_ndarray()
    if frame.format.is_planar:
        samples = samples.T
    else:
        samples = samples.reshape(-1, frame.layout.nb_channels)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    if np.issubdtype(samples.dtype, np.integer):
        return samples.astype(np.float32) / -np.float32(np.iinfo(samples.dtype).min)
    return samples.astype(np.float32)
