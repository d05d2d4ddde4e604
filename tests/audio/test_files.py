import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform, AudioFile, read, sndfile, to_mono, write
from sksvs.audio.header import NotDecodableError
from tests.strategies import seeded_noise

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
STEREO = seeded_noise((3000, 2), seed=1, scale=0.1)


@pytest.fixture
def wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", STEREO, 16000, "FLOAT")
    return tmp_path / "a.wav"


def test_facts_come_from_the_header_and_samples_when_sliced(wav, monkeypatch):
    file = AudioFile(wav)
    opened = []
    original = soundfile.SoundFile

    def count(*arguments, **options):
        opened.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(soundfile, "SoundFile", count)
    assert (file.shape, len(file), file.ndim) == ((3000, 2), 3000, 2)
    assert (file.sample_rate, file.subtype, file.name) == (16000, "FLOAT", str(wav))
    view = (file.gain(2.0) + file).time_slice(10, 2000).to_mono()
    assert view.shape == (1990,)
    assert opened == []
    np.testing.assert_array_equal(file[100:200], STEREO[100:200].astype(np.float32))
    assert len(opened) == 1


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("shape", [(60000,), (60000, 2)])
def test_every_format_is_read_in_slices_as_it_is_whole(tmp_path, ending, shape):
    seconds = np.arange(shape[0]) / 16000
    tone = 0.25 * np.sin(2 * np.pi * 440 * seconds) + seeded_noise(shape[0], seed=0, scale=0.01)
    write(tmp_path / f"a.{ending}", tone if len(shape) == 1 else np.stack([tone, -tone], 1), 16000)
    file = AudioFile(tmp_path / f"a.{ending}")
    whole = file[:]
    assert file.shape == whole.shape
    assert whole.shape[1:] == shape[1:]
    assert 0.2 < np.abs(whole).max() < 0.4
    parts = np.concatenate([file[start : start + 1500] for start in range(0, len(file), 1500)])
    np.testing.assert_allclose(parts, whole, atol=1e-6)


@given(start=st.integers(-3100, 3100), stop=st.integers(-3100, 3100))
def test_slices_follow_the_rules_of_python(tmp_path_factory, start, stop):
    path = tmp_path_factory.getbasetemp() / "slices.wav"
    if not path.exists():
        soundfile.write(path, STEREO, 16000, "FLOAT")
    np.testing.assert_array_equal(AudioFile(path)[start:stop], STEREO.astype("f4")[start:stop])


def test_other_keys_index_like_an_array(wav):
    file, samples = AudioFile(wav), STEREO.astype(np.float32)
    np.testing.assert_array_equal(file[5], samples[5])
    np.testing.assert_array_equal(file[::7], samples[::7])
    np.testing.assert_array_equal(file[10:20, 1], samples[10:20, 1])
    assert file[5, 1] == samples[5, 1]
    np.testing.assert_array_equal(np.asarray(file, dtype=np.float64), samples.astype(np.float64))


def test_a_pickle_holds_the_path_and_no_samples(wav):
    file = AudioFile(wav)
    before = pickle.dumps(file)
    samples = file[:]
    assert pickle.dumps(file) == before
    assert len(before) < 500
    again = pickle.loads(before)
    assert again == file
    assert hash(again) == hash(file)
    np.testing.assert_array_equal(again[:], samples)


def test_a_file_that_changes_is_refused(wav):
    file = AudioFile(wav)
    soundfile.write(wav, STEREO[:100], 16000)
    with pytest.raises(ValueError, match=r"a\.wav has changed since it was opened"):
        file[:]
    assert AudioFile(wav) != file
    assert AudioFile(wav).shape == (100, 2)


def test_an_unpickled_file_notices_what_has_become_of_it(wav):
    pickled = pickle.dumps(AudioFile(wav))
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).shape)"

    def shape_elsewhere():
        done = subprocess.run([sys.executable, "-c", code], input=pickled, capture_output=True)
        return done.stdout + done.stderr

    assert shape_elsewhere() == b"(3000, 2)\n"
    soundfile.write(wav, STEREO[:100], 16000)
    assert b"a.wav has changed since it was opened" in shape_elsewhere()
    wav.unlink()
    assert b"a.wav does not exist" in shape_elsewhere()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.wav does not exist"):
        AudioFile(tmp_path / "none.wav")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "NaN or inf"),
        (-np.inf, "NaN or inf"),
        (-2e30, r"beyond 1e\+30, where full scale is 1"),
    ],
)
def test_what_is_no_number_in_a_file_is_named_when_it_is_read(tmp_path, value, words):
    samples = STEREO.copy()
    samples[1234, 1] = value
    soundfile.write(tmp_path / "a.wav", samples, 16000, "FLOAT")
    file = AudioFile(tmp_path / "a.wav")
    file[:1000]
    with pytest.raises(ValueError, match=rf"a\.wav has 1 sample.* {words}, .* at sample 1234"):
        file[1000:2000]


