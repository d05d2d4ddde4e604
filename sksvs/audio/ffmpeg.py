"""Decode audio files with FFmpeg, through PyAV, from the first sample to the last."""

import re
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, groupby

import av
import numpy as np

from sksvs.audio.header import NO_STREAM, Header, NotDecodableError, cut_short, error_text

# Containers whose header states the duration; for others FFmpeg guesses it from a bit rate.
STATE_DURATION = {
    *("aiff", "ape", "asf", "au", "avi", "caf", "flac", "flv", "matroska", "mov", "tta", "w64"),
    *("wav", "wv"),
}
# Tags in an unknown encoding are no reason to refuse a file; PyAV 19 never does.
LENIENT = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}
TOLERANCE = 0.25  # seconds that may be missing without a warning: headers round, encoders pad
MAX_PACKET_SECONDS = 1  # no codec has longer ones
MP3_PADDING = 4608  # samples at most: the delay of the encoder and the rest of its last frame
SUBTYPES = {  # libsndfile's name of a codec by FFmpeg's
    "mp3": "MPEG_LAYER_III",
    "mp2": "MPEG_LAYER_II",
    "pcm_s16": "PCM_16",
    "pcm_s24": "PCM_24",
    "pcm_s32": "PCM_32",
    "pcm_f32": "FLOAT",
    "pcm_f64": "DOUBLE",
}


def decode(path, write):
    """Decode the first audio stream of a file, from start to end, in constant memory.

    FFmpeg gets the file as a stream of bytes: it opens nothing else, whatever the file refers to,
    and the name of the file has no effect.

    Parameters
    ----------
    path : str
    write : callable
        Called with all samples in order: arrays of float32, shape (n, n_channels), full scale ±1.

    Returns
    -------
    Header
        Its sample rate and channels are those of the first frame. Later frames of another kind, as
        in joined MP3 files, are converted.

    Raises
    ------
    NotDecodableError
        If there is no audio stream, or nothing in it can be decoded.
    """
    with _opened(path) as (container, stream):
        lost = []
        frames = _decode_frames(container, stream, lost)
        first = next(frames, None)
        if first is None:
            raise NotDecodableError("FFmpeg: none of its samples can be decoded")
        n_samples = 0
        for block in _to_blocks(chain([first], frames), first):
            write(block)
            n_samples += len(block)
        problem, promised = None, _promised_seconds(container, stream)
        if promised - n_samples / first.rate > TOLERANCE:
            problem = cut_short(n_samples, round(promised * first.rate), first.rate)
        elif sum(lost) > TOLERANCE:
            problem = f"is damaged: {sum(lost):.1f} s of it cannot be decoded and are left out"
        return Header(
            n_samples,
            first.layout.nb_channels,
            first.rate,
            container.format.name.split(",")[0].upper(),
            _subtype(stream, first),
            direct=False,
            problem=problem,
        )


def _decode_frames(container, stream, lost):
    """Yield the frames of a stream; to `lost` go the seconds of packets that are not decodable."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return  # the end, or the file ends within a packet
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError):  # ValueError: PyAV's own, no codec
            lost.append(float((packet.duration or 0) * (packet.time_base or 0)))
            continue
        for frame in frames:
            if frame.samples > 0 and frame.rate > 0 and frame.layout.nb_channels > 0:
                yield frame


def _to_blocks(frames, first):
    """Yield the samples of frames, those of another kind than the first converted to its kind."""

    def kind(frame):
        return frame.rate, frame.layout.name, frame.layout.nb_channels

    for (frame_kind, _), same in groupby(frames, lambda f: (kind(f), f.format.name)):
        if frame_kind == kind(first):
            yield from map(_to_array, same)
            continue
        resampler = av.AudioResampler("fltp", first.layout, first.rate)
        for frame in chain(same, [None]):  # None: the samples that the resampler still holds
            if frame is not None:
                frame.pts = None
            yield from map(_to_array, resampler.resample(frame))


def known_mp3_length(path):
    """Return the number of samples of an MP3 file whose header states it correctly, else None.

    Counts the frames of the file, which takes much less time than decoding them.

    Parameters
    ----------
    path : str
    """
    with suppress(NotDecodableError, av.error.FFmpegError), _opened(path) as (container, stream):
        if container.format.name == "mp3" and stream.start_time:  # else the duration is a guess
            there = sum(packet.duration or 0 for packet in container.demux(stream))
            samples = stream.time_base * stream.rate  # of a unit of the durations
            if 0 <= (there - stream.duration) * samples <= MP3_PADDING:
                return round(stream.duration * samples)
    return None


def seconds_of_packets(path):
    """Return the summed durations of the packets of a file, without decoding them.

    Those of Vorbis are estimates, up to a tenth too short.

    Parameters
    ----------
    path : str

    Returns
    -------
    float
        0 for a file that FFmpeg cannot read.
    """
    with suppress(NotDecodableError, av.error.FFmpegError), _opened(path) as (container, stream):
        longest = MAX_PACKET_SECONDS / stream.time_base
        durations = (packet.duration or 0 for packet in container.demux(stream))
        return float(sum(min(n, longest) for n in durations) * stream.time_base)
    return 0.0


@contextmanager
def _opened(path):
    """Open a file; yield its container and its first audio stream."""
    with ExitStack() as stack:
        file = stack.enter_context(open(path, "rb"))
        try:
            container = av.open(file, "r", options={"protocol_whitelist": "none"}, **LENIENT)
        except (av.error.FFmpegError, ValueError, OverflowError) as error:
            raise NotDecodableError(f"FFmpeg: {error_text(error)}") from error
        stack.enter_context(container)
        if not container.streams.audio:
            kinds = sorted({stream.type for stream in container.streams})
            raise NotDecodableError(NO_STREAM + (f", only {' and '.join(kinds)}" if kinds else ""))
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise NotDecodableError("FFmpeg has no decoder for its audio stream")
        yield container, stream


def _promised_seconds(container, stream):
    """Return the duration that the header states, in seconds; 0 if it states none."""
    name = container.format.name.split(",")[0]
    if name not in STATE_DURATION and not (name == "mp3" and stream.start_time):
        return 0.0
    if stream.codec_context.name.startswith("pcm_") and stream.frames:  # frames of one sample
        return stream.frames / stream.rate
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None and len(container.streams) == 1:
        return container.duration / av.time_base
    return 0.0


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
