import gc
import os
import pickle
import subprocess
import sys

import av
import numpy as np
import pytest
import soundfile

from sksvs.audio import AudioFile, decoded, ffmpeg, write
from tests.strategies import seeded_noise

RATE = 44100


def tone(n_samples):
    seconds = np.arange(n_samples) / RATE
    left = 0.4 * np.sin(2 * np.pi * 440 * seconds)
    return np.stack([left, 0.2 * np.sin(2 * np.pi * 660 * seconds)], 1).astype(np.float32)


def write_m4a(path, samples, audio_format="mp4"):
    """Write AAC as people have it, by FFmpeg's own coder."""
    with av.open(str(path), "w", format=audio_format) as container:
        stream = container.add_stream("aac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "fltp", "stereo")
        frame.rate, frame.pts = RATE, 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


@pytest.fixture
def m4a(tmp_path):
    write_m4a(tmp_path / "a.m4a", tone(60_000))
    return tmp_path / "a.m4a"


def open_temporary_files():
    """Return how many nameless temporary files this process has open."""
    links = (os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd"))
    return sum("(deleted)" in link for link in links)


def test_what_only_ffmpeg_reads_is_decoded_once_and_read_in_slices(m4a, monkeypatch):
    decodings = []
    decode = ffmpeg.decode
    monkeypatch.setattr(
        ffmpeg, "decode", lambda path, write: decodings.append(path) or decode(path, write)
    )
    file = AudioFile(m4a)
    whole = file[:]
    assert (file.format, file.subtype, file.sample_rate) == ("MOV", "AAC", RATE)
    assert 60_000 <= len(whole) < 62_100
    error = whole[2000:58_000] - tone(60_000)[2000:58_000]
    assert np.sqrt(np.mean(error**2)) < 0.01  # 30 dB below the tones: in step, and lossy
    parts = np.concatenate([file[start : start + 7001] for start in range(0, len(file), 7001)])
    np.testing.assert_array_equal(parts, whole)
    np.testing.assert_array_equal(AudioFile(m4a)[100:200], whole[100:200])
    assert len(decodings) == 1


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="no /proc to look into")
def test_the_temporary_file_goes_away_with_the_last_user(m4a):
    gc.collect()
    before = open_temporary_files()
    first, second = AudioFile(m4a), AudioFile(m4a)
    assert open_temporary_files() == before + 1
    del first
    gc.collect()
    second[:10]
    assert open_temporary_files() == before + 1
    del second
    gc.collect()
    assert open_temporary_files() == before


def test_a_pickle_is_small_and_is_decoded_where_it_arrives(m4a):
    file = AudioFile(m4a)
    assert len(pickle.dumps(file)) < 500
    code = "import pickle, sys; f = pickle.load(sys.stdin.buffer); print(f.shape, f[99:101].sum())"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(file), capture_output=True, check=True
    )
    assert done.stdout.decode().split()[:2] == [f"({len(file)},", "2)"]


def test_of_too_many_temporary_files_the_first_are_given_up_and_decoded_again(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(decoded, "MAX_OPEN", 2)
    files = []
    for i in range(4):
        write_m4a(tmp_path / f"{i}.m4a", (i + 1) * 0.2 * tone(5000))
        files.append(AudioFile(tmp_path / f"{i}.m4a"))
    kept = sum(f._samples._storage is not None for f in files)
    assert kept == 2
    peaks = [np.abs(file[2000:4000]).max() for file in files]
    np.testing.assert_allclose(peaks, [0.08, 0.16, 0.24, 0.32], rtol=0.15)


def test_a_full_temporary_folder_is_said_with_a_remedy(m4a):
    code = (
        "import resource, sys; from sksvs.audio import AudioFile\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "try: AudioFile(sys.argv[1])\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, m4a], capture_output=True, text=True)
    assert "a.m4a cannot be decoded into the temporary folder" in done.stdout, done.stderr
    assert "set TMPDIR to another folder" in done.stdout


def test_a_file_that_is_not_read_in_ranges_notices_that_it_has_changed(m4a):
    file = AudioFile(m4a)
    write_m4a(m4a, tone(5000))
    with pytest.raises(ValueError, match=r"a\.m4a has changed since it was opened"):
        file[:10]
    assert len(AudioFile(m4a)) < 8000


def test_a_file_whose_frames_change_is_converted_to_the_first_kind(tmp_path):
    parts = []
    for rate, n_channels in ((44100, 2), (22050, 1)):
        write(tmp_path / "part.mp3", seeded_noise((2 * rate, n_channels), 0, 0.1), rate)
        parts.append((tmp_path / "part.mp3").read_bytes())
    (tmp_path / "joined.mp3").write_bytes(b"".join(parts))
    file = AudioFile(tmp_path / "joined.mp3")
    assert (file.sample_rate, file.n_channels) == (44100, 2)
    assert len(file) / 44100 == pytest.approx(4, abs=0.15)
    second = file[3 * 44100 : 3 * 44100 + 20_000]
    # FFmpeg shares the power of one channel out to two.
    assert np.sqrt(np.mean(second**2)) == pytest.approx(0.1 / np.sqrt(2), rel=0.2)


def test_aac_without_a_container_is_read(tmp_path):
    write_m4a(tmp_path / "a.aac", tone(30_000), "adts")
    assert AudioFile(tmp_path / "a.aac").subtype == "AAC"


def test_threads_that_read_one_file_do_not_disturb_each_other(m4a):
    from concurrent.futures import ThreadPoolExecutor

    file = AudioFile(m4a)
    whole = file[:]
    starts = list(range(0, 50_000, 500)) * 4
    with ThreadPoolExecutor(8) as pool:
        for start, part in zip(starts, pool.map(lambda s: file[s : s + 900], starts)):
            np.testing.assert_array_equal(part, whole[start : start + 900])


@pytest.mark.parametrize("subtype", ["G721_32", "NMS_ADPCM_32", "GSM610"])
def test_codecs_in_which_libsndfile_cannot_seek_are_read_alike_wherever_they_are(tmp_path, subtype):
    samples = tone(30_000)[:, 0]
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype)
    file = AudioFile(tmp_path / "a.wav")
    whole = file[:]
    assert np.corrcoef(whole[:30_000], samples)[0, 1] > 0.9
    np.testing.assert_array_equal(file[12_345:12_400], whole[12_345:12_400])
    code = "import pickle, sys; f = pickle.load(sys.stdin.buffer); print(f[:].tobytes().hex())"
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(file), capture_output=True, check=True
    )
    assert bytes.fromhex(done.stdout.decode()) == whole.tobytes()
    decoded_again = AudioFile(tmp_path / "a.wav")
    decoded_again._samples = None
    del file
    gc.collect()  # and with it what was decoded
    np.testing.assert_array_equal(decoded_again[:], whole)
