"""The benchmarks that fit for hours start, and their rows are networks that can be fitted."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone

from sksvs.audio import ArrayWaveform, Sources, write
from sksvs.datasets import make_singing_mixtures

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def rows(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import mir1k_rows

    return mir1k_rows


@pytest.mark.parametrize(
    "name",
    ["mir1k", "mir1k_unseen_singer", "other_voices", "ship_mir1k_network", "ship_networks"],
)
def test_a_benchmark_says_what_it_takes(name):
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "folder of MIR-1K" in done.stdout


def test_every_row_is_a_pipeline_that_learns_for_its_hours(rows, tmp_path):
    X = [SimpleNamespace(n_samples=3600 * 8000, sample_rate=8000)] * 2  # of an hour each
    fingerprints = set()
    for row in rows.ROWS.values():
        separator = row.pipeline(X, tmp_path)[-1]
        separator._check_parameters()
        for name, value in separator.get_params().items():
            if name.endswith("max_iter"):
                network = name.rpartition("__")[0]
                members = [member for member, _ in getattr(separator, "estimators", [])]
                hours = row.hours[members.index(network)] if network else row.hours
                assert value == max(1, round(hours / 2))
            assert value == tmp_path or not name.endswith("checkpoint_dir")
        fingerprints.add(row.fingerprint())
        assert row._replace(network=clone(row.network)).fingerprint() == row.fingerprint()
    fitted = [row for row in rows.ROWS.values() if row.fitted_as is None]
    assert len(fingerprints) == len(fitted)


def test_every_second_track_has_a_second_voice_half_as_loud(rows):
    y = [
        Sources([ArrayWaveform(s, 16000) for s in pair]) for pair in make_pairs([8000, 6000, 9000])
    ]
    X, more_y = rows.with_second_voices([a + b for a, b in y], y)
    for i, (mixture, (voice, accompaniment), (own, rest)) in enumerate(zip(X, more_y, y)):
        assert accompaniment is rest
        np.testing.assert_allclose(mixture[:], voice[:] + rest[:], atol=1e-6)
        second = voice[:] - own[:]
        if i % 2 == 0:
            assert not second.any()
            continue
        others = [0.5 * other[: own.n_samples] for other, _ in y]
        others = [np.pad(other, (0, own.n_samples - len(other))) for other in others]
        assert min(np.abs(second - other).max() for other in others) < 1e-6


def make_pairs(lengths):
    return [make_singing_mixtures(1, n / 16000, random_state=n)[1][0] for n in lengths]


def test_synthesised_voices_are_over_the_accompaniments_as_loud_as_they_are(rows):
    X, y = make_singing_mixtures(2, 1.5, random_state=0)
    waveforms = [[ArrayWaveform(s, 16000, f"clip {i}") for s in pair] for i, pair in enumerate(y)]
    training = [voice + rest for voice, rest in waveforms], [Sources(pair) for pair in waveforms]
    row = next(row for row in rows.ROWS.values() if row.synthesised_voices == 1)
    for more_X, more_y in (row.tracks(*training), row.tracks(*training)):
        assert more_X[:2] == training[0] and more_y[:2] == training[1] and len(more_X) == 4
        for i, (mixture, (voice, accompaniment)) in enumerate(zip(more_X[2:], more_y[2:])):
            assert accompaniment is waveforms[i][1] and f"clip {i}" in mixture.name
            np.testing.assert_allclose(mixture[:], voice[:] + accompaniment[:], atol=1e-6)
            assert np.sum(voice[:] ** 2) == pytest.approx(np.sum(accompaniment[:] ** 2), rel=1e-3)
        singers = [sources[0][:] for sources in more_y[2:]]
        assert not np.allclose(singers[0], singers[1])
    assert rows.ROWS["DNN"].tracks(*training) == training

    _, of_one = row.tracks(*training)
    many_X, of_many = row._replace(synthesised_voices=3).tracks(*training)
    assert len(many_X) == len(of_many) == 12 and many_X[4:6] == many_X[8:10] == training[0]
    np.testing.assert_array_equal(of_many[2][0][:], of_one[2][0][:])
    first_clip = [of_many[i] for i in (2, 6, 10)]
    assert all(accompaniment is waveforms[0][1] for _, accompaniment in first_clip)
    assert not np.allclose(first_clip[0][0][:], first_clip[1][0][:])
    assert not np.allclose(first_clip[1][0][:], first_clip[2][0][:])


def test_the_networks_of_the_package_are_scored_where_only_the_test_clips_are(tmp_path):
    (tmp_path / "Wavfile").mkdir()
    X, y = make_singing_mixtures(1, 3.0, random_state=1)
    write(tmp_path / "Wavfile" / "Ani_1_01.wav", np.stack(y[0][::-1], axis=1), 16000)
    command = [sys.executable, str(BENCHMARKS / "mir1k.py"), "--root", str(tmp_path)]
    done = subprocess.run(
        [*command, "--subset", "test"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    first, *_, ours, general, _, _, _, best = done.stdout.splitlines()
    assert first == "test: 1 clips scored"
    assert ours.startswith("voice-mir1k, in the package") and "nan" not in ours
    assert general.startswith("voice, in the package") and "nan" not in general
    assert best.split() == [
        "DRNN-2",
        "+",
        "discriminative,",
        "in",
        "the",
        "paper",
        "7.45",
        "13.08",
        "9.68",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["Wavfile"]
