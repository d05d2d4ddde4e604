import io
import json
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pandas
import pytest
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, Sources
from sksvs.datasets import load_mir1k
from sksvs.estimators import IdealMaskOracle, MixtureBaseline
from sksvs.metrics import PROTOCOLS, evaluate
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
        f"{who}{metric}_{source}"
        for who in ("", "mixture_")
        for metric in ("nsdr", "sir", "sar")
        for source in ("vocals", "accompaniment")
    ]
    assert found.rows[1] == table.iloc[1].to_dict()
    assert found.summary["mixture_nsdr_vocals"] == 0
    lengths = [len(x) for x in tracks[0]]
    assert found.summary["sir_accompaniment"] == pytest.approx(
        np.average(table["sir_accompaniment"], weights=lengths)
    )
    text = str(found)
    assert "huang2014: P.-S. Huang" in text
    assert "BSS Eval version 3, sources, 512 taps" in text
    lines = [line.split() for line in text.splitlines()[-4:]]
    assert [line[0] for line in lines] == ["a", "b", "all,", "all,"]
    assert [line[1] for line in lines[2:]] == ["vocals", "accompaniment"]
    assert lines[3][3] == f"{found.summary['sir_accompaniment']:.2f}"
    assert "2 tracks by huang2014" in repr(found)


def test_without_pandas_the_tables_are_lists_of_rows(tracks, monkeypatch):
    found = evaluate(pipeline().fit(*tracks), *tracks)
    windows = found.windows.to_dict("records")
    monkeypatch.setattr("sksvs.metrics.evaluation.find_spec", lambda name: None)
    assert found.table == found.rows
    assert found.windows == windows
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


SHORT_WINDOWS = replace(
    PROTOCOLS["musdb18"],
    variant=PROTOCOLS["musdb18"].variant._replace(filter_length=8),
    window=0.125,
    hop=0.125,
)


def test_windows_have_a_row_each_that_the_protocol_reduces_to_those_of_tracks(tracks):
    X, y = tracks
    y = [y[0], y[1] * (np.arange(3000) >= 1000)[:, np.newaxis] ** np.array([1, 0])[:, None, None]]
    X = [X[0], ArrayWaveform(y[1].sum(axis=0), SAMPLE_RATE, "song 1.wav")]
    fitted = pipeline().fit(X, y)
    found = evaluate(fitted, X, y, protocol=SHORT_WINDOWS, mixture=True, names=["a", "b"])
    windows = found.windows
    assert windows.columns[3:].tolist() == found.table.columns[2:].tolist()
    assert windows["track"].tolist() == ["a"] * 4 + ["b"] * 3
    assert windows["start"].tolist() == [0, 0.125, 0.25, 0.375, 0, 0.125, 0.25]
    np.testing.assert_array_equal(windows["stop"], windows["start"] + 0.125)
    assert np.isnan(windows["sdr_vocals"]).tolist() == [False] * 4 + [True, False, False]
    medians = windows.groupby("track")[["sdr_vocals", "mixture_isr_accompaniment"]].median()
    np.testing.assert_array_equal(medians, found.table[medians.columns])
    bare = [x[:] for x in X]
    one = evaluate(pipeline().fit(bare, y), bare, y, names=["a", "b"]).windows
    assert one["track"].tolist() == ["a", "b"]
    assert np.isnan(one["stop"]).all()  # the sample rate is not known


def with_names(y, names):
    """Return sources of unequal names, split until there are as many as names."""
    parts = [[*s[:1], *(s[1] / (len(names) - 1) for _ in names[1:])] for s in y]
    return [Sources([ArrayWaveform(p, SAMPLE_RATE) for p in track], names) for track in parts]


def test_columns_have_the_names_of_the_sources(tracks):
    X, y = tracks
    y = with_names(y, ("vocals", "bass", "drums", "other"))
    fitted = pipeline().fit(X, y)
    expected = [f"usdr_{name}" for name in ("vocals", "bass", "drums", "other")]
    for sources in (y, [np.asarray(s) for s in y]):  # then those of the separator
        found = evaluate(fitted, X, sources, protocol="mdx")
        assert list(found.rows[0])[2:] == expected
    last = str(found).splitlines()[-1].split()
    assert last == ["all,", "other", f"{found.summary['usdr_other']:.2f}"]
    bare = pipeline().fit(X, [np.asarray(s)[:3] for s in y])
    with pytest.warns(UserWarning, match="not the sum of its sources"):
        found = evaluate(bare, X, [np.asarray(s)[:3] for s in y], protocol="mdx")
    assert found.source_names == ("vocals", "source_1", "source_2")
    with pytest.raises(ValueError, match="Every track needs the same sources in the same order"):
        evaluate(fitted, X, [y[0], with_names(tracks[1], ("vocals", "a", "b", "c"))[1]])


