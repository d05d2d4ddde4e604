"""Choose how samples are coded in a file: format, subtype, sample rate, bit rate."""

import io
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import soundfile

# What is called otherwise than libsndfile calls it: format and subtype (None: the format's own).
ALIASES = {
    "OPUS": ("OGG", "OPUS"),
    "OGA": ("OGG", "VORBIS"),
    "AIF": ("AIFF", None),
    "AIFC": ("AIFF", None),
    "WAVE": ("WAV", None),
}
DEFAULT_SUBTYPES = {
    "WAV": "PCM_24",
    "WAVEX": "PCM_24",
    "RF64": "PCM_24",
    "W64": "PCM_24",
    "AIFF": "PCM_24",
    "CAF": "PCM_24",
    "AU": "PCM_24",
    "FLAC": "PCM_24",
    "OGG": "VORBIS",
    "MP3": "MPEG_LAYER_III",
}
KEPT_SUBTYPES = {  # that stems have if the song has them: of samples, and of their format
    *("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    *("ALAC_16", "ALAC_20", "ALAC_24", "ALAC_32", "VORBIS", "OPUS", "MPEG_LAYER_III"),
}
ENDINGS = {"WAVEX": "wav", "RF64": "wav"}  # others are their own ending, but Opus
SAMPLE_RATES = {  # the only ones of a subtype
    "MPEG_LAYER_III": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "OPUS": (8000, 12000, 16000, 24000, 48000),
}
MAX_CHANNELS = {"MP3": 2, "FLAC": 8}  # of formats
MAX_SAMPLE_RATES = {"VORBIS": 192_000}  # libvorbis ends the process above 200 kHz
DEFAULT_BITRATES = {"MPEG_LAYER_III": 256, "OPUS": 160, "VORBIS": 192}  # kb/s, of stereo
# Of libvorbis at 44.1 kHz stereo, by tenths of its quality (Vorbis I encoder documentation).
VORBIS_BITRATES = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 500)
MAX_WAV_BYTES = 4e9  # lengths in a WAV header have 32 bits, those in RF64 64


