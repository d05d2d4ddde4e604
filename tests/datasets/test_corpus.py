import numpy as np
import pytest

from sksvs.audio import write
from sksvs.datasets import detect_corpus, load_corpus
from tests.datasets.test_stems import write_stems
from tests.strategies import leave_system_files


def test_songs_to_learn_from_have_one_name(tmp_path):
    for folder in ("Mixtures/Dev/1 - a - b", "Sources/Dev/1 - a - b"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("mixture", "bass", "drums", "other", "vocals"):
            write(tmp_path / folder / f"{name}.wav", np.full(100, 0.1), 8000)
    assert detect_corpus(tmp_path) == "dsd100"
    assert load_corpus(tmp_path).names == load_corpus(tmp_path, "dev", "dsd100").names
    assert load_corpus(tmp_path).names == ["1 - a - b"]
    with pytest.raises(FileNotFoundError, match="Test does not exist"):
        load_corpus(tmp_path, "test")
    with pytest.raises(ValueError, match="subset of dsd100 must be one of 'train', .*; got 'all'"):
        load_corpus(tmp_path, "all")
    with pytest.raises(FileNotFoundError, match="holds no clips of subset 'train'"):
        load_corpus(tmp_path, corpus="mir1k")


def test_corpora_are_told_apart_by_their_folders(tmp_path):
    for file in (
        *("musdb/train/A - B/mixture.wav", "mir/Wavfile/abjones_1_01.wav", "mine/A - B/Vocals.mp3"),
        *("ikala/Wavfile/10161_verse.wav", "halves/train/A - B/voice.wav"),
    ):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    assert detect_corpus(tmp_path / "musdb") == "musdb18hq"
    assert detect_corpus(tmp_path / "mir") == "mir1k"
    assert detect_corpus(tmp_path / "mir" / "Wavfile") == "mir1k"
    assert detect_corpus(tmp_path / "ikala") == "ikala"
    assert detect_corpus(tmp_path / "mine") == detect_corpus(tmp_path / "halves") == "stems"
    tmp_path = tmp_path / "empty"
    tmp_path.mkdir()
    leave_system_files(tmp_path)
    for folder in ("__MACOSX/Mixtures", "__MACOSX/train", ".ipynb_checkpoints/Wavfile"):
        (tmp_path / folder).mkdir()
    with pytest.raises(ValueError, match="is none of the folders that are known: MIR-1K"):
        detect_corpus(tmp_path)
    with pytest.raises(ValueError, match="corpus must be one of 'mir1k', .*; got 'evil'"):
        load_corpus(tmp_path, corpus="evil")


def test_sources_are_those_that_a_corpus_has(tmp_path):
    write_stems(tmp_path / "song", "vocals.wav", "bass.wav", "drums.wav")
    data = load_corpus(tmp_path, "any", sources=("drums", "vocals", "bass"))
    assert data.y[0].source_names == ("drums", "vocals", "bass")
    with pytest.raises(ValueError, match=r"sources of ikala must be \('vocals', 'accompaniment'\)"):
        load_corpus(tmp_path, corpus="ikala", sources=("vocals", "bass"))
