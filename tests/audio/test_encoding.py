import pytest
import soundfile

from sksvs.audio.encoding import (
    DEFAULT_SUBTYPES,
    Encoding,
    choose_encoding,
    compression_level,
    keep_encoding,
    why_not_writable,
)
from sksvs.audio.header import Header


def header(audio_format, subtype, n_samples=9, n_channels=2, sample_rate=44100):
    return Header(n_samples, n_channels, sample_rate, audio_format, subtype, True)


@pytest.mark.parametrize(
    ("song", "asked_for", "expected"),
    [
        (header("WAV", "PCM_16"), None, ("WAV", "PCM_16", "wav")),
        (header("WAVEX", "PCM_24"), None, ("WAVEX", "PCM_24", "wav")),
        (header("WAV", "FLOAT", 600_000_000), None, ("RF64", "FLOAT", "wav")),
        (header("WAV", "GSM610", n_channels=1), None, ("WAV", "PCM_24", "wav")),
        (header("WAV", "MPEG_LAYER_III"), None, ("WAV", "PCM_24", "wav")),
        (header("MOV", "AAC"), None, ("WAV", "PCM_24", "wav")),
        (header("MP3", "MPEG_LAYER_III"), None, ("MP3", "MPEG_LAYER_III", "mp3")),
        (header("MP3", "MPEG_LAYER_III"), "wav", ("WAV", "PCM_24", "wav")),
        (header("OGG", "OPUS", sample_rate=48000), None, ("OGG", "OPUS", "opus")),
        (header("OGG", "OPUS", sample_rate=48000), "ogg", ("OGG", "VORBIS", "ogg")),
        (header("WAV", "PCM_16"), "opus", ("OGG", "OPUS", "opus")),
        (header("WAV", "PCM_16"), "flac", ("FLAC", "PCM_16", "flac")),
        (header("WAV", "PCM_32"), ".FLAC", ("FLAC", "PCM_24", "flac")),
        (header("WAV", "DOUBLE"), "flac", ("FLAC", "PCM_24", "flac")),
    ],
)
def test_stems_are_coded_as_the_song_as_far_as_that_can_be_written(song, asked_for, expected):
    encoding = keep_encoding(song, asked_for)
    assert (encoding.format, encoding.subtype, encoding.ending) == expected


@pytest.mark.parametrize("audio_format", ["wav", "flac", "ogg", "mp3", "opus"])
def test_every_subtype_that_there_is_gives_one_that_is_written(audio_format):
    for name, subtypes in ((f, soundfile.available_subtypes(f)) for f in DEFAULT_SUBTYPES):
        for subtype in subtypes:
            encoding = keep_encoding(header(name, subtype, n_channels=1), audio_format)
            written = encoding.format, encoding.subtype, encoding.sample_rate, 1
            assert why_not_writable(*written) is None


def test_what_libsndfile_says_it_can_write_and_cannot_is_found_out():
    assert soundfile.check_format("WAV", "MPEG_LAYER_III")
    assert why_not_writable("WAV", "MPEG_LAYER_III", 44100, 2) is not None
    assert why_not_writable("OGG", "VORBIS", 250_000, 2) is not None  # would end the process


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("xyz", None, 44100, 2), "XYZ is no audio format that can be written. Take wav, flac"),
        (("", None, 44100, 2), "A name without an ending is no audio format"),
        (("ogg", "VORBIS", 200_000, 2), "VORBIS has sample rates up to 192000 Hz; got 200000"),
        (("mp3", None, 44100, 6), "MP3 has up to 2 channels; got 6"),
        (("flac", None, 44100, 9), "FLAC has up to 8 channels; got 9"),
        (("wav", "VORBIS", 44100, 2), "WAV cannot hold subtype VORBIS; it has: "),
        (("mp3", None, 44100, 2, 500), "bitrate must be from 32 to 320 kb/s for MP3 with 2"),
        (("opus", None, 48000, 1, 500), "bitrate must be from 6 to 256 kb/s for OPUS with 1"),
        (("flac", None, 44100, 2, 128), "bitrate is for mp3, ogg and opus; got 128"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_can(arguments, said):
    with pytest.raises(ValueError, match=said):
        choose_encoding(*arguments)


@pytest.mark.parametrize(
    ("encoding", "n_channels", "level"),
    [
        (Encoding("MP3", "MPEG_LAYER_III", 44100, 320), 2, 0),
        (Encoding("MP3", "MPEG_LAYER_III", 44100, 32), 2, 1),
        (Encoding("MP3", "MPEG_LAYER_III", 16000, 84), 2, 0.5),
        (Encoding("OGG", "OPUS", 48000, 131), 1, 0.5),
        (Encoding("OGG", "VORBIS", 44100, 160), 2, 0.5),
        (Encoding("OGG", "VORBIS", 44100, 80), 1, 0.5),
        (Encoding("WAV", "PCM_24", 44100, None), 2, None),
    ],
)
def test_bit_rates_become_the_levels_of_libsndfile(encoding, n_channels, level):
    assert compression_level(encoding, n_channels) == (
        None if level is None else pytest.approx(level)
    )
