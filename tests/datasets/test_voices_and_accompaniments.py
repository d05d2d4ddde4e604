import itertools
import os
import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from sksvs.audio import AudioFile, resample, write
from sksvs.augmentation import Augmentation
from sksvs.datasets import load_voices_and_accompaniments, voices_and_accompaniments
from sksvs.training.measured_tracks import training_tracks
from sksvs.training.objective import Objective
from sksvs.training.readers import AugmentedReader, TrackReader
from sksvs.training.segments import SegmentBatches
from tests.strategies import leave_system_files, seeded_noise
from tests.tiny_separators import analysed, tiny_separator

RATE = 8000
VOICES = {"anna/1.wav": 900, "anna/2.flac": 400, "bob/live/1.wav": 700}  # samples of each
ACCOMPANIMENTS = {"a.wav": 2500, "albums/b.wav": 1200, "albums/c.wav": 300}


def write_noise(folder, lengths, n_channels=1, seed=0):
    """Write noise of some level into files of these lengths; return it by name."""
    written = {}
    for i, (name, n) in enumerate(lengths.items()):
        shape = (n, n_channels) if n_channels > 1 else n
        written[name] = seeded_noise(shape, seed + i, scale=0.01 * (i + 1)).astype(np.float32)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        subtype = "FLOAT" if name.endswith(".wav") else None
        write(folder / name, written[name], RATE, subtype)
    return written


def write_constant(path, n_samples):
    path.parent.mkdir(exist_ok=True)
    write(path, np.full(n_samples, 0.25, np.float32), RATE, "FLOAT")


@pytest.fixture
def folders(tmp_path):
    write_noise(tmp_path / "voices", VOICES)
    write_noise(tmp_path / "music", ACCOMPANIMENTS, seed=50)
    return tmp_path / "voices", tmp_path / "music"


def load(folders, duration=0.05, **arguments):
    return load_voices_and_accompaniments(
        *folders, sample_rate=RATE, duration=duration, **arguments
    )


def joined(data, source, group=None):
    """Return all samples of a source, or those of a group, in one array."""
    tracks = [y for y, g in zip(data.y, data.groups) if group in (None, g)]
    return np.concatenate([track[source][:] for track in tracks])


def times_found(samples, sought):
    """Return how often a signal is among samples as a whole, with an RMS of 0.1."""
    sought = 0.1 * sought / np.sqrt(np.mean(sought**2))
    return np.sum(np.correlate(samples, sought) / np.sum(sought**2) > 0.999)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_every_mixture_is_the_sum_of_its_sources(folders, n_channels):
    data = load(folders, n_channels=n_channels)
    shape = (400, 2) if n_channels == 2 else (400,)
    assert len(data.X) == len(data.y) == len(data.names) == len(data.groups)
    for x, y in zip(data.X, data.y):
        assert (x.shape, y.shape, x.sample_rate) == (shape, (2, *shape), RATE)
        np.testing.assert_array_equal(x, np.asarray(y).sum(axis=0))


@pytest.mark.parametrize("shorter", ["voices", "accompaniments"])
def test_every_file_is_in_some_track_at_one_level(tmp_path, shorter):
    longer = {"x/1.wav": 5000, "y/2.wav": 9000}
    lengths = (VOICES, longer) if shorter == "voices" else (longer, ACCOMPANIMENTS)
    folders = tmp_path / "voices", tmp_path / "accompaniments"
    data_written = [write_noise(f, n, seed=9 * i) for i, (f, n) in enumerate(zip(folders, lengths))]
    for seed in range(3):
        data = load(folders, random_state=seed)
        for source, written in enumerate(data_written):
            for samples in written.values():
                assert times_found(joined(data, source), samples) >= 1


def test_a_track_has_voices_of_one_folder_which_is_its_group(folders):
    data = load(folders)
    assert set(data.groups) == {str(folders[0] / name) for name in ("anna", "bob/live")}
    for group in set(data.groups):
        for path in (folders[0] / name for name in VOICES):
            is_found = times_found(joined(data, 0, group), AudioFile(path)[:]) >= 1
            assert is_found == (str(path.parent) == group)
    for train, test in GroupKFold(2).split(data.X, groups=data.groups):
        assert {data.groups[i] for i in train}.isdisjoint(data.groups[i] for i in test)


def test_rests_have_the_share_of_the_time_that_is_asked_for(tmp_path):
    folders = tmp_path / "voices", tmp_path / "music"
    for folder in folders:
        write_noise(folder, {f"{i}.wav": 500 for i in range(40)})
    data = load(folders, silence=(0.3, 0.1))
    for source, share in enumerate((0.3, 0.1)):
        samples = joined(data, source)
        assert np.mean(samples == 0) == pytest.approx(share, abs=0.05)
        by_frame = samples.reshape(-1, 50)
        assert (by_frame == 0).all(axis=1).any()
    without = load(folders, silence=(0, 0))
    assert not any((joined(without, source) == 0).any() for source in (0, 1))


