import os

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import AudioFile, read, write
from tests.strategies import seeded_noise, waveforms

STEREO = seeded_noise((3000, 2), seed=1, scale=0.1)


@pytest.fixture
def wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", STEREO, 16000, "FLOAT")
    return tmp_path / "a.wav"


@pytest.mark.parametrize(
    ("name", "subtype", "expected", "atol"),
    [
        ("a.wav", None, "PCM_24", 2**-23),
        ("a.wav", "FLOAT", "FLOAT", 1e-7),
        ("a.wav", "PCM_16", "PCM_16", 2**-15),
        ("a.flac", None, "PCM_24", 2**-23),
    ],
)
def test_what_is_written_is_read_back(tmp_path, name, subtype, expected, atol):
    write(tmp_path / name, STEREO, 22050, subtype)
    file = AudioFile(tmp_path / name)
    assert (file.subtype, file.sample_rate) == (expected, 22050)
    np.testing.assert_allclose(file[:], STEREO, atol=atol)


@given(samples=waveforms(max_channels=3), subtype=st.sampled_from(["PCM_16", "PCM_24"]))
def test_samples_are_rounded_to_the_nearest_whatever_their_order_in_memory(
    tmp_path_factory, samples, subtype
):
    path = tmp_path_factory.getbasetemp() / "nearest.wav"
    samples = np.clip(samples, -0.99, 0.99)
    half_a_step = {"PCM_16": 2**-16, "PCM_24": 2**-24}[subtype]
    for dtype in (np.float32, np.float64):
        for order in "CF":
            write(path, np.asarray(samples, dtype, order=order), 8000, subtype)
            squeezed = samples.reshape(len(samples), -1)
            np.testing.assert_allclose(
                read(path)[0].reshape(len(samples), -1), squeezed, atol=1.01 * half_a_step + 3e-8
            )


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_full_scale_is_reached_and_not_passed(tmp_path, subtype):
    with pytest.warns(UserWarning, match="clipped"):
        write(tmp_path / "a.wav", np.array([-2.0, -1.0, 0.0, 1.0, 2.0]), 8000, subtype)
    expected = {"PCM_16": 1 - 2**-15, "PCM_24": 1 - 2**-23}[subtype]
    np.testing.assert_array_equal(read(tmp_path / "a.wav")[0], [-1, -1, 0, expected, expected])


def test_writing_a_lazy_waveform_needs_no_rate(wav, tmp_path):
    write(tmp_path / "b.wav", AudioFile(wav).to_mono(), subtype="FLOAT")
    np.testing.assert_allclose(read(tmp_path / "b.wav")[0], STEREO.mean(axis=1), atol=1e-7)


def test_clipping_is_said(tmp_path):
    with pytest.warns(UserWarning, match=r"a\.wav: samples up to 1\.5 were clipped"):
        write(tmp_path / "a.wav", np.array([0.0, -1.5, 0.25]), 8000)
    np.testing.assert_allclose(read(tmp_path / "a.wav")[0], [0, -1, 0.25], atol=1e-6)


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.wav"
    write(path, STEREO, 16000)
    before = path.read_bytes()
    broken = STEREO.copy()
    broken[-1] = np.inf
    with pytest.raises(ValueError, match="NaN or inf"):
        write(path, broken, 16000)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.wav"]


