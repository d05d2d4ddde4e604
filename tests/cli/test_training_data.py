import json

import numpy as np
import pytest

import sksvs
from sksvs.audio import ArrayWaveform, Sources, write
from sksvs.cli.training_data import TrainingCorpus, draw_epoch, load_corpora
from sksvs.datasets import load_mir1k
from tests.strategies import SAMPLE_RATE, seeded_noise

VOICES = {"anna/1.wav": 4000, "bob/1.wav": 5000}
SMALL = ["--network", "gru", "--hidden-sizes", 4]


def write_noise(folder, lengths, rate=SAMPLE_RATE, n_channels=None):
    for i, (name, n_samples) in enumerate(lengths.items()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shape = (n_samples, n_channels) if n_channels else n_samples
        write(folder / name, seeded_noise(shape, i, 0.1), rate)
    return folder


@pytest.fixture(scope="module")
def voices(tmp_path_factory):
    return write_noise(tmp_path_factory.mktemp("data") / "choir", VOICES)


@pytest.fixture(scope="module")
def accompaniments(tmp_path_factory):
    return write_noise(tmp_path_factory.mktemp("data") / "bands", {"1.wav": 9000}, n_channels=2)


@pytest.fixture(scope="module")
def mir1k(tmp_path_factory):
    clips = {f"abjones_1_0{i}.wav": 8000 * i for i in (1, 2, 3)}
    return write_noise(tmp_path_factory.mktemp("MIR-1K") / "Wavfile", clips, 16000, 2).parent


def make_corpus(name, hours, group="a"):
    """Return a corpus of tracks whose lengths are these numbers of seconds, taken for hours."""
    X = [ArrayWaveform(np.ones(n), 1 / 3600, f"{name} {i}") for i, n in enumerate(hours)]
    y = [Sources([x, x]) for x in X]
    return TrainingCorpus(X, y, [group] * len(X), {"corpus": name})


def load(data=(), corpus=None, voices=(), accompaniments=(), **settings):
    defaults = {"cache": None, "songs": None, "strict": False, "random_state": 0, "verbose": False}
    defaults |= {"sources": ("vocals", "accompaniment"), "sample_rate": None}
    return load_corpora(data, corpus, voices, accompaniments, **(defaults | settings))


def hours_of(epoch, name):
    return sum(x.n_samples for x in epoch.X if x.name.startswith(name))


def test_every_track_comes_once_where_lengths_count():
    corpora = [make_corpus("a", [3, 1, 2]), make_corpus("b", [1, 1, 7, 4]), make_corpus("c", [3])]
    for max_hours in (None, 22, 100):
        epoch = draw_epoch(corpora, None, max_hours)
        for name in ("X", "y", "groups"):
            assert getattr(epoch, name) == sum((getattr(c, name) for c in corpora), [])
        assert (epoch.hours, epoch.n_tracks) == (22, 8)


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (1, 5), (0.2, 0.3)])
def test_corpora_have_their_shares_and_all_audio_is_used(weights):
    corpora = [make_corpus("a", [10] * 40), make_corpus("b", [1] * 100, "b")]
    epoch = draw_epoch(corpora, weights)
    assert {id(x) for x in epoch.X} == {id(x) for corpus in corpora for x in corpus.X}
    share = weights[0] / sum(weights)
    assert hours_of(epoch, "a") / epoch.hours == pytest.approx(share, abs=0.01)
    longest = "a" if 400 / weights[0] > 100 / weights[1] else "b"
    assert hours_of(epoch, longest) == (400 if longest == "a" else 100)
    assert epoch.n_tracks == 140
    assert [y[0] for y in epoch.y] == epoch.X
    assert epoch.groups == [x.name[0] for x in epoch.X]
    counts = [one["n_tracks"] for one in epoch.facts["corpora"]]
    assert (counts, epoch.facts["n_tracks"]) == ([40, 100], 140)
    assert epoch.facts["corpora"][0]["share"] == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("weights", [None, (1, 1), (1, 3)])
def test_an_epoch_is_as_long_as_the_limit(weights):
    corpora = [make_corpus("a", [2] * 300), make_corpus("b", [1] * 300)]
    epoch = draw_epoch(corpora, weights, 120, random_state=1)
    assert epoch.hours == pytest.approx(120, abs=2)
    share = 2 / 3 if weights is None else 1 / sum(weights)
    assert hours_of(epoch, "a") == pytest.approx(120 * share, abs=1)
    assert len(set(map(id, epoch.X))) == len(epoch.X) == epoch.n_tracks  # none comes twice
    again, other = (draw_epoch(corpora, weights, 120, random_state=seed) for seed in (1, 2))
    assert again.X == epoch.X
    assert other.X != epoch.X


def test_an_epoch_has_a_track_of_every_corpus_at_least():
    corpora = [make_corpus("a", [500, 300]), make_corpus("b", [400])]
    assert [x.name for x in draw_epoch(corpora, (1, 1), 0.1).X][1:] == ["b 0"]
    assert draw_epoch(corpora[:1], None, 1e-6).n_tracks == 1


def test_a_single_corpus_stays_as_it_is(mir1k, dsd100):
    (one,) = load([mir1k])
    expected = load_mir1k(mir1k)
    for x, other in zip(one.X, expected.X, strict=True):
        assert x.sample_rate == 16000
        np.testing.assert_array_equal(x, other)
    assert (one.groups, one.facts) == (expected.groups, {"corpus": "mir1k", "subset": "train"})
    (faster,) = load([mir1k], sample_rate=32000)
    for x, other in zip(faster.X, expected.X, strict=True):
        assert (x.sample_rate, x.n_samples) == (32000, 2 * other.n_samples)
    (named,) = load([dsd100], "dsd100", songs=1)
    assert len(named.X) == len(named.y) == len(named.groups) == 1


