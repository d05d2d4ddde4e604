import pickle
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, AudioFile, Sources, read, write, writing
from sksvs.estimators import MixtureBaseline
from sksvs.separation import separate_file, separate_files
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.separation.conftest import files_in, make_song, tiny_pipeline
from tests.strategies import SAMPLE_RATE, seeded_noise, tiny_tracks
from tests.tiny_separators import three_sources, tiny_separator


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


def test_the_loudest_samples_that_are_read_give_stems_that_add_up(tmp_path, pipeline):
    samples = np.float32(9.9e29) * np.sign(seeded_noise((20_000, 2), 0))
    soundfile.write(tmp_path / "loud.wav", samples, SAMPLE_RATE, "FLOAT")
    stems = separate_file(pipeline, tmp_path / "loud.wav", tmp_path / "out")
    estimates = np.stack([read(stem)[0] for stem in stems])
    np.testing.assert_allclose(estimates.sum(axis=0), samples, atol=1e-5 * 9.9e29)


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


def test_stems_are_called_as_the_sources_trained_on(tmp_path):
    names = ("singing", "drums", "all else")
    y = [Sources(map(ArrayWaveform, s), names) for s in three_sources(tiny_tracks(2)[1])]
    separator = tiny_pipeline(last=MixtureBaseline(), y=y)
    song = make_song(tmp_path / "song.wav", (4000,))
    stems = separate_file(separator, song, tmp_path)
    assert tuple(stem.stem for stem in stems) == names
    (result,) = separate_files(separator, [song], tmp_path / "many", skip_existing=True)
    assert tuple(stem.stem for stem in result.stems) == names
    (result,) = separate_files(separator, [song], tmp_path / "many", skip_existing=True)
    assert result.skipped


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
    for wrong in ("xyz", "raw"):
        with pytest.raises(ValueError, match=f"of .* cannot be written: {wrong.upper()} is no"):
            separate_file(pipeline, song, tmp_path, audio_format=wrong)
    alone = make_pipeline(pipeline[-1])
    with pytest.raises(TypeError, match="Put STFTTransformer before GRUMaskSeparator"):
        separate_file(alone, song, tmp_path)


def test_errors_name_the_file_and_leave_nothing(tmp_path, pipeline):
    song = make_song(tmp_path / "cut.flac", (300_000, 2), "PCM_16")
    song.write_bytes(song.read_bytes()[:-100_000])
    with pytest.raises(ValueError, match=r"cut\.flac is cut short"):
        separate_file(pipeline, song, tmp_path / "out", strict=True)
    with pytest.raises(ValueError, match=r"stems of .*cut\.flac cannot .*MP3 .* got 6\."):
        six = make_song(tmp_path / "cut.flac", (3000, 6), "PCM_16")
        separate_file(pipeline, six, tmp_path / "out", audio_format="mp3")
    soundfile.write(tmp_path / "slow.wav", np.full(1000, 0.1), 22050)
    fitted_at_8000 = tiny_pipeline()
    fitted_at_8000[-1].stft_params_ = STFTTransformer(64, 32)._params(SAMPLE_RATE)
    with pytest.raises(ValueError, match=r"slow\.wav was analysed with sample_rate=22050"):
        separate_file(fitted_at_8000, tmp_path / "slow.wav", tmp_path / "out")
    assert files_in(tmp_path) == ["cut.flac", "slow.wav"]


def run(code, *arguments, **kwargs):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **kwargs)


