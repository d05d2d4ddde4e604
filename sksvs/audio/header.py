"""What is known of an audio file before its samples are read, and the errors that say it."""

from typing import NamedTuple

NO_STREAM = "FFmpeg finds no audio stream in it"


class Header(NamedTuple):
    """Facts of an audio file.

    Attributes
    ----------
    n_samples, n_channels, sample_rate : int
        The rate is in Hz.
    format, subtype : str
        In libsndfile's words where it has them ("WAV", "PCM_16"), else in FFmpeg's ("MOV", "AAC").
    direct : bool
        Whether libsndfile reads any range of samples exactly; other files are decoded once, from
        the first sample to the last, into a temporary file.
    sequential : bool
        Whether libsndfile decodes it, but only from the first sample to the last.
    problem : str or None
        What is odd about the file, as the end of a sentence that begins with its name.
    """

    n_samples: int
    n_channels: int
    sample_rate: int
    format: str
    subtype: str
    direct: bool
    sequential: bool = False
    problem: str | None = None


class NotDecodableError(ValueError):
    """A decoder cannot read a file; the message is the reason alone."""


def cut_short(n_samples, promised, sample_rate):
    """Return the problem of a file that holds fewer samples than its header promises."""
    return (
        f"is cut short: {n_samples} samples ({n_samples / sample_rate:.1f} s) were read of "
        f"{promised} ({promised / sample_rate:.1f} s) that its header promises"
    )


def no_audio(path, first_bytes, reason):
    """Return the error of a file that no decoder can read: what it may be, and the remedy.

    Parameters
    ----------
    path : str
    first_bytes : bytes
    reason : str
        What the last decoder says.
    """
    start = first_bytes.lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        return ValueError(
            f"{path} is a Git LFS pointer and not the audio itself: fetch it with 'git lfs pull'."
        )
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return ValueError(f"{path} is a web page and no audio: download the file itself.")
    if path.lower().endswith((".raw", ".pcm")):
        return ValueError(
            f"{path} has no header that says its sample rate and channels. Convert it with "
            "'ffmpeg -f s16le -ar 44100 -ac 2 -i FILE song.wav', with its own facts in place of "
            "these."
        )
    of_streams = [part for part in reason.split("; ") if part.startswith(NO_STREAM)]
    if of_streams:
        return ValueError(f"{path} holds no audio: {of_streams[0]}.")
    return ValueError(
        f"{path} is no audio that libsndfile or FFmpeg can decode: it may be cut short, encrypted "
        f"or no audio at all ({reason}). If a player plays it, convert it with 'ffmpeg -i FILE "
        "song.flac'."
    )
