import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform, AudioFile, read, resample, to_mono, write
from tests.strategies import seeded_noise, waveforms

STEREO = seeded_noise((3000, 2), seed=1, scale=0.1)


@pytest.fixture
def wav(tmp_path):
    soundfile.write(tmp_path / "a.wav", STEREO, 16000, "FLOAT")
    return tmp_path / "a.wav"


def test_facts_come_from_the_header_and_samples_when_sliced(wav, monkeypatch):
    file = AudioFile(wav)
    opened = []
    original = soundfile.SoundFile
    monkeypatch.setattr(soundfile, "SoundFile", lambda *a: opened.append(a) or original(*a))
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


def test_a_truncated_wav_is_refused_by_its_header(wav):
    wav.write_bytes(wav.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"a\.wav is truncated: it should have 1000 byte"):
        AudioFile(wav)


def test_a_wav_that_was_streamed_without_a_length_is_read(wav):
    data = bytearray(wav.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    wav.write_bytes(bytes(data))
    assert AudioFile(wav).shape == (3000, 2)


@pytest.mark.parametrize("name", ["a.rf64", "a.aiff", "a.ogg"])
def test_other_truncated_files_are_refused_by_their_header(tmp_path, name):
    write(tmp_path / name, seeded_noise(100_000, seed=0, scale=0.1), 16000)
    assert AudioFile(tmp_path / name).shape == (100_000,)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=rf"{name} is truncated"):
        AudioFile(tmp_path / name)


def test_a_big_endian_wav_is_read_whole_and_refused_truncated(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, STEREO, 16000, "PCM_16", endian="BIG")
    assert path.read_bytes()[:4] == b"RIFX"
    assert AudioFile(path).shape == (3000, 2)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=r"a\.wav is truncated: it should have 100 byte"):
        AudioFile(path)


@pytest.mark.parametrize("ending", ["flac"])
def test_a_truncated_file_is_refused_when_it_is_decoded(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    write(path, STEREO, 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"a\.{ending} (is damaged or truncated|cannot be read)"):
        AudioFile(path)[:]


@pytest.mark.parametrize("content", [b"", b"no audio at all", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_audio_is_refused(tmp_path, content):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.wav cannot be read"):
        AudioFile(tmp_path / "a.wav")


def test_an_empty_file_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    with pytest.raises(ValueError, match=r"a\.wav is empty"):
        AudioFile(tmp_path / "a.wav")


def test_nan_in_a_file_is_named_when_it_is_read(tmp_path):
    samples = STEREO.copy()
    samples[1234, 1] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16000, "FLOAT")
    file = AudioFile(tmp_path / "a.wav")
    file[:1000]
    with pytest.raises(ValueError, match=r"a\.wav has 1 sample.* NaN or inf, .* at sample 1234"):
        file[1000:2000]


def test_read_gives_samples_and_rate(wav):
    samples, sample_rate = read(wav)
    assert (samples.dtype, sample_rate) == (np.float32, 16000)
    np.testing.assert_array_equal(samples, STEREO.astype(np.float32))


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
        ("a.raw", {"sample_rate": 8000}, "no ending of an audio format that can be written"),
        ("a.txt", {"sample_rate": 8000}, "no ending of an audio format that can be written"),
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


def test_resampling_keeps_a_tone_and_its_level():
    seconds = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 1000 * seconds)
    slow = resample(tone, 44100, 16000)
    expected = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    np.testing.assert_allclose(slow[200:-200], expected[200:-200], atol=1e-3)


def test_resampling_a_waveform_gives_one_that_knows_its_rate(wav):
    slow = resample(AudioFile(wav), 16000, 8000)
    assert (slow.shape, slow.sample_rate, slow.name) == ((1500, 2), 8000, str(wav))
    with pytest.raises(ValueError, match=r"16000 Hz; got sample_rate=44100"):
        resample(AudioFile(wav), 44100, 8000)


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


def test_a_truncated_real_file_is_refused(mir1k_root, tmp_path):
    source = next(mir1k_root.rglob("abjones_1_01.wav"))
    shutil.copyfile(source, tmp_path / "cut.wav")
    with open(tmp_path / "cut.wav", "r+b") as file:
        file.truncate(100_000)
    with pytest.raises(ValueError, match=r"cut\.wav is truncated"):
        AudioFile(tmp_path / "cut.wav")