KILL_ITSELF = """
import os, pickle, signal, sys
from sksvs.audio import writing
from sksvs.separation import separate_file

pipeline = pickle.load(open(sys.argv[1], "rb"))
owners = {"os": os, "_Writer": writing._Writer}
for out in sys.argv[3:]:
    owner, name, number = os.path.basename(out).split(" ")
    if (child := os.fork()) == 0:
        function = getattr(owners[owner], name)
        calls = []

        def count(*arguments):
            calls.append(arguments)
            if len(calls) == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments)

        setattr(owners[owner], name, count)
        try:
            separate_file(pipeline, sys.argv[2], out)
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

KILLED_IN = {  # the call at which a process kills itself: how many of the stems are new
    "_Writer write 1": 0,
    "_Writer write 3": 0,  # in the second block
    "_Writer finish 1": 0,
    "_Writer finish 2": 0,
    "os replace 1": 0,
    "os replace 2": 1,  # between the renames
}


@pytest.mark.slow
def test_a_killed_process_leaves_whole_stems_of_the_old_song_or_of_the_new_one(tmp_path, pipeline):
    (tmp_path / "pipeline").write_bytes(pickle.dumps(pipeline))
    songs = [make_song(tmp_path / f"{i}.wav", (100_000, 2), "PCM_16", seed=i) for i in (0, 1)]
    old, new = (separate_file(pipeline, song, tmp_path / song.stem) for song in songs)
    outs = [tmp_path / point for point in KILLED_IN]
    for out in outs:
        shutil.copytree(old[0].parent, out)
    with run(KILL_ITSELF, tmp_path / "pipeline", songs[1], *outs) as process:
        assert process.stdout.read().split() == [str(-signal.SIGKILL)] * len(outs)
    for out, n_new in zip(outs, KILLED_IN.values()):
        expected = [*new[:n_new], *old[n_new:]]
        stems = [out / stem.name for stem in old]
        assert [s.read_bytes() for s in stems] == [s.read_bytes() for s in expected]
        left = [name for name in files_in(out) if name.endswith(".part")]
        assert len(left) == 2 - n_new
        again = separate_file(pipeline, songs[1], out)  # what is left is in nobody's way
        assert [s.read_bytes() for s in again] == [s.read_bytes() for s in new]


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


def test_of_a_file_that_was_cut_short_the_beginning_is_separated(tmp_path, pipeline):
    song = make_song(tmp_path / "cut.wav", (20_000, 2), "PCM_16")
    song.write_bytes(song.read_bytes()[:-40_000])
    with pytest.warns(UserWarning, match=r"cut\.wav is cut short: 10000 samples"):
        stems = separate_file(pipeline, song, tmp_path / "out")
    assert [AudioFile(stem).shape for stem in stems] == [(10_000, 2)] * 2


@pytest.mark.parametrize("failing", ["accompaniment", "vocals"])
def test_stems_are_whole_together_or_not_at_all(tmp_path, pipeline, monkeypatch, failing):
    song = make_song(tmp_path / "song.wav", (20_000, 2))
    out = tmp_path / "out"
    before = [stem.read_bytes() for stem in separate_file(pipeline, song, out)]
    make_song(song, (20_000, 2), seed=1)
    finish = writing._Writer.finish

    def fail(writer):
        if writer.path.stem == failing:
            raise OSError("the disk is full")
        finish(writer)

    monkeypatch.setattr(writing._Writer, "finish", fail)
    with pytest.raises(OSError, match="the disk is full"):
        separate_file(pipeline, song, out)
    assert files_in(out) == ["accompaniment.wav", "vocals.wav"]
    assert [(out / f"{name}.wav").read_bytes() for name in ("vocals", "accompaniment")] == before


def test_a_clipped_stem_that_is_an_error_leaves_no_stem(tmp_path, pipeline):
    soundfile.write(tmp_path / "loud.wav", 3 * seeded_noise((20_000,), 0), SAMPLE_RATE, "FLOAT")
    song = tmp_path / "loud.wav"
    with pytest.warns(UserWarning, match="samples up to .* were clipped"):
        separate_file(pipeline, song, tmp_path / "warned", audio_format="flac")
    with pytest.raises(UserWarning, match="were clipped"):  # as warnings are errors in these tests
        separate_file(pipeline, song, tmp_path / "out", audio_format="flac")
    assert files_in(tmp_path) == ["loud.wav", "warned/accompaniment.flac", "warned/vocals.flac"]
    assert not (tmp_path / "out").exists()