def test_a_link_and_the_rights_of_a_file_stay(tmp_path):
    target, link = tmp_path / "target.wav", tmp_path / "link.wav"
    write(target, STEREO, 16000)
    target.chmod(0o600)
    link.symlink_to(target)
    write(link, STEREO[:10], 16000)
    assert link.is_symlink()
    assert AudioFile(target).shape == (10, 2)
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_folder_is_not_overwritten(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.wav is a folder"):
        write(tmp_path / "a.wav", STEREO, 16000)


@pytest.mark.parametrize(
    ("name", "kwargs", "message"),
    [
        ("a.raw", {"sample_rate": 8000}, "RAW is no audio format that can be written. Take wav"),
        ("a.txt", {"sample_rate": 8000}, "TXT is no audio format that can be written"),
        ("a", {"sample_rate": 8000}, "A name without an ending is no audio format"),
        ("a.wav", {"sample_rate": 8000, "bitrate": 128}, "bitrate is for mp3, ogg and opus"),
        ("a.mp3", {"sample_rate": 44100, "bitrate": 400}, "bitrate must be from 32 to 320 kb/s"),
        ("a.ogg", {"sample_rate": 250_000}, "VORBIS has sample rates up to 192000 Hz"),
        ("a.wav", {}, "needs a sample rate to be written, a whole number of Hz; got None"),
        ("a.wav", {"sample_rate": 44100.5}, r"whole number of Hz; got 44100\.5"),
        ("a.ogg", {"sample_rate": 8000, "subtype": "PCM_16"}, "cannot hold subtype PCM_16"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / name, STEREO, **kwargs)
    assert list(tmp_path.iterdir()) == []


def test_a_known_rate_is_not_relabelled(wav, tmp_path):
    with pytest.raises(ValueError, match=r"a\.wav has a sample rate of 16000 Hz; got .*=44100"):
        write(tmp_path / "b.wav", AudioFile(wav), 44100)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none does not exist, so a\.wav cannot"):
        write(tmp_path / "none" / "a.wav", STEREO, 16000)


@pytest.mark.parametrize(("ending", "bitrate"), [("mp3", 128), ("ogg", 128), ("opus", 96)])
def test_a_bit_rate_that_is_asked_for_is_about_what_the_file_has(tmp_path, ending, bitrate):
    seconds = np.arange(20 * 48000) / 48000
    tones = [np.sin(2 * np.pi * f * seconds) for f in (220, 440, 1330)]
    song = 0.1 * np.stack([sum(tones), tones[0]], 1) + seeded_noise((len(seconds), 2), 0, 0.05)
    write(tmp_path / f"a.{ending}", song, 48000, bitrate=bitrate)
    size = (tmp_path / f"a.{ending}").stat().st_size
    assert size * 8 / 20 / 1000 == pytest.approx(bitrate, rel=0.3)


@pytest.mark.parametrize(
    ("name", "rate", "expected"),
    [
        ("a.opus", 44100, 48000),
        ("a.opus", 16000, 16000),
        ("a.mp3", 96000, 48000),
        ("a.mp3", 37800, 44100),
        ("a.mp3", 4000, 8000),
    ],
)
def test_a_kind_that_lacks_the_sample_rate_gets_the_next_one_that_it_has(
    tmp_path, name, rate, expected
):
    tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(2 * rate) / rate)
    write(tmp_path / name, np.stack([tone, -tone], 1), rate)
    file = AudioFile(tmp_path / name)
    samples = file[:][:, 0]
    assert abs(len(samples) / file.sample_rate - 2) < 0.05
    if name == "a.mp3":  # libsndfile gives Opus back at 48 kHz or as it was
        assert file.sample_rate == expected
    spectrum = np.abs(np.fft.rfft(samples[: file.sample_rate]))
    assert np.argmax(spectrum) == 500
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.1)


def test_long_blocks_are_written_in_pieces(tmp_path):
    # libvorbis ends the process where it gets them whole.
    noise = seeded_noise((2_200_000, 1), 0, 0.1)
    write(tmp_path / "a.ogg", noise, 8000)
    assert AudioFile(tmp_path / "a.ogg").shape == (2_200_000,)


def test_a_name_that_is_not_utf_8_is_written_and_read(tmp_path):
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9.flac"))
    write(path, STEREO, 16000)
    np.testing.assert_allclose(AudioFile(path)[:], STEREO, atol=1e-6)
    assert AudioFile(os.fsencode(path)) == AudioFile(path)