def test_read_gives_samples_and_rate(wav):
    samples, sample_rate = read(wav)
    assert (samples.dtype, sample_rate) == (np.float32, 16000)
    np.testing.assert_array_equal(samples, STEREO.astype(np.float32))


def test_to_mono_is_the_mean_of_the_channels():
    np.testing.assert_array_equal(to_mono(STEREO), STEREO.mean(axis=1))
    np.testing.assert_array_equal(to_mono(ArrayWaveform(STEREO))[:], STEREO.mean(axis=1))
    assert to_mono(STEREO[:, 0]) is not None
    np.testing.assert_array_equal(to_mono(STEREO[:, 0]), STEREO[:, 0])


def test_real_files_are_read_in_slices_as_whole(mir1k_root, dsd100_root):
    paths = [*sorted(mir1k_root.rglob("*.wav"))[:3], *sorted(dsd100_root.rglob("vocals.wav"))]
    for path in paths:
        file = AudioFile(path)
        expected, rate = soundfile.read(path, dtype="float32")
        assert (file.shape, file.sample_rate) == (expected.shape, rate)
        np.testing.assert_array_equal(np.concatenate(list(file.blocks(50000))), expected)


def with_data_length(path, length):
    """Give a WAV file another length of its sample data."""
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = length.to_bytes(4, "little")
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("length", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 24_003])
def test_a_wav_that_could_not_know_its_length_is_read_to_the_end(wav, length):
    with_data_length(wav, length)
    np.testing.assert_array_equal(AudioFile(wav)[:], STEREO.astype(np.float32))


