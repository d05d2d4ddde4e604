import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform
from sksvs.datasets import load_mir1k
from sksvs.estimators import IdealMaskOracle, MixtureBaseline
from sksvs.metrics import evaluate
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import SAMPLE_RATE, tiny_tracks


def pipeline(last=None, mono=False):
    """Return a pipeline with short frames."""
    steps = [MonoDownmix()] if mono else []
    return make_pipeline(
        *steps, STFTTransformer(n_fft=64, hop_length=32), last or MixtureBaseline()
    )


@pytest.fixture(scope="module")
def tracks():
    """Return two stereo tracks of unequal length, with their sample rate."""
    X, y = tiny_tracks(2, n_channels=2, duration=0.6)
    X[1], y[1] = X[1][:3000], y[1][:, :3000]
    X = [ArrayWaveform(x, SAMPLE_RATE, f"song {i}.wav") for i, x in enumerate(X)]
    return X, y


def test_whole_tracks_is_what_score_computes(tracks):
    fitted = pipeline(IdealMaskOracle()).fit(*tracks)
    found = evaluate(pipeline().fit(*tracks), *tracks, mixture=True, oracle=IdealMaskOracle())
    expected = fitted.score(*tracks)
    oracle = found.scores["oracle"]
    assert (oracle.sdr, oracle.sir) == pytest.approx((expected.sdr, expected.sir), abs=1e-3)
    assert found.scores["estimate"].sdr == pytest.approx(found.scores["mixture"].sdr, abs=1e-3)


def test_the_table_has_a_row_a_track_and_columns_for_all_sources(tracks):
    found = evaluate(
        pipeline().fit(*tracks), *tracks, protocol="huang2014", mixture=True, names=["a", "b"]
    )
    table = found.table
    assert table["track"].tolist() == ["a", "b"]
    assert table["seconds"].tolist() == [0.6, 3000 / SAMPLE_RATE]
    assert list(table.columns[2:]) == [
        f"{who}{metric}_{j}"
        for who in ("", "mixture_")
        for metric in ("nsdr", "sir", "sar")
        for j in (0, 1)
    ]
    assert found.rows[1] == table.iloc[1].to_dict()
    assert found.summary["mixture_nsdr_0"] == 0
    lengths = [len(x) for x in tracks[0]]
    assert found.summary["sir_1"] == pytest.approx(np.average(table["sir_1"], weights=lengths))
    text = str(found)
    assert "huang2014: P.-S. Huang" in text
    assert "BSS Eval version 3, sources, 512 taps" in text
    assert [line.split()[0] for line in text.splitlines()[-3:]] == ["a", "b", "all"]
    assert "2 tracks by huang2014" in repr(found)


def test_without_pandas_the_table_is_a_list_of_rows(tracks, monkeypatch):
    found = evaluate(pipeline().fit(*tracks), *tracks)
    monkeypatch.setattr("sksvs.metrics.evaluation.find_spec", lambda name: None)
    assert found.table == found.rows
    assert found.rows[0]["track"] == "song 0.wav"


@pytest.mark.parametrize("protocol", ["huang2014", "musdb18"])
@pytest.mark.parametrize("mono", [False, True])
def test_mixture_and_oracle_are_scored_on_the_channels_of_the_estimate(tracks, protocol, mono):
    found = evaluate(
        pipeline(mono=mono).fit(*tracks),
        *tracks,
        protocol=protocol,
        mixture=True,
        oracle=IdealMaskOracle(mask="binary"),
        sample_rate=SAMPLE_RATE // 4,
    )
    estimate, mixture = found.scores["estimate"], found.scores["mixture"]
    assert estimate.sources["sir"] == pytest.approx(mixture.sources["sir"], abs=1e-3)
    assert found.scores["oracle"].sir > mixture.sir + 5


def test_two_processes_bare_separators_and_searches_give_the_same(tracks):
    X, y = tracks
    fitted = pipeline().fit(X, y)
    expected = evaluate(fitted, X, y, oracle=IdealMaskOracle())
    shared = evaluate(fitted, X, y, oracle=IdealMaskOracle(), n_jobs=2)
    spectrograms = fitted[:-1].transform(X)
    bare = evaluate(fitted[-1], spectrograms, y, oracle=IdealMaskOracle())
    search = SimpleNamespace(best_estimator_=fitted)
    searched = evaluate(search, X, y, oracle=IdealMaskOracle())
    for other in (shared, bare, searched):
        assert other.summary == pytest.approx(expected.summary)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_terminals_alone(tracks, monkeypatch):
    fitted = pipeline().fit(*tracks)
    closed, file, terminal = Terminal(), io.StringIO(), Terminal()
    closed.close()
    for stream in (None, closed, file, terminal):
        monkeypatch.setattr(sys, "stderr", stream)
        assert len(evaluate(fitted, *tracks, verbose=True).rows) == 2
    assert file.getvalue() == ""
    assert "2/2" in terminal.getvalue()
    quiet = Terminal()
    monkeypatch.setattr(sys, "stderr", quiet)
    evaluate(fitted, *tracks)
    assert quiet.getvalue() == ""