def test_notebooks_show_a_table_in_which_names_are_escaped(tracks):
    found = evaluate(pipeline().fit(*tracks), *tracks, names=["<b>", "Q&A"], protocol="mdx")
    root = ElementTree.fromstring(found._repr_html_())
    rows = [[cell.text for cell in row] for row in root.iter("tr")]
    assert rows[0] == ["track", "seconds", "usdr_vocals", "usdr_accompaniment"]
    assert [row[0] for row in rows[1:]] == ["<b>", "Q&A", "all"]
    assert rows[3][2] == f"{found.summary['usdr_vocals']:.2f}"
    assert "Music Demixing Challenge 2021" in root.find("caption").text
    assert not [element for element in root.iter() if element.attrib]  # no colours of its own


def test_files_for_museval_have_its_schema_and_its_aggregate(tracks, tmp_path):
    X, y = tracks
    y = [y[0], y[1] * (np.arange(3000) >= 1000)[:, np.newaxis] ** np.array([1, 0])[:, None, None]]
    X = [X[0], ArrayWaveform(y[1].sum(axis=0), SAMPLE_RATE)]
    found = evaluate(
        pipeline().fit(X, y),
        X,
        y,
        protocol=SHORT_WINDOWS,
        names=["artist - a.b", "ä"],
        oracle=IdealMaskOracle(),
    )
    paths = found.to_museval(tmp_path / "scores", who="oracle")
    assert [path.name for path in paths] == ["artist - a.b.json", "ä.json"]
    package = Path(find_spec("museval").submodule_search_locations[0])
    schema = json.loads((package / "musdb.schema.json").read_text())
    for path, score in zip(paths, found.scores["oracle"].tracks):
        written = json.loads(path.read_text())
        jsonschema.validate(written, schema)
        assert [target["name"] for target in written["targets"]] == ["vocals", "accompaniment"]
        frames = written["targets"][1]["frames"]
        assert [frame["time"] for frame in frames] == [0.125 * i for i in range(len(frames))]
        assert {frame["duration"] for frame in frames} == {0.125}
        of_frames = [frame["metrics"]["ISR"] for frame in frames]
        np.testing.assert_allclose(of_frames, score.windows["isr"][1], atol=1e-5)
    assert np.isnan(frames[0]["metrics"]["SDR"])  # the voice is silent

    aggregate = aggregate_of_museval()
    store = aggregate.EvalStore()
    store.add_eval_dir(tmp_path / "scores")
    theirs = store.agg_frames_tracks_scores()
    for metric in ("SDR", "ISR", "SIR", "SAR"):
        for source in ("vocals", "accompaniment"):
            ours = found.summary[f"oracle_{metric.lower()}_{source}"]
            assert theirs[source][metric] == pytest.approx(ours, abs=1e-5)
    assert "accompaniment   ==> SDR:" in repr(store)


def aggregate_of_museval():
    """Return `museval.aggregate`, or skip where stempeg, which museval imports, lacks ffmpeg."""
    try:
        from museval import aggregate
    except RuntimeError as error:
        pytest.skip(f"museval cannot be imported: {error}")
    return aggregate


def test_what_museval_could_not_read_is_refused(tracks, tmp_path):
    fitted = pipeline().fit(*tracks)
    found = evaluate(fitted, *tracks, protocol=SHORT_WINDOWS)
    with pytest.raises(ValueError, match="who must be one of 'estimate'; got 'oracle'"):
        found.to_museval(tmp_path, who="oracle")
    with pytest.raises(ValueError, match="'whole_tracks' has no ISR. Evaluate with"):
        evaluate(fitted, *tracks).to_museval(tmp_path)
    for names in (["a/b", "c"], ["a", "a"], ["a\\b", "c"]):
        named = evaluate(fitted, *tracks, protocol=SHORT_WINDOWS, names=names)
        with pytest.raises(
            ValueError, match=f"name of its own .* got {names[0]!r}".replace("\\", ".")
        ):
            named.to_museval(tmp_path)
    whole = replace(SHORT_WINDOWS, window=None, hop=None)
    bare = [x[:] for x in tracks[0]]
    unknown = evaluate(
        pipeline().fit(bare, tracks[1]), bare, tracks[1], protocol=whole, names=["a", "b"]
    )
    with pytest.raises(ValueError, match="a has no known sample rate"):
        unknown.to_museval(tmp_path)
    assert list(tmp_path.iterdir()) == []


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
    assert str(found).splitlines()[-4].startswith("a ")


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
    assert np.isnan(found.rows[1]["sdr_vocals"])
    assert found.summary["sdr_vocals"] == found.rows[0]["sdr_vocals"]


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
