"""Choose how samples are coded in a file: format, subtype, sample rate, bit rate."""

import io
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import soundfile

from sksvs.audio.header import error_text

# Format and subtype (None: the default of the format) of names that libsndfile does not use.
ALIASES = {
    "OPUS": ("OGG", "OPUS"),
    "OGA": ("OGG", "VORBIS"),
    "AIF": ("AIFF", None),
    "AIFC": ("AIFF", None),
    "WAVE": ("WAV", None),
}
DEFAULT_SUBTYPES = {
    **dict.fromkeys(("WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC"), "PCM_24"),
    "OGG": "VORBIS",
    "MP3": "MPEG_LAYER_III",
}
# Beginnings of subtypes that stems share with the song: PCM, floating point, formats' own coders.
KEPT_SUBTYPES = ("PCM_", "FLOAT", "DOUBLE", "ALAC_", "VORBIS", "OPUS", "MPEG_LAYER_III")
ENDINGS = {"WAVEX": "wav", "RF64": "wav"}  # of formats whose names are not their endings
SAMPLE_RATES = {  # in Hz, of subtypes that have only these
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "OPUS": (8000, 12000, 16000, 24000, 48000),
}
MAX_CHANNELS = {"MP3": 2, "FLAC": 8}  # by format
MAX_SAMPLE_RATES = {"VORBIS": 192_000}  # in Hz, by subtype: libvorbis crashes above 200 kHz
DEFAULT_BITRATES = {"MPEG_LAYER_III": 256, "OPUS": 160, "VORBIS": 192}  # in kb/s, for stereo
# Of libvorbis at 44.1 kHz stereo, by tenths of its quality (Vorbis I encoder documentation).
VORBIS_BITRATES = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
MAX_WAV_BYTES = 4e9  # lengths in a WAV header have 32 bits, those in RF64 64


class Encoding(NamedTuple):
    """How samples are coded in a file.

    Attributes
    ----------
    format, subtype : str
        libsndfile's names.
    sample_rate : int
        Of the file, in Hz: that of the samples, or the next one that the subtype has.
    bitrate : float or None
        In kb/s, of lossy subtypes.
    """

    format: str
    subtype: str
    sample_rate: int
    bitrate: float | None

    @property
    def ending(self):
        """The ending of a file's name, without the dot."""
        if self.subtype == "OPUS":
            return "opus"
        return ENDINGS.get(self.format, self.format.lower())


def choose_encoding(audio_format, subtype, sample_rate, n_channels, bitrate=None):
    """Return the encoding of a file, or raise if it cannot be written.

    Parameters
    ----------
    audio_format : str
        "wav", "flac", "ogg", "mp3", "opus" or another that can be written, in any case.
    subtype : str or None
        libsndfile's name; None for the default of the format.
    sample_rate : int
        Of the samples, in Hz.
    n_channels : int
    bitrate : float, optional
        In kb/s, for all channels together. The default for stereo is 256 for MP3, 192 for Ogg
        Vorbis and 160 for Opus.

    Returns
    -------
    Encoding

    Raises
    ------
    ValueError
        Saying what cannot be written and what can, without naming a file.
    """
    audio_format, of_alias = _resolve(audio_format)
    if audio_format not in DEFAULT_SUBTYPES:
        raise ValueError(
            f"{audio_format or 'A name without an ending'} is no audio format that can be written. "
            "Take wav, flac, ogg, mp3 or opus."
        )
    subtype = subtype or of_alias or DEFAULT_SUBTYPES[audio_format]
    rates = SAMPLE_RATES.get(subtype, (sample_rate,))
    rate = min((r for r in rates if r >= sample_rate), default=max(rates))
    reason = why_not_writable(audio_format, subtype, rate, n_channels)
    if reason is not None:
        raise ValueError(reason)
    bitrate = _choose_bitrate(bitrate, subtype, rate, n_channels)
    return Encoding(audio_format, subtype, rate, bitrate)


