import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksvs.audio import AudioFile, read, write
from sksvs.separation import _choose_format, separate_file, separate_files
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer
from tests.estimators.conftest import three_sources, tiny_separator
from tests.strategies import SAMPLE_RATE, seeded_noise, tiny_tracks

NAMES = ["accompaniment", "vocals"]


def tiny_pipeline(first=(), last=None, y=None):
    X, sources = tiny_tracks(2)
    last = last or tiny_separator(max_iter=1, bidirectional=False)
    steps = [*first, STFTTransformer(n_fft=64, hop_length=32), IRMTarget(), last]
    return make_pipeline(*steps).fit(X, y or sources)


@pytest.fixture(scope="module")
def pipeline():
    return tiny_pipeline()


@pytest.fixture(scope="module")
def bidirectional():
    return tiny_pipeline(last=tiny_separator(max_iter=1, bidirectional=True))


def make_song(path, shape=(20_000, 2), subtype="FLOAT", seed=0):
    soundfile.write(path, seeded_noise(shape, seed, scale=0.1), SAMPLE_RATE, subtype)
    return path


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("shape", [(1,), (31, 2), (20_000,), (50_000, 2)])
@pytest.mark.parametrize("kind", ["pipeline", "bidirectional"])
def test_the_stems_are_what_predict_gives(tmp_path, request, kind, shape):
    separator = request.getfixturevalue(kind)
    song = make_song(tmp_path / "song.wav", shape)
    stems = separate_file(separator, song, tmp_path / "out")
    assert [stem.name for stem in stems] == ["vocals.wav", "accompaniment.wav"]
    (expected,) = separator.predict([AudioFile(song)])
    mixture, _ = read(song)
    estimates = np.stack([read(stem)[0] for stem in stems])
    peak = np.abs(mixture).max()
    np.testing.assert_allclose(estimates, expected, atol=1e-5 * peak)
    np.testing.assert_allclose(estimates.sum(axis=0), mixture, atol=1e-5 * peak)


def test_channels_stay_where_the_pipeline_averages_them(tmp_path):
    separator = tiny_pipeline([MonoDownmix()])
    song = make_song(tmp_path / "song.wav")
    stems = separate_file(separator, song, tmp_path)
    (expected,) = separator.predict([AudioFile(song)])
    estimates = np.stack([read(stem)[0] for stem in stems])
    assert estimates.shape == (2, 20_000, 2)
    np.testing.assert_allclose(estimates.mean(axis=-1), expected, atol=1e-6)
    np.testing.assert_allclose(estimates.sum(axis=0), read(song)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "subtype", "step"),
    [
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_U8", 2**-7),
        ("a.wav", "PCM_24", 2**-23),
        ("a.flac", "PCM_16", 2**-15),
        ("a.flac", "PCM_24", 2**-23),
        ("a.aiff", "PCM_16", 2**-15),
        ("a.rf64", "FLOAT", 0),
    ],
)
def test_rate_channels_and_subtype_are_kept(tmp_path, pipeline, name, subtype, step):
    song = make_song(tmp_path / name, (5000, 2), subtype)
    stems = separate_file(pipeline, song, tmp_path / "out")
    (expected,) = pipeline.predict([AudioFile(song)])
    for stem, estimate in zip(stems, expected):
        file = AudioFile(stem)
        assert (file.subtype, file.sample_rate) == (subtype, SAMPLE_RATE)
        assert (file.format, file.shape) == (AudioFile(song).format, (5000, 2))
        np.testing.assert_allclose(file[:], estimate, atol=step + 1e-6)


@pytest.mark.parametrize("ending", ["ogg", "mp3"])
def test_lossy_files_give_files_of_their_kind(tmp_path, pipeline, ending):
    write(tmp_path / f"a.{ending}", seeded_noise((30_000, 2), 0, 0.1), SAMPLE_RATE)
    song = AudioFile(tmp_path / f"a.{ending}")
    for stem in separate_file(pipeline, song.path, tmp_path / "out"):
        file = AudioFile(stem)
        assert (file.format, file.subtype) == (song.format, song.subtype)
        assert file.shape[1] == 2
        assert len(file) >= len(song)


def test_another_format_can_be_asked_for(tmp_path, pipeline):
    song = make_song(tmp_path / "a.wav", subtype="PCM_16")
    flac = separate_file(pipeline, song, tmp_path, audio_format="flac")
    assert [AudioFile(stem).subtype for stem in flac] == ["PCM_16"] * 2
    floating = make_song(tmp_path / "b.wav", subtype="FLOAT")
    flac = separate_file(pipeline, floating, tmp_path, audio_format="flac")
    assert [AudioFile(stem).subtype for stem in flac] == ["PCM_24"] * 2


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (("MPEG", "MPEG_LAYER_II", (9, 2)), ("WAV", "PCM_24")),
        (("WAVEX", "PCM_24", (9, 2)), ("WAVEX", "PCM_24")),
        (("WAV", "FLOAT", (600_000_000, 2)), ("RF64", "FLOAT")),
    ],
)
def test_what_cannot_be_written_becomes_24_bit_wav_and_what_is_long_rf64(facts, expected):
    file = SimpleNamespace(**dict(zip(("format", "subtype", "shape"), facts)))
    assert _choose_format(file, None) == expected


