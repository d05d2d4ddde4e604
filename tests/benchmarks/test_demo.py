"""`make demo` trains on some songs and separates one of other singers."""

import runpy
from pathlib import Path

import pytest

from sksvs.audio import AudioFile, write
from sksvs.datasets import make_singing_mixtures

matplotlib = pytest.importorskip("matplotlib")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "demo.py"
TINY = ["--songs", "2", "--seconds", "1.5", "--epochs", "1"]


@pytest.fixture(scope="module")
def demo():
    matplotlib.use("agg")
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def songs_of(tmp_path):
    """Return a function that writes a song of two stems into a folder for every name."""

    def write_songs(*names, sample_rate=8000):
        for name, stems in zip(names, make_singing_mixtures(len(names) or 1, 2.0, sample_rate)[1]):
            (tmp_path / name).mkdir(parents=True)
            for stem, samples in zip(("vocals", "accompaniment"), stems):
                write(tmp_path / name / f"{stem}.wav", samples, sample_rate)
        return tmp_path

    return write_songs


def test_a_synthesised_song_is_separated_into_files(demo, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    demo["main"]([*TINY, "--out", str(out)])
    printed = capsys.readouterr().out
    assert "unprocessed mixture (lower bound)" in printed
    assert "ideal ratio mask (upper bound)" in printed
    parts = {name: AudioFile(out / f"{name}.wav")[:] for name in ("vocals", "accompaniment")}
    mixture = AudioFile(out / "mixture.wav")[:]
    assert abs(mixture - parts["vocals"] - parts["accompaniment"]).max() < 1e-5
    assert (out / "spectrograms.png").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("corpus", ["mir1k_root", "dsd100_root"])
def test_a_real_song_is_separated(demo, tmp_path, request, capsys, corpus):
    root = request.getfixturevalue(corpus)
    demo["main"]([*TINY, "--data", str(root), "--out", str(tmp_path)])
    assert "Training on 2 songs" in capsys.readouterr().out
    assert AudioFile(tmp_path / "vocals.wav").sample_rate == (
        16000 if corpus == "mir1k_root" else 44100
    )


def test_a_folder_of_stems_is_split_by_artist_and_brought_to_one_rate(demo, songs_of):
    songs_of("Ann - One", "Ann - Two")
    root = songs_of("Bob - Three", "Cy - Four", sample_rate=16000)
    train, test = demo["load_songs"](root)
    assert train.names == ["Bob - Three", "Cy - Four"]
    assert test.names == ["Ann - One", "Ann - Two"]
    X, y = demo["shorten"](test, 1, 1.0, 16000)
    assert [x.shape for x in X] == [(16000,)] and y[0].shape == (2, 16000)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "is none of the folders that are known: MIR-1K"),
        (["Ann - One", "Ann - Two"], "to train on and one to separate; got ['Ann']."),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(demo, songs_of, capsys, names, message):
    root = songs_of(*names)
    with pytest.raises(SystemExit):
        demo["main"](["--data", str(root)])
    assert message in capsys.readouterr().err