def test_a_second_voice_sings_along_for_a_share_of_the_time(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        for i in range(40):
            write_constant(folder / f"{i}.wav", 500)
    data = load((tmp_path, tmp_path), second_voice=0.3, silence=(0.2, 0))
    samples = joined(data, 0)
    for level, share in ((0, 0.2 * 0.7), (0.05, 0.2 * 0.3), (0.1, 0.8 * 0.7), (0.15, 0.8 * 0.3)):
        assert np.mean(np.isclose(samples, level)) == pytest.approx(share, abs=0.08)


def test_the_seed_draws_the_pairs(folders):
    data, same, other = load(folders), load(folders, random_state=0), load(folders, random_state=1)
    for a, b in zip(data.X, same.X):
        np.testing.assert_array_equal(a, b)
    assert (data.names, data.groups) == (same.names, same.groups)
    assert not np.array_equal(joined(data, 1), joined(other, 1)[: len(joined(data, 1))])
    assert sorted(data.groups) == sorted(other.groups)


def test_files_of_any_rate_and_channels_come_to_the_grid_of_the_tracks(tmp_path):
    (tmp_path / "v").mkdir()
    stereo = seeded_noise((2000, 2), seed=1, scale=0.1).astype(np.float32)
    write(tmp_path / "v" / "voice.wav", stereo, 16000, "FLOAT")
    write(tmp_path / "music.wav", stereo[:1000], RATE, "FLOAT")
    folders = tmp_path / "v", tmp_path / "music.wav"
    expected = resample(stereo.mean(axis=1), 16000, RATE)
    assert times_found(joined(load(folders), 0), expected) >= 1
    assert times_found(joined(load(folders), 1), stereo[:1000].mean(axis=1)) >= 1
    data = load(folders, n_channels=2)
    voice, music = joined(data, 0), joined(data, 1)
    np.testing.assert_array_equal(voice[:, 0], voice[:, 1])
    balance = np.sqrt(np.mean(stereo[:1000] ** 2, axis=0) / np.mean(stereo[:1000] ** 2))
    for channel in (0, 1):
        found = music[:, channel] / balance[channel]
        assert times_found(found, stereo[:1000, channel]) >= 1


def test_progress_is_shown_on_a_terminal_when_it_is_asked_for(folders, capsys, monkeypatch):
    load(folders, verbose=True)
    monkeypatch.setattr(voices_and_accompaniments, "is_terminal", lambda stream: True)
    load(folders)
    assert capsys.readouterr().err == ""
    load(folders, verbose=True)
    shown = capsys.readouterr().err
    assert "voices: 100%" in shown
    assert "accompaniments: 100%" in shown


def test_loading_reads_no_samples(folders, monkeypatch):
    monkeypatch.setattr(AudioFile, "_read", None)
    load(folders)


def test_reading_a_range_of_a_track_reads_no_more_of_any_file(folders, monkeypatch):
    data = load(folders)
    for x in data.X:
        x[:]  # measures the files
    ranges, read = [], AudioFile._read

    def record(file, start, stop):
        ranges.append(stop - start)
        return read(file, start, stop)

    monkeypatch.setattr(AudioFile, "_read", record)
    for x in data.X:
        ranges.clear()
        x[100:200]
        assert sum(ranges) <= 2 * 100


def test_a_track_holds_the_files_alone_that_sound_in_it(tmp_path):
    folders = tmp_path / "voices", tmp_path / "music"
    for folder in folders:
        write_noise(folder, {f"{i}.wav": 500 for i in range(40)})
    for x in load(folders, second_voice=0.2).X:
        assert pickle.dumps(x).count(b".wav") <= 9  # of 400 samples: three voices at most, …


def test_copies_are_written_once_and_hold_the_same_samples(folders, tmp_path, monkeypatch):
    without, data = load(folders), load(folders, cache_dir=tmp_path / "a" / "cache")
    for a, b in zip(without.X, data.X):
        np.testing.assert_allclose(a, b, atol=1e-3)
    copies = sorted(path.name for path in (tmp_path / "a" / "cache").iterdir())
    assert len(copies) == len(VOICES) + len(ACCOMPANIMENTS)
    monkeypatch.setattr(voices_and_accompaniments, "write", None)
    again = load(folders, cache_dir=tmp_path / "a" / "cache")
    np.testing.assert_array_equal(data.X[0], again.X[0])
    monkeypatch.undo()
    write_noise(folders[1], {"a.wav": 2600}, seed=99)  # another file of the same name
    load(folders, cache_dir=tmp_path / "a" / "cache")
    assert len(list((tmp_path / "a" / "cache").iterdir())) == len(copies) + 1


def test_copies_that_another_process_is_reading_are_not_replaced(folders, tmp_path, monkeypatch):
    opened = []

    def write_last(path, *arguments, **options):
        if not opened:
            opened.append(None)
            opened[0] = load(folders, cache_dir=tmp_path / "cache")
        write(path, *arguments, **options)

    monkeypatch.setattr(voices_and_accompaniments, "write", write_last)
    monkeypatch.setattr(os, "getpid", partial(next, itertools.count()))
    load(folders, cache_dir=tmp_path / "cache")
    for x in opened[0].X:
        assert np.all(np.isfinite(x[:]))
    assert len(list((tmp_path / "cache").iterdir())) == len(VOICES) + len(ACCOMPANIMENTS)


def test_peaks_beyond_full_scale_are_not_clipped_in_copies(tmp_path):
    loud = 60 * seeded_noise(2000, seed=1).astype(np.float32)
    write(tmp_path / "loud.wav", loud, RATE, "FLOAT")
    folders = [tmp_path / "loud.wav"], [tmp_path / "loud.wav"]
    assert times_found(joined(load(folders, cache_dir=tmp_path / "cache"), 1), loud) >= 1


def test_files_that_lack_samples_are_named_every_time(folders, tmp_path):
    path = folders[0] / "anna" / "1.wav"
    path.write_bytes(path.read_bytes()[:-100])
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"anna/1\.wav is cut short"):
            load(folders, cache_dir=tmp_path / "cache")
    with pytest.raises(ValueError, match=r"anna/1\.wav is cut short"):
        load(folders, cache_dir=tmp_path / "cache", strict=True)