def test_sources_have_names(tmp_path):
    separator = tiny_pipeline(y=three_sources(tiny_tracks(2)[1]))
    song = make_song(tmp_path / "song.wav", (4000,))
    stems = separate_file(separator, song, tmp_path)
    assert [stem.stem for stem in stems] == ["vocals", "source_1", "source_2"]
    names = ["voice", "loud", "soft"]
    stems = separate_file(separator, song, tmp_path, source_names=names)
    assert [stem.stem for stem in stems] == names
    for wrong in (["a", "b"], ["a", "b", "b"], ["a", "b", "../c"]):
        with pytest.raises(ValueError, match="source_names must be 3 different file names"):
            separate_file(separator, song, tmp_path, source_names=wrong)


def test_a_source_without_a_name_is_not_written(tmp_path, pipeline):
    song = make_song(tmp_path / "song.wav", (4000,))
    (both, _) = separate_file(pipeline, song, tmp_path / "both")
    for names, index in ((["voice", None], 0), ([None, "band"], 1)):
        (stem,) = separate_file(pipeline, song, tmp_path / names[index], source_names=names)
        assert files_in(stem.parent) == [f"{names[index]}.wav"]
        expected = read(both.with_name(("vocals.wav", "accompaniment.wav")[index]))[0]
        np.testing.assert_array_equal(read(stem)[0], expected)
    with pytest.raises(ValueError, match="source_names must be 2 different file names"):
        separate_file(pipeline, song, tmp_path, source_names=[None, None])


def test_progress_counts_the_samples_of_the_file(tmp_path, pipeline):
    song, counts = make_song(tmp_path / "song.wav", (50_000, 2)), []
    separate_file(pipeline, song, tmp_path, progress=counts.append)
    assert sum(counts) == 50_000
    assert len(counts) > 1


def test_a_search_separates_with_its_best_estimator(tmp_path, pipeline):
    song = make_song(tmp_path / "song.wav", (4000,))
    search = SimpleNamespace(best_estimator_=pipeline)
    assert len(separate_file(search, song, tmp_path)) == 2


def test_the_input_is_never_overwritten(tmp_path, pipeline):
    song = make_song(tmp_path / "vocals.wav")
    before = song.read_bytes()
    with pytest.raises(ValueError, match=r"vocals\.wav would be overwritten by its own stem"):
        separate_file(pipeline, song, tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "accompaniment.wav").hardlink_to(song)
    with pytest.raises(ValueError, match="would be overwritten"):
        separate_file(pipeline, song, tmp_path / "out")
    assert song.read_bytes() == before


def test_what_is_no_separator_is_refused(tmp_path, pipeline):
    song = make_song(tmp_path / "song.wav")
    with pytest.raises(TypeError, match="must be a fitted Pipeline .* got GRUMaskSeparator"):
        separate_file(pipeline[-1], song, tmp_path)
    unfitted = make_pipeline(STFTTransformer(), tiny_separator())
    with pytest.raises(NotFittedError):
        separate_file(unfitted, song, tmp_path)
    for wrong in ("xyz", "raw", ""):
        with pytest.raises(ValueError, match="audio_format must be a kind of file that"):
            separate_file(pipeline, song, tmp_path, audio_format=wrong)
    with pytest.raises(TypeError, match=r"paths must be a sequence of paths; got .*song\.wav"):
        separate_files(pipeline, song, tmp_path)


def test_errors_name_the_file_and_leave_nothing(tmp_path, pipeline):
    song = make_song(tmp_path / "cut.flac", (300_000, 2), "PCM_16")
    song.write_bytes(song.read_bytes()[:-100_000])
    with pytest.raises(ValueError, match=r"cut\.flac (is damaged or truncated|cannot be read)"):
        separate_file(pipeline, song, tmp_path / "out")
    soundfile.write(tmp_path / "slow.wav", np.full(1000, 0.1), 22050)
    fitted_at_8000 = tiny_pipeline()
    fitted_at_8000[-1].stft_params_ = STFTTransformer(64, 32)._params(SAMPLE_RATE)
    with pytest.raises(ValueError, match=r"slow\.wav was analysed with sample_rate=22050"):
        separate_file(fitted_at_8000, tmp_path / "slow.wav", tmp_path / "out")
    assert files_in(tmp_path) == ["cut.flac", "slow.wav"]


def run(code, *arguments, **kwargs):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **kwargs)


SEPARATE_AGAIN_AND_AGAIN = """
import pickle, sys
from sksvs.separation import separate_file
pipeline = pickle.load(open(sys.argv[1], "rb"))
while True:
    print("next", flush=True)
    separate_file(pipeline, sys.argv[2], sys.argv[3])
"""


