"""Mutated files end no process, are refused by name, and leave whole stems or none."""

import warnings
from pathlib import Path

import pytest

from tests.separation.conftest import make_song, tiny_pipeline

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def fuzz():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        import fuzz

        yield fuzz


@pytest.fixture(scope="module")
def originals(fuzz, tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    fuzz.make_originals(folder, tiny_pipeline())
    return folder


@pytest.mark.parametrize("kinds", ["audio", "model"])
def test_a_hundred_mutated_files_are_read_or_refused_as_they_should_be(
    fuzz, originals, tmp_path, kinds
):
    cases = getattr(fuzz, f"{kinds}_cases")(100, seed=0)
    found = []
    counts = fuzz.count(cases, originals, tmp_path, tell=found.append)
    assert found == []
    assert not fuzz.is_bad(counts)
    assert sum(counter["files"] for counter in counts.values()) == 100
    assert sum(counter["refused"] for counter in counts.values()) > 10
    for counter in counts.values():  # or the mutations show nothing
        assert counter["read"] + counter["warned"] > 0


def test_a_mutation_is_that_of_its_seed(fuzz, originals, tmp_path):
    for kind in (*fuzz.AUDIO, *fuzz.MODELS):
        made = [
            fuzz.Case(kind, number, seed).make(tmp_path, originals).read_bytes()
            for number, seed in ((0, 0), (0, 0), (1, 0), (0, 1))
        ]
        assert made[0] == made[1]
        assert len(set(made)) == 3


ENDS = """
import os, signal, time
from fuzz import Outcome

def work(connection, originals, folder, cases):
    connection.send("ready")
    for case in cases:
        if case.number == 1:
            os.kill(os.getpid(), signal.SIGSEGV)
        if case.number == 2:
            time.sleep(60)
        connection.send(Outcome("read"))
"""


def test_a_process_that_ends_or_hangs_is_counted_and_the_rest_goes_on(fuzz, tmp_path, monkeypatch):
    (tmp_path / "ends.py").write_text(ENDS)
    monkeypatch.syspath_prepend(tmp_path)
    import ends

    monkeypatch.setattr(fuzz, "TIMEOUT", 2)
    (tmp_path / "said").touch()
    cases = fuzz.audio_cases(4, seed=0)
    outcomes = [outcome for _, outcome in fuzz.run(cases, tmp_path, tmp_path, target=ends.work)]
    assert [outcome.result for outcome in outcomes] == ["read", "crashed", "hung", "read"]
    assert "exit code -11" in outcomes[1].words


def test_what_must_not_be_is_found(fuzz, tmp_path):
    song, folder = make_song(tmp_path / "a.wav", (2000,)), tmp_path / "stems"
    folder.mkdir()
    assert fuzz.check_error(ValueError(f"{song} is empty."), song) == []
    assert fuzz.check_error(ValueError("It is empty."), song)[0][0] == "unnamed"
    assert fuzz.check_error(MemoryError(f"{song}"), song)[0][0] == "other type"
    assert fuzz.check_nothing_written(folder) == []
    make_song(folder / "vocals.wav", (2000,))
    assert fuzz.check_nothing_written(folder) == [("half-written", "vocals.wav was left")]
    assert fuzz.check_stems(folder, song, "read")[0][0] == "half-written"
    for shape, faults in (((2000,), []), ((1000,), ["half-written"])):
        make_song(folder / "accompaniment.wav", shape)
        assert [kind for kind, _ in fuzz.check_stems(folder, song, "read")] == faults
    (folder / ".vocals.wav.01234567.part").touch()
    assert fuzz.check_stems(folder, song, "read")[0][0] == "half-written"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(f"{song} is odd.", stacklevel=1)
        assert fuzz.finished("read", "", [], caught, song).faults == ()
        warnings.warn("It is odd.", stacklevel=1)
    outcome = fuzz.finished("read", "", [], caught, song)
    assert (outcome.result, outcome.faults) == ("warned", (("unnamed", "warning: It is odd."),))
