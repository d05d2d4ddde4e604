"""The facts in the header of an audio file, and errors about files that cannot be read."""

from typing import NamedTuple

NO_STREAM = "FFmpeg finds no audio stream in it"


class Header(NamedTuple):
    """Facts of an audio file.

    Attributes
    ----------
    n_samples, n_channels, sample_rate : int
        The rate is in Hz.
    format, subtype : str
        libsndfile's names where it has them ("WAV", "PCM_16"), else FFmpeg's ("MOV", "AAC").
    direct : bool
        Whether libsndfile reads any range of samples exactly. Other files are decoded once, from
        start to end, into a temporary file.
    sequential : bool
        Whether libsndfile decodes the file, but only from start to end.
    problem : str or None
        What is wrong with the file, as the end of a sentence that begins with its name.
    """

    n_samples: int
    n_channels: int
    sample_rate: int
    format: str
    subtype: str
    direct: bool
    sequential: bool = False
    problem: str | None = None

    @property
    def shape(self):
        """``(n_samples,)`` for one channel, else ``(n_samples, n_channels)``."""
        return (self.n_samples, self.n_channels) if self.n_channels > 1 else (self.n_samples,)


class NotDecodableError(ValueError):
    """A decoder cannot read a file; the message is the reason alone."""


def cut_short(n_samples, promised, sample_rate):
    """Return the `Header.problem` of a file with fewer samples than its header promises."""
    return (
        f"is cut short: {n_samples} samples ({n_samples / sample_rate:.1f} s) were read of "
        f"{promised} ({promised / sample_rate:.1f} s) that its header promises"
    )


def no_audio(path, first_bytes, reason):
    """Return the error for a file that no decoder can read: what it may be, and the remedy.

    Parameters
    ----------
    path : str
    first_bytes : bytes
    reason : str
        The errors of all decoders.
    """
    start = first_bytes.lstrip().lower()
    no_stream = next((part for part in reason.split("; ") if part.startswith(NO_STREAM)), None)
    if start.startswith(b"version https://git-lfs"):
        text = "is a Git LFS pointer and not the audio itself: fetch it with 'git lfs pull'"
    elif start.startswith((b"<!doctype", b"<html", b"<?xml")):
        text = "is a web page and no audio: download the file itself"
    elif path.lower().endswith((".raw", ".pcm")):
        text = (
            "has no header that says its sample rate and channels. Convert it with 'ffmpeg -f "
            "s16le -ar 44100 -ac 2 -i FILE song.wav', with its own values in place of these"
        )
    elif no_stream is not None:
        text = f"holds no audio: {no_stream}"
    else:
        text = (
            "is no audio that libsndfile or FFmpeg can decode: it may be cut short, encrypted or "
            f"no audio at all ({reason}). If a player plays it, convert it with 'ffmpeg -i FILE "
            "song.flac'"
        )
    return ValueError(f"{path} {text}.")


def error_text(error):
    """Return what libsndfile or FFmpeg says in an error, without what their wrappers add."""
    texts = (getattr(error, name, None) for name in ("error_string", "strerror"))
    return next(filter(None, texts), str(error))