def test_files_that_cannot_be_read_are_left_out_and_named(folders):
    for name in ("anna/3.opus", "anna/4.wav"):
        (folders[0] / name).write_bytes(b"no sound")
    message = r"2 of 5 voices cannot be read and are left out: .*3\.opus is no audio .*4\.wav is no"
    with pytest.warns(UserWarning, match=message):
        data = load(folders)
    assert len(data.X) > 0
    with pytest.raises(ValueError, match=r"3\.opus is no audio that"):
        load(folders, strict=True)


def test_what_systems_and_tools_leave_is_passed_over(folders):
    names = load(folders).names
    for folder in folders:
        leave_system_files(folder)
    assert load(folders).names == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_rate": 0}, "sample_rate must be a whole number of Hz; got 0"),
        ({"n_channels": 3}, "n_channels must be one of 1, 2; got 3"),
        ({"duration": 0.0}, r"duration must be positive, one sample at least; got 0\.0 s"),
        ({"silence": (1.0, 0)}, r"silence must be two shares of the time .*; got \(1\.0, 0\)"),
        ({"second_voice": 1}, "second_voice must be a share of the time .*; got 1"),
        ({"silence": 0.1}, r"silence must be two shares of the time .*; got 0\.1"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_voices_and_accompaniments("voices", "accompaniments", **arguments)


def test_folders_without_audio_are_named(folders, tmp_path):
    with pytest.raises(FileNotFoundError, match="accompaniments: .*nowhere does not exist"):
        load((folders[0], tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ValueError, match="voices must be folders that hold audio files; got .*mpty"
    ):
        load((tmp_path / "empty", folders[1]))
    with pytest.raises(ValueError, match="voices must be folders .*; got none"):
        load(([], folders[1]))


def drawn_epochs(data, seed, n_epochs=2):
    """Return the (voice track, accompaniment track) of the segments of every epoch."""
    tracks = training_tracks(*analysed(data.X, data.y), tiny_separator())
    params = tracks[0].params
    reader = TrackReader(tracks, Objective("mask_squared_error", 2, 1), 1.0, 0, params)
    reader = AugmentedReader(reader, Augmentation(remix=1.0), 0)
    rng = np.random.RandomState(seed)
    statistics = np.zeros(params.n_freqs), np.ones(params.n_freqs)
    batches = SegmentBatches(reader, 16, 4, *statistics, rng)
    return [[plan for _, plan in batches._draw()] for _ in range(n_epochs)]


def test_every_epoch_draws_new_pairs_by_the_seed_of_the_separator(folders):
    data = load(folders)
    first, second = drawn_epochs(data, seed=0)
    pairs = [{(voice.track, music.track) for voice, music in epoch} for epoch in (first, second)]
    assert pairs[0] != pairs[1]
    assert {voice.track for voice, _ in first} == set(range(len(data.X)))  # every voice, each epoch
    assert any(voice.track != music.track for voice, music in first)
    assert drawn_epochs(load(folders), seed=0) == [first, second]
    assert drawn_epochs(load(folders), seed=1) != [first, second]


def test_a_separator_is_fitted_on_new_pairs_reproducibly(folders):
    data = load(folders)
    X, y = analysed(data.X, data.y)
    separator = tiny_separator(augmentation=Augmentation(remix=1.0), early_stopping=True)
    curves = [separator.fit(X, y, groups=data.groups).loss_curve_ for _ in range(2)]
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
    held_out = {g for g, out in zip(data.groups, separator.held_out_) if out}
    assert held_out.isdisjoint(g for g, out in zip(data.groups, separator.held_out_) if not out)
    fixed = tiny_separator().fit(X, y)
    assert fixed.predict(X[:1])[0].shape == (2, 400)