def test_several_corpora_are_brought_to_the_lowest_rate_and_one_level(mir1k, dsd100):
    clips, songs = load([mir1k, dsd100])
    assert [one.facts["corpus"] for one in (clips, songs)] == ["mir1k", "dsd100"]
    for one in (clips, songs):
        for x, sources in zip(one.X, one.y):
            assert (x.sample_rate, sources.sample_rate) == (SAMPLE_RATE, SAMPLE_RATE)
            assert sources.source_names == ("vocals", "accompaniment")
            np.testing.assert_allclose(x[:], np.asarray(sources).sum(axis=0), atol=1e-5)
    assert [len(x) for x in clips.X] == [4000, 8000, 12000]
    for sources in clips.y:  # of noise, half of whose band is left
        rms = np.sqrt(np.mean(np.square(sources), axis=1))
        np.testing.assert_allclose(rms, 0.1 / np.sqrt(2), rtol=0.05)


def test_voices_are_at_44_khz_and_so_are_corpora_beside_them(voices, accompaniments, mir1k):
    pairs, clips = load([mir1k], None, [voices], [accompaniments])
    assert {x.sample_rate for x in pairs.X + clips.X} == {44100}
    assert set(pairs.groups) == {str(voices / "anna"), str(voices / "bob")}
    assert pairs.facts == {"voices": ["choir"], "accompaniments": ["bands"]}
    assert len(load([], None, [voices], [accompaniments], songs=1)[0].X) == 1
    assert len(load([], None, [voices, voices / "bob"], [accompaniments])) == 1


def test_a_model_is_trained_on_voices_and_a_corpus(run, voices, accompaniments, mir1k, tmp_path):
    out, cache = tmp_path / "model.safetensors", tmp_path / "cache"
    data = ["--voices", voices, "--accompaniments", accompaniments, "--data", mir1k]
    options = ["--weights", "3,1", "--cache", cache, "--epochs", 1, "--early-stopping"]
    result = run("fit", *data, *options, *SMALL, "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"{out}\n"), result.stderr
    first = result.stderr.splitlines()[0]
    assert "on 5 tracks (1.3 min, some of them several times): at most 1 epoch" in first
    assert len(list(cache.iterdir())) == 3
    pipeline, card = sksvs.load(out, return_card=True)
    pairs, clips = card["corpora"]
    assert pairs == {
        "voices": ["choir"],
        "accompaniments": ["bands"],
        "n_tracks": 2,
        "share": pytest.approx(0.75, abs=0.02),
    }
    assert (clips["corpus"], clips["n_tracks"], card["n_tracks"]) == ("mir1k", 3, 5)
    assert str(tmp_path.parent) not in json.dumps(card)
    changes = pipeline[-1].augmentation
    assert (changes.remix, changes.effects, changes.drop) == (0.8, 0.5, (0.03, 0.05))
    assert pipeline["stft"].sample_rate == 44100


def test_a_model_is_trained_on_as_many_voices_as_the_hours_allow(
    run, voices, accompaniments, tmp_path
):
    out = tmp_path / "model.safetensors"
    data = ["--voices", voices, "--accompaniments", accompaniments]
    result = run("fit", *data, *SMALL, "--hours", 0.008, "-o", out)
    assert (result.exit_code, result.stdout) == (0, f"{out}\n"), result.stderr
    first = result.stderr.splitlines()[0]
    assert first.endswith(
        "on 1 track (30.0 s): 1 epoch, 30.0 s of audio. Of 2 tracks (1 min) 1 is used."
    )
    pipeline, card = sksvs.load(out, return_card=True)
    assert card == {"voices": ["choir"], "accompaniments": ["bands"], "n_tracks": 1}
    assert pipeline[-1].augmentation.remix == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Training data are needed; got none. Give --data DIR, a folder of songs, or"),
        (
            ["--voices", ".", "--accompaniments", ".", "--sources", "voice,band"],
            "--sources must be vocals,accompaniment with --voices; got voice,band.",
        ),
        (["--voices", "."], "must be given together; got --voices alone. Add --accompaniments DIR"),
        (
            ["--data", ".", "--accompaniments", "."],
            "must be given together; got --accompaniments alone. Add --voices DIR",
        ),
        (["--data", ".", "--cache", "x"], "--cache is for the files of --voices and"),
        (["--data", ".", "--data", ".", "--corpus", "mir1k"], "must have one --data; got 2."),
        (
            ["--voices", ".", "--accompaniments", ".", "--corpus", "mir1k"],
            "must have one --data; got 0.",
        ),
        (["--data", ".", "--weights", "1,2"], "--weights must have 1 number(s), one for every"),
        (
            ["--voices", ".", "--accompaniments", ".", "--data", ".", "--weights", "1"],
            "--weights must have 2 number(s), voices and accompaniments first, then one for every",
        ),
        *(
            (
                ["--data", ".", "--weights", w],
                f"positive numbers separated by commas, such as 3,1; got {w}",
            )
            for w in ("0", "1,-1", "a", "nan", "inf", "1,,2")
        ),
        (["--voices", "none", "--accompaniments", "."], "Directory 'none' does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    result = run("fit", "-o", "model", *options)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_folder_without_voices_is_an_error(run, accompaniments, tmp_path):
    data = ["--voices", tmp_path, "--accompaniments", accompaniments]
    result = run("fit", *data, "-o", tmp_path / "model")
    assert result.exit_code == 1
    assert f"voices must be folders that hold audio files; got {tmp_path}" in result.stderr