@pytest.mark.parametrize(
    "names",
    [
        ["a", "7"],
        ("a", 7),
        np.array(["a", "7"]),
        np.array(["a", 7], dtype=object),
        pandas.Index(["a", "7"]),
        pandas.Series(["a", 7], index=[3, 4]),
        iter([Path("a"), "7"]),
    ],
)
def test_names_are_any_sequence_and_become_text(tracks, names):
    found = evaluate(pipeline().fit(*tracks), *tracks, names=names)
    assert found.names == [row["track"] for row in found.rows] == ["a", "7"]
    assert {type(name) for name in found.names} == {str}
    assert json.loads(json.dumps(found.names)) == ["a", "7"]
    assert str(found).splitlines()[-3].startswith("a ")


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["a"], ValueError, "one name for each of the 2 tracks; got 1 names"),
        (np.array([]), ValueError, "for each of the 2 tracks; got 0 names"),
        (["a", "b", "c"], ValueError, "for each of the 2 tracks; got 3 names"),
        ("ab", TypeError, "names must be a sequence of texts, one a track; got 'ab'"),
        (2, TypeError, "names must be a sequence of texts, one a track; got 2"),
    ],
)
def test_names_are_checked_before_the_first_track(tracks, names, error, message, monkeypatch):
    fitted = pipeline().fit(*tracks)
    monkeypatch.setattr(MixtureBaseline, "predict", None)  # separating would be another TypeError
    with pytest.raises(error, match=message):
        evaluate(fitted, *tracks, names=names)


def test_tracks_without_figures_warn_once_and_by_name(tracks):
    X, y = tracks
    silent = [y[0], y[1] * np.array([0, 1])[:, np.newaxis, np.newaxis]]
    X = [X[0], ArrayWaveform(silent[1].sum(axis=0), SAMPLE_RATE, "song 1.wav")]
    with pytest.warns(UndefinedMetricWarning, match=r"song 1\.wav .* left out") as caught:
        found = evaluate(pipeline().fit(X, y), X, silent, mixture=True)
    assert len(caught) == 1
    assert np.isnan(found.rows[1]["sdr_0"])
    assert found.summary["sdr_0"] == found.rows[0]["sdr_0"]


def test_what_cannot_be_evaluated_is_refused_before_the_first_track(tracks):
    X, y = tracks
    fitted = pipeline().fit(X, y)
    with pytest.raises(ValueError, match="protocol must be one of"):
        evaluate(fitted, X, y, protocol="best")
    with pytest.raises(ValueError, match=r"X\[0\] has no known sample rate"):
        evaluate(fitted, [x[:] for x in X], y, protocol="musdb18")
    with pytest.raises(ValueError, match="X and y must have one item a track"):
        evaluate(fitted, X, y[:1])


def test_the_oracle_reaches_what_is_published_for_real_clips(mir1k_root):
    data = load_mir1k(mir1k_root, "dev")
    separator = make_pipeline(STFTTransformer(window="cosine"), MixtureBaseline())
    separator.fit(data.X, data.y)
    found = evaluate(separator, data.X, data.y, protocol="huang2014", oracle=IdealMaskOracle())
    assert found.scores["estimate"].nsdr == pytest.approx(0, abs=1e-5)
    # 12.87 / 18.26 / 14.58 on a sample of other clips.
    oracle = found.scores["oracle"]
    assert (oracle.nsdr, oracle.sir, oracle.sar) == pytest.approx((12.87, 18.26, 14.58), abs=1)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_rate_that_arrays_are_taken_to_have_is_said_once(n_jobs):
    X, y = tiny_tracks(2)
    of_stft = make_pipeline(STFTTransformer(64, 32, sample_rate=SAMPLE_RATE), MixtureBaseline())
    of_fit = make_pipeline(STFTTransformer(64, 32), MixtureBaseline())
    of_stft.fit(X, y)
    of_fit.fit([ArrayWaveform(x, SAMPLE_RATE) for x in X], y)
    for fitted in (of_stft, of_fit):
        with pytest.warns(UserWarning, match=r"X\[0\] \(and 1 more\) .* at 8000 Hz") as caught:
            found = evaluate(fitted, X, y, oracle=IdealMaskOracle(), n_jobs=n_jobs)
        assert len(caught) == 1
        told = evaluate(fitted, X, y, oracle=IdealMaskOracle(), sample_rate=SAMPLE_RATE)
        assert told.scores["estimate"] == pytest.approx(found.scores["estimate"])
    of_stft.set_params(stfttransformer__array_rate=SAMPLE_RATE)
    evaluate(of_stft, X, y, n_jobs=n_jobs)
