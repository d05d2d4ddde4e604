"""Searches, cross-validation and the separation of a corpus on a Dask cluster, through joblib."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sksvs.audio import AudioFile, Sources, read, write
from sksvs.estimators import GRUMaskSeparator
from sksvs.metrics import bss_eval_scorer
from sksvs.separation import separate_file, separate_files
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import SAMPLE_RATE, tiny_tracks

distributed = pytest.importorskip("distributed", reason="distributed is not installed")


@pytest.fixture(scope="module")
def cluster():
    """Make joblib's work go to two worker processes of this machine."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local_cluster,
        distributed.Client(local_cluster) as client,
    ):
        client.wait_for_workers(2)
        with parallel_config(backend="dask"):
            yield client


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Return ``(X, y)`` of four songs in files, as a corpus is loaded."""
    folder, X, y = tmp_path_factory.mktemp("songs"), [], []
    for i, (mixture, sources) in enumerate(zip(*tiny_tracks(4, n_channels=2))):
        names = [folder / f"{i}_{part}.wav" for part in ("mixture", "voice", "rest")]
        for name, samples in zip(names, (mixture, *sources)):
            write(name, samples, SAMPLE_RATE, "FLOAT")
        mixture, *sources = map(AudioFile, names)
        X, y = [*X, mixture], [*y, Sources(sources)]
    return X, y


def pipeline(**parameters):
    defaults = {"hidden_layer_sizes": (4,), "max_iter": 1, "segment_frames": 32, "random_state": 0}
    gru = GRUMaskSeparator(**{**defaults, **parameters})
    return make_pipeline(MonoDownmix(), STFTTransformer(64, 32), gru)


@pytest.mark.slow
def test_a_search_on_a_cluster_finds_what_it_finds_here(cluster, songs):
    grid = {"grumaskseparator__hidden_layer_sizes": [(3,), (5,)]}
    search = GridSearchCV(pipeline(), grid, scoring=bss_eval_scorer, refit="sdr", cv=2, n_jobs=-1)
    there = search.fit(*songs)
    with parallel_config(backend="sequential"):
        here = GridSearchCV(pipeline(), grid, scoring=bss_eval_scorer, refit="sdr", cv=2)
        here.fit(*songs)
    for figure in ("sdr", "sir", "sar"):
        np.testing.assert_allclose(
            there.cv_results_[f"mean_test_{figure}"],
            here.cv_results_[f"mean_test_{figure}"],
            atol=1e-3,
        )
    assert there.best_params_ == here.best_params_
    assert there.predict(songs[0][:1])[0].shape[0] == 2


@pytest.mark.slow
def test_folds_are_fitted_on_both_workers(cluster, songs):
    scores = cross_validate(pipeline(), *songs, scoring=bss_eval_scorer, cv=4, n_jobs=-1)
    assert np.isfinite(scores["test_sdr"]).all()
    ran = cluster.run(lambda dask_worker: len(dask_worker.state.log) > 0)
    assert list(ran.values()) == [True, True]


def test_a_corpus_is_separated_on_a_cluster(cluster, songs, tmp_path):
    separator = pipeline(bidirectional=False).fit(*songs)
    paths = [song.path for song in songs[0]]
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.warns(UserWarning, match=r"1 of 5 files could not be separated:\n.*bad\.wav"):
        results = separate_files(
            separator, [*paths, tmp_path / "bad.wav"], tmp_path / "out", n_jobs=-1
        )
    assert [len(result.stems) for result in results] == [2, 2, 2, 2, 0]
    expected = separate_file(separator, paths[2], tmp_path / "here")
    for stem, other in zip(results[2].stems, expected):
        np.testing.assert_allclose(read(stem)[0], read(other)[0], atol=1e-6)