class Encoding(NamedTuple):
    """How samples are coded in a file.

    Attributes
    ----------
    format, subtype : str
        In libsndfile's words.
    sample_rate : int
        Of the file, in Hz: the next one that the subtype has.
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
    """Return the encoding of a file, after making sure that it can be written.

    Parameters
    ----------
    audio_format : str
        "wav", "flac", "ogg", "mp3", "opus" or another that is written, in small or large letters.
    subtype : str or None
        In libsndfile's words; None for the default of the format.
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
        Saying what cannot be written, and what can, as sentences without a file's name.
    """
    audio_format, of_alias = _resolve(audio_format)
    if audio_format not in DEFAULT_SUBTYPES:
        raise ValueError(
            f"{audio_format or 'A name without an ending'} is no audio format that can be written. "
            "Take wav, flac, ogg, mp3 or opus."
        )
    subtype = subtype or of_alias or DEFAULT_SUBTYPES[audio_format]
    known = soundfile.available_subtypes(audio_format)
    if subtype not in known:
        raise ValueError(
            f"{audio_format} cannot hold subtype {subtype}; it has: {', '.join(known)}."
        )
    if sample_rate > MAX_SAMPLE_RATES.get(subtype, sample_rate):
        raise ValueError(
            f"{subtype} has sample rates up to {MAX_SAMPLE_RATES[subtype]} Hz; got {sample_rate}. "
            "Take wav or flac."
        )
    if n_channels > MAX_CHANNELS.get(audio_format, n_channels):
        raise ValueError(
            f"{audio_format} has up to {MAX_CHANNELS[audio_format]} channels; got {n_channels}. "
            "Take wav."
        )
    rates = SAMPLE_RATES.get(subtype, (sample_rate,))
    rate = min((r for r in rates if r >= sample_rate), default=max(rates))
    reason = why_not_writable(audio_format, subtype, rate, n_channels)
    if reason is not None:
        raise ValueError(
            f"{audio_format} with subtype {subtype} cannot hold {n_channels} channel(s) at {rate} "
            f"Hz ({reason}). Take wav."
        )
    return Encoding(
        audio_format, subtype, rate, _choose_bitrate(bitrate, subtype, rate, n_channels)
    )


def keep_encoding(header, audio_format=None, bitrate=None):
    """Return the encoding of the stems of a song: its own, as far as that can be written.

    Parameters
    ----------
    header : Header
        Of the song.
    audio_format : str, optional
        What is asked for; the default is the song's format, or WAV if that is not written.
    bitrate : float, optional
        In kb/s.

    Returns
    -------
    Encoding
        The subtype is kept where the format has it and it is PCM, floating point or the format's
        own coder; else it is the default of the format.
    """
    wanted = header.format if header.format in DEFAULT_SUBTYPES else "WAV"
    wanted, subtype = _resolve(wanted if audio_format is None else audio_format)
    keeps = header.subtype in KEPT_SUBTYPES and (audio_format is None or wanted != "OGG")
    if subtype is None and keeps and wanted in DEFAULT_SUBTYPES:
        facts = header.sample_rate, header.n_channels
        if why_not_writable(wanted, header.subtype, *facts) is None:
            subtype = header.subtype
    sample_bytes = 8 if subtype == "DOUBLE" else 4
    is_long = header.n_samples * header.n_channels * sample_bytes > MAX_WAV_BYTES
    if wanted in ("WAV", "WAVEX") and is_long:
        wanted = "RF64"
    return choose_encoding(wanted, subtype, header.sample_rate, header.n_channels, bitrate)


def compression_level(encoding, n_channels):
    """Return libsndfile's compression level, from 0 to 1, for a bit rate; None without one.

    libsndfile maps levels to bit rates, from the highest to the lowest; those of Vorbis to its
    quality, whose bit rate is an average.
    """
    if encoding.bitrate is None:
        return None
    if encoding.subtype == "VORBIS":
        rates = [rate * n_channels / 2 for rate in VORBIS_BITRATES]
        return 1 - float(np.interp(encoding.bitrate, rates, np.linspace(0, 1, len(rates))))
    lowest, highest = _bitrate_range(encoding.subtype, encoding.sample_rate, n_channels)
    return (highest - encoding.bitrate) / (highest - lowest)


@lru_cache(maxsize=1024)
def why_not_writable(audio_format, subtype, sample_rate, n_channels):
    """Return why libsndfile cannot write such a file, found out by writing one; None if it can.

    libsndfile's own answer, `soundfile.check_format`, is yes for some that it does not write.
    """
    if sample_rate > MAX_SAMPLE_RATES.get(subtype, sample_rate):
        return "the sample rate is too high"
    try:
        with soundfile.SoundFile(
            io.BytesIO(), "w", sample_rate, n_channels, subtype, format=audio_format
        ) as file:
            file.write(np.zeros((16, n_channels), np.float32))
    except (soundfile.LibsndfileError, AssertionError, ValueError) as error:
        return getattr(error, "error_string", None) or str(error) or "nothing was written"
    return None


def _resolve(audio_format):
    """Return the format in libsndfile's words, and the subtype that its name implies, or None."""
    name = str(audio_format).upper().lstrip(".")
    return ALIASES.get(name, (name, None))


def _bitrate_range(subtype, sample_rate, n_channels):
    """Return the lowest and the highest bit rate in kb/s."""
    if subtype == "VORBIS":
        return VORBIS_BITRATES[0] * n_channels / 2, VORBIS_BITRATES[-1] * n_channels / 2
    if subtype == "OPUS":
        return 6 * n_channels, 256 * n_channels
    if sample_rate >= 32000:  # MPEG 1; then 2 and 2.5
        return 32, 320
    return 8, 160 if sample_rate >= 16000 else 64


def _choose_bitrate(bitrate, subtype, sample_rate, n_channels):
    if subtype not in DEFAULT_BITRATES:
        if bitrate is not None:
            raise ValueError(
                f"bitrate is for mp3, ogg and opus; got {bitrate!r} with subtype {subtype}."
            )
        return None
    lowest, highest = _bitrate_range(subtype, sample_rate, n_channels)
    if bitrate is None:
        return min(max(DEFAULT_BITRATES[subtype] * n_channels / 2, lowest), highest)
    if not lowest <= bitrate <= highest:
        name = "MP3" if subtype == "MPEG_LAYER_III" else subtype
        raise ValueError(
            f"bitrate must be from {lowest:g} to {highest:g} kb/s for {name} with {n_channels} "
            f"channel(s) at {sample_rate} Hz; got {bitrate!r}."
        )
    return float(bitrate)