def keep_encoding(header, audio_format=None, bitrate=None):
    """Return the encoding of the stems of a song: that of the song, as far as it can be written.

    Parameters
    ----------
    header : Header
        Of the song.
    audio_format : str, optional
        Of the stems; the default is the song's format, or WAV if that cannot be written.
    bitrate : float, optional
        In kb/s.

    Returns
    -------
    Encoding
        It has the subtype of the song where that is PCM, floating point or a format's own coder and
        can be written; else the default of the format.
    """
    wanted = header.format if header.format in DEFAULT_SUBTYPES else "WAV"
    wanted, subtype = _resolve(wanted if audio_format is None else audio_format)
    may_keep = header.subtype.startswith(KEPT_SUBTYPES) and wanted in DEFAULT_SUBTYPES
    if subtype is None and may_keep and (audio_format is None or wanted != "OGG"):
        song = wanted, header.subtype, header.sample_rate, header.n_channels
        subtype = header.subtype if why_not_writable(*song) is None else None
    sample_bytes = 8 if subtype == "DOUBLE" else 4
    is_long = header.n_samples * header.n_channels * sample_bytes > MAX_WAV_BYTES
    if wanted in ("WAV", "WAVEX") and is_long:
        wanted = "RF64"
    return choose_encoding(wanted, subtype, header.sample_rate, header.n_channels, bitrate)


def compression_level(encoding, n_channels):
    """Return libsndfile's compression level, from 0 to 1, for a bit rate; None without one."""
    if encoding.bitrate is None:
        return None
    rates = _bitrates(encoding.subtype, encoding.sample_rate, n_channels)
    return 1 - float(np.interp(encoding.bitrate, rates, np.linspace(0, 1, len(rates))))


@lru_cache(maxsize=1024)
def why_not_writable(audio_format, subtype, sample_rate, n_channels):
    """Return why libsndfile cannot write such a file, as sentences; None if it can.

    The way to find out is to write one: `soundfile.check_format` is True for some files that
    libsndfile does not write.
    """
    known = soundfile.available_subtypes(audio_format)
    if subtype not in known:
        return f"{audio_format} cannot hold subtype {subtype}; it has: {', '.join(known)}."
    if sample_rate > MAX_SAMPLE_RATES.get(subtype, sample_rate):
        return (
            f"{subtype} has sample rates up to {MAX_SAMPLE_RATES[subtype]} Hz; got {sample_rate}. "
            "Take wav or flac."
        )
    if n_channels > MAX_CHANNELS.get(audio_format, n_channels):
        return (
            f"{audio_format} has up to {MAX_CHANNELS[audio_format]} channels; got {n_channels}. "
            "Take wav."
        )
    try:
        with soundfile.SoundFile(
            io.BytesIO(), "w", sample_rate, n_channels, subtype, format=audio_format
        ) as file:
            file.write(np.zeros((16, n_channels), np.float32))
    except (soundfile.LibsndfileError, AssertionError, ValueError) as error:
        return (
            f"{audio_format} with subtype {subtype} cannot hold {n_channels} channel(s) at "
            f"{sample_rate} Hz ({error_text(error) or 'nothing was written'}). Take wav."
        )
    return None


def _resolve(audio_format):
    """Return libsndfile's name of a format, and the subtype that a name implies, or None."""
    name = str(audio_format).upper().lstrip(".")
    return ALIASES.get(name, (name, None))


def _bitrates(subtype, sample_rate, n_channels):
    """Return bit rates in kb/s at compression levels from 1 to 0, in equal steps.

    Those of Vorbis are averages.
    """
    if subtype == "VORBIS":
        return [rate * n_channels / 2 for rate in VORBIS_BITRATES]
    if subtype == "OPUS":
        return 6 * n_channels, 256 * n_channels
    if sample_rate >= 32000:  # MPEG 1; then 2 and 2.5
        return 32, 320
    return 8, 160 if sample_rate >= 16000 else 64


def _choose_bitrate(bitrate, subtype, sample_rate, n_channels):
    """Return the bit rate in kb/s, by default that of the subtype; None if it has none."""
    if subtype not in DEFAULT_BITRATES:
        if bitrate is not None:
            raise ValueError(
                f"bitrate is for mp3, ogg and opus; got {bitrate!r} with subtype {subtype}."
            )
        return None
    lowest, *_, highest = _bitrates(subtype, sample_rate, n_channels)
    if bitrate is None:
        return min(max(DEFAULT_BITRATES[subtype] * n_channels / 2, lowest), highest)
    if not lowest <= bitrate <= highest:
        name = "MP3" if subtype == "MPEG_LAYER_III" else subtype
        raise ValueError(
            f"bitrate must be from {lowest:g} to {highest:g} kb/s for {name} with {n_channels} "
            f"channel(s) at {sample_rate} Hz; got {bitrate!r}."
        )
    return float(bitrate)