def test_a_killed_process_leaves_whole_files_or_none(tmp_path, pipeline):
    (tmp_path / "pipeline").write_bytes(pickle.dumps(pipeline))
    song = make_song(tmp_path / "song.wav", (1_000_000, 2), "PCM_16")
    rng, interrupted = np.random.default_rng(0), 0
    for attempt in range(4):
        out = tmp_path / f"out_{attempt}"
        process = run(SEPARATE_AGAIN_AND_AGAIN, tmp_path / "pipeline", song, out)
        with process:
            process.stdout.readline()
            time.sleep(rng.uniform(0.05, 0.5))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        names = files_in(out) if out.exists() else []
        whole = [name for name in names if not name.startswith(".")]
        assert set(whole) <= {"vocals.wav", "accompaniment.wav"}
        for name in whole:
            assert AudioFile(out / name)[:].shape == (1_000_000, 2)
        interrupted += len(names) > len(whole)
    assert interrupted  # or the kills came too early to show anything


WITH_A_SMALL_DISK = """
import pickle, resource, sys
from sksvs.separation import separate_file
pipeline = pickle.load(open(sys.argv[1], "rb"))
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
for song in sys.argv[3:]:
    try:
        separate_file(pipeline, song, sys.argv[2])
    except OSError as error:
        print(error)
"""


def test_a_full_disk_leaves_nothing_and_is_said(tmp_path, pipeline):
    (tmp_path / "pipeline").write_bytes(pickle.dumps(pipeline))
    songs = [
        make_song(tmp_path / "a.wav", (200_000, 2), "PCM_16"),
        make_song(tmp_path / "b.flac", (200_000, 2), "PCM_16"),
        make_song(tmp_path / "c.wav", (16_000, 2), "PCM_16"),  # the last block is too much
    ]
    write(tmp_path / "d.ogg", seeded_noise((300_000, 2), 0, 0.1), SAMPLE_RATE)
    out = tmp_path / "out"
    process = run(WITH_A_SMALL_DISK, tmp_path / "pipeline", out, *songs, tmp_path / "d.ogg")
    lines = process.communicate()[0].splitlines()
    assert process.returncode == 0
    assert len(lines) == 4
    for line, ending in zip(lines, ("wav", "flac", "wav", "ogg")):
        assert f".{ending} could not be written to its end, and is left as it was (" in line
        assert line.endswith("Is the disk full?")
    assert files_in(out) == []


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_file_that_fails_is_reported_and_the_others_go_on(tmp_path, pipeline, n_jobs):
    good = make_song(tmp_path / "good.wav")
    cut = make_song(tmp_path / "cut.wav")
    cut.write_bytes(cut.read_bytes()[:-100])
    last = make_song(tmp_path / "last.flac", subtype="PCM_16")
    with pytest.warns(UserWarning, match=r"1 of 3 files could not be .*\n.*cut\.wav: ValueError"):
        results = separate_files(pipeline, [good, cut, last], tmp_path / "out", n_jobs=n_jobs)
    assert [result.path for result in results] == [good, cut, last]
    assert [len(result.stems) for result in results] == [2, 0, 2]
    assert "cut.wav is truncated: it should have 100 byte" in results[1].error
    assert results[0].error is None
    expected = [f"good/{n}.wav" for n in NAMES] + [f"last/{n}.flac" for n in NAMES]
    assert files_in(tmp_path / "out") == expected


def test_stems_have_folders_by_what_their_paths_do_not_share(tmp_path, pipeline):
    for folder in ("Dev/051", "Test/001"):
        (tmp_path / folder).mkdir(parents=True)
        make_song(tmp_path / folder / "mixture.wav", (4000,))
    songs = sorted(tmp_path.rglob("*.wav"))
    results = separate_files(pipeline, songs, tmp_path / "out")
    assert [result.stems[0].relative_to(tmp_path / "out") for result in results] == [
        Path("Dev/051/mixture/vocals.wav"),
        Path("Test/001/mixture/vocals.wav"),
    ]
    with pytest.raises(ValueError, match=r"a\.wav and .*a\.flac would have their stems in one"):
        separate_files(pipeline, [tmp_path / "a.wav", tmp_path / "a.flac"], tmp_path / "out")
    assert separate_files(pipeline, [], tmp_path / "out") == []


def test_no_stem_overwrites_or_becomes_another_input(tmp_path, pipeline):
    (tmp_path / "song").mkdir()
    song = make_song(tmp_path / "song.wav", (4000,))
    other = make_song(tmp_path / "song" / "accompaniment.wav", (4000,))
    missing, before = tmp_path / "song" / "vocals.wav", other.read_bytes()
    for second in (other, missing):
        with pytest.raises(ValueError, match=rf"A stem of {song} would be .*, {second}\. Take"):
            separate_files(pipeline, [song, second], tmp_path)
    (tmp_path / "out" / "song").mkdir(parents=True)
    (tmp_path / "out" / "song" / "vocals.wav").hardlink_to(other)
    with pytest.raises(ValueError, match="which is one of the files to separate"):
        separate_files(pipeline, [song, other], tmp_path / "out")
    assert other.read_bytes() == before
    assert files_in(tmp_path) == ["out/song/vocals.wav", "song.wav", "song/accompaniment.wav"]
    (tmp_path / "out" / "song" / "vocals.wav").unlink()
    results = separate_files(pipeline, [song, other], tmp_path / "out")
    assert [result.error for result in results] == [None, None]