@pytest.mark.parametrize(
    "ending", ["wav", "rf64", "w64", "aiff", "au", "caf", "flac", "mp3", "ogg"]
)
def test_of_a_file_that_was_cut_short_the_beginning_is_read_with_a_warning(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    write(path, seeded_noise((100_000, 2), seed=0, scale=0.1), 16000)
    whole = AudioFile(path)[:]
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.warns(UserWarning, match=rf"a\.{ending} (is cut short|does not end).* read"):
        file = AudioFile(path)
    assert 30_000 < len(file) < 70_000
    np.testing.assert_allclose(file[1000:30_000], whole[1000:30_000], atol=1e-5)
    with pytest.raises(ValueError, match=rf"a\.{ending} (is cut short|does not end)"):
        AudioFile(path, strict=True)


def test_a_cut_file_says_how_much_of_it_was_read(wav):
    wav.write_bytes(wav.read_bytes()[:-1600])
    said = r"2800 samples \(0\.2 s\) were read of 3000 \(0\.2 s\) that its header promises"
    with pytest.warns(UserWarning, match=said):
        assert AudioFile(wav).shape == (2800, 2)


def test_a_big_endian_wav_is_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", STEREO, 16000, "PCM_16", endian="BIG")
    assert (tmp_path / "a.wav").read_bytes()[:4] == b"RIFX"
    np.testing.assert_allclose(AudioFile(tmp_path / "a.wav")[:], STEREO, atol=2**-15)


def test_of_a_file_that_is_damaged_in_the_middle_the_rest_is_read_with_a_warning(tmp_path):
    path = tmp_path / "a.flac"
    write(path, seeded_noise((200_000, 2), seed=0, scale=0.1), 16000)
    whole = AudioFile(path)[:]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(bytes(data))
    file = AudioFile(path)  # its header and its end are as they should be
    with pytest.warns(UserWarning, match=r"a\.flac is damaged: \d+ of its 200000 samples can be"):
        samples = file[:]
    assert samples.shape == (200_000, 2)
    np.testing.assert_allclose(samples[:90_000], whole[:90_000], atol=1e-6)
    np.testing.assert_array_equal(file[50_000:60_000], samples[50_000:60_000])
    with pytest.raises(ValueError, match=r"a\.flac is damaged"):
        AudioFile(path, strict=True)


def test_what_lies_beyond_the_last_decoded_sample_is_silence(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, seeded_noise((30_000, 2), 3, 0.1), 44100, "PCM_16")
    data = bytearray(path.read_bytes())
    data[200:220] = bytes(20)  # of the first frame
    path.write_bytes(data)
    file = AudioFile(path)
    with pytest.warns(UserWarning, match="of its 30000 samples can be decoded, and silence"):
        file[:100]
    np.testing.assert_array_equal(file[29_900:], np.zeros((100, 2)))


def test_a_file_that_cannot_be_read_in_ranges_but_is_decoded_whole_is_not_damaged(
    tmp_path, monkeypatch
):
    def fail(*_):
        raise NotDecodableError("its index is wrong")

    path = tmp_path / "a.flac"
    write(path, seeded_noise((30_000, 2), seed=0, scale=0.1), 16000)
    whole = AudioFile(path)[:]
    file = AudioFile(path, strict=True)
    monkeypatch.setattr(sndfile, "read_range", fail)
    np.testing.assert_allclose(file[1000:2000], whole[1000:2000], atol=1e-6)  # and no warning
    np.testing.assert_allclose(file[:], whole, atol=1e-6)


READ = "import sys; from sksvs.audio import AudioFile; AudioFile(sys.argv[1])"


def test_a_vorbis_file_with_a_false_codebook_does_not_end_the_process(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from mutations import with_checksums

    path = tmp_path / "a.ogg"
    soundfile.write(path, seeded_noise((30_000, 2), 3, 0.1), 44100)
    data = bytearray(path.read_bytes())
    data[data.index(b"\x05vorbis") + 660] ^= 0x40
    path.write_bytes(with_checksums(data))
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True)
    assert done.returncode == 1, done
    assert f"ValueError: {path} is no audio that libsndfile or FFmpeg can decode" in done.stderr


@pytest.mark.parametrize("n_promised", [40_000_000, (1 << 63) - 1])
def test_an_ogg_file_has_the_samples_that_are_in_it_whatever_it_promises(
    tmp_path, monkeypatch, n_promised
):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from mutations import with_checksums

    path = tmp_path / "a.ogg"
    soundfile.write(path, seeded_noise((30_000, 2), 3, 0.1), 44100)
    whole = AudioFile(path)[:]
    data = bytearray(path.read_bytes())
    at = data.rindex(b"OggS") + 6
    data[at : at + 8] = n_promised.to_bytes(8, "little")
    path.write_bytes(with_checksums(data))
    with pytest.warns(UserWarning, match=rf"a\.ogg is cut short: 3.* read of {n_promised} "):
        file = AudioFile(path)
    assert 30_000 <= len(file) < 31_000
    np.testing.assert_allclose(file[:29_000], whole[:29_000], atol=1e-4)


@pytest.mark.parametrize("name", ["a.raw", "a.mp3", "a.vox", "a.txt", "a", "http:x.wav"])
def test_the_name_of_a_file_has_no_part_in_how_it_is_read(wav, name):
    path = wav.rename(wav.with_name(name))
    np.testing.assert_array_equal(AudioFile(path)[:], STEREO.astype(np.float32))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.wav", b"", r"a\.wav is empty: it has no bytes"),
        ("a.wav", b"no audio at all", "is no audio that libsndfile or FFmpeg can decode"),
        ("a.wav", b"RIFF\0\0\0\0WAVE", "is no audio that libsndfile or FFmpeg can decode"),
        ("a.flac", b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
        ("a.mp3", b"<!DOCTYPE html><html></html>", "is a web page"),
        ("a.raw", bytes(range(200)), "has no header that says its sample rate"),
        ("a.m3u8", b"#EXTM3U\n#EXTINF:3,\n/etc/passwd\n#EXT-X-ENDLIST\n", "is no audio"),
        ("a.txt", b"ffconcat version 1.0\nfile a.wav\n", "is no audio"),
    ],
)
def test_what_is_no_audio_is_refused_with_what_it_may_be(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said) as refused:
        AudioFile(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


def test_a_file_without_a_sample_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    with pytest.raises(ValueError, match=r"a\.wav is no audio .*it holds no sample"):
        AudioFile(tmp_path / "a.wav")


def test_folders_and_devices_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is a folder and no audio file"):
        AudioFile(tmp_path)
    with pytest.raises(ValueError, match="is a device and no audio file"):
        AudioFile("/dev/zero")


def test_a_real_file_that_was_cut_is_read_as_far_as_it_goes(mir1k_root, tmp_path):
    source = next(mir1k_root.rglob("abjones_1_01.wav"))
    shutil.copyfile(source, tmp_path / "cut.wav")
    with open(tmp_path / "cut.wav", "r+b") as file:
        file.truncate(100_044)
    with pytest.warns(UserWarning, match=r"cut\.wav is cut short: 25000 samples"):
        cut = AudioFile(tmp_path / "cut.wav")
    np.testing.assert_array_equal(cut[:], AudioFile(source)[:25_000])
