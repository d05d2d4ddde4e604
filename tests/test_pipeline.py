"""The whole chain in scikit-learn's own classes, none of them subclassed."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import Pipeline

from sksvs.audio import AudioFile, Sources, write
from sksvs.datasets import load_dsd100, load_mir1k
from sksvs.estimators import GRUMaskSeparator, IdealMaskOracle, MixtureBaseline
from sksvs.metrics import bss_eval_scorer, sar_scorer, sdr_scorer, sir_scorer
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer
from tests.strategies import tiny_tracks


def make_pipeline(last=None, mono=True, memory=None, **parameters):
    """Return the pipeline of the report at a size that is fitted in two seconds."""
    defaults = {"hidden_layer_sizes": (4,), "max_iter": 1, "segment_frames": 32, "random_state": 0}
    steps = [
        ("stft", STFTTransformer(n_fft=64, hop_length=32)),
        ("gru", last or GRUMaskSeparator(**{**defaults, **parameters})),
    ]
    return Pipeline([("mono", MonoDownmix()), *steps] if mono else steps, memory=memory)


@pytest.fixture(scope="module")
def tracks():
    return tiny_tracks(4, n_channels=2)


@pytest.fixture(scope="module")
def fitted(tracks):
    return make_pipeline().fit(*tracks)


def same_predictions(one, other, X):
    for a, b in zip(one.predict(X), other.predict(X), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_fit_predict_score(fitted, tracks):
    X, y = tracks
    voice, accompaniment = fitted.predict(X)[0]
    np.testing.assert_allclose(voice + accompaniment, X[0].mean(axis=1), atol=1e-5)
    score = fitted.score(X, y)
    assert isinstance(score, float)
    assert -100 <= score.sdr == score <= 100
    assert len(score.tracks) == 4


def test_a_stereo_pipeline_separates_every_channel(tracks):
    X, y = tracks
    stereo = make_pipeline(mono=False).fit(X, y)
    estimates = stereo.predict(X)[0]
    assert estimates.shape == y[0].shape
    np.testing.assert_allclose(estimates.sum(axis=0), X[0], atol=1e-5)


def test_mono_and_stereo_pipelines_learn_the_same_mask(fitted, tracks):
    stereo = make_pipeline(mono=False).fit(*tracks)
    for name, weights in fitted[-1].weights_.items():
        np.testing.assert_allclose(stereo[-1].weights_[name], weights, atol=1e-5)
    same_score = stereo.score(*tracks).sdr
    assert same_score == pytest.approx(fitted.score(*tracks).sdr, abs=1e-3)


def test_a_pipeline_learns_the_same_with_an_ideal_mask_of_exponents_of_one(fitted, tracks):
    chosen = make_pipeline()
    chosen.steps.insert(-1, ("irm", IRMTarget(p=1, v=1)))
    weights = chosen.fit(*tracks)[-1].weights_
    for name, array in fitted[-1].weights_.items():
        np.testing.assert_array_equal(weights[name], array)
    assert all(x.mask_rule is None for x in chosen[:-1].transform(tracks[0]))


def test_files_and_arrays_give_the_same(fitted, tracks, tmp_path):
    X, y = tracks
    for i, (x, sources) in enumerate(zip(X, y)):
        write(tmp_path / f"{i}.wav", x, 8000, "FLOAT")
        for j, source in enumerate(sources):
            write(tmp_path / f"{i}-{j}.wav", source, 8000, "FLOAT")
    files = [AudioFile(tmp_path / f"{i}.wav") for i in range(4)]
    sources = [Sources([AudioFile(tmp_path / f"{i}-{j}.wav") for j in (0, 1)]) for i in range(4)]
    assert make_pipeline().fit(files, sources).score(files, sources) == pytest.approx(
        fitted.score(X, y), abs=1e-3
    )


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_predict_the_same(fitted, tracks, copied):
    same_predictions(copied(fitted), fitted, tracks[0])


def test_a_clone_of_a_fitted_pipeline_learns_the_same_weights(fitted, tracks):
    again = clone(fitted)
    with pytest.raises(NotFittedError):
        again.predict(tracks[0])
    same_predictions(again.fit(*tracks), fitted, tracks[0])


def test_a_fitted_pipeline_predicts_in_another_process_without_tensorflow(fitted, tracks, tmp_path):
    (tmp_path / "in.pickle").write_bytes(pickle.dumps((fitted, tracks[0])))
    code = (
        "import pickle, sys\n"
        "pipe, X = pickle.load(open('in.pickle', 'rb'))\n"
        "pickle.dump(pipe.predict(X), open('out.pickle', 'wb'))\n"
        "sys.exit('tensorflow' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    elsewhere = pickle.loads((tmp_path / "out.pickle").read_bytes())
    for a, b in zip(elsewhere, fitted.predict(tracks[0]), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_set_params_reaches_every_step(tracks):
    pipe = make_pipeline().set_params(stft__n_fft=128, gru__hidden_layer_sizes=(5,))
    pipe.fit(*tracks)
    assert pipe[-1].stft_params_.n_fft == 128
    assert pipe[-1].weights_["gru_0/forward/recurrent_kernel"].shape == (5, 15)


def test_memory_gives_the_same(fitted, tracks, tmp_path):
    cached = make_pipeline(memory=str(tmp_path))
    for _ in range(2):
        same_predictions(clone(cached).fit(*tracks), fitted, tracks[0])
    assert any(tmp_path.rglob("output.pkl"))


def test_memory_notices_a_file_that_has_changed(tracks, tmp_path):
    X, y = tracks
    fitted = []
    for share in (0, 0.01):  # so little that the song still counts as the sum of its sources
        write(tmp_path / "song.wav", X[0] + share * X[1], 8000, "FLOAT")
        song = [AudioFile(tmp_path / "song.wav")]
        fitted.append(make_pipeline(memory=str(tmp_path / "cache")).fit(song, y[:1]))
    first, second = (pipe[-1].weights_["mask/bias"] for pipe in fitted)
    assert not np.array_equal(first, second)


def test_cross_validate_gives_three_columns(tracks):
    result = cross_validate(make_pipeline(), *tracks, cv=2, scoring=bss_eval_scorer)
    for key in ("test_sdr", "test_sir", "test_sar"):
        assert np.isfinite(result[key]).all()
        assert result[key].shape == (2,)


def test_cross_val_score_reads_the_score_or_a_scorer(tracks):
    pipe = make_pipeline(MixtureBaseline())
    by_score = cross_val_score(pipe, *tracks, cv=2)
    np.testing.assert_allclose(cross_val_score(pipe, *tracks, cv=2, scoring=sdr_scorer), by_score)
    sir = cross_val_score(pipe, *tracks, cv=2, scoring=sir_scorer)
    sar = cross_val_score(pipe, *tracks, cv=2, scoring=sar_scorer)
    assert (sar > sir).all()


@pytest.mark.slow
def test_a_grid_search_in_two_processes_finds_what_one_finds(tracks):
    grid = {"gru__hidden_layer_sizes": [(3,), (4,)], "gru__dropout": [0.1]}
    searches = [
        GridSearchCV(
            make_pipeline(), grid, scoring=bss_eval_scorer, refit="sdr", cv=2, n_jobs=n_jobs
        ).fit(*tracks)
        for n_jobs in (1, 2)
    ]
    for column in ("mean_test_sdr", "mean_test_sir", "mean_test_sar"):
        one, two = (search.cv_results_[column] for search in searches)
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, two, atol=1e-2)
    same_predictions(searches[0], searches[1], tracks[0])


def test_a_grid_may_exchange_the_separator(tracks):
    search = GridSearchCV(
        make_pipeline(),
        {"gru": [MixtureBaseline(), IdealMaskOracle()]},
        scoring=bss_eval_scorer,
        refit="sdr",
        cv=2,
    ).fit(*tracks)
    assert isinstance(search.best_params_["gru"], IdealMaskOracle)


def test_groups_keep_singers_apart_and_reach_early_stopping(tracks):
    X, y = tracks
    singers = np.array(["a", "a", "b", "b"])
    folds = cross_validate(
        make_pipeline(early_stopping=True, validation_fraction=0.5),
        [*X, *X],
        [*y, *y],
        groups=[*singers, "c", "c", "d", "d"],
        cv=GroupKFold(2),
        scoring=bss_eval_scorer,
        params={"gru__groups": np.array([*singers, "c", "c", "d", "d"])},
        return_estimator=True,
    )
    for pipe in folds["estimator"]:
        assert len(pipe[-1].validation_loss_curve_) == 1


def test_validation_tracks_are_cut_with_the_folds(tracks):
    result = cross_validate(
        make_pipeline(early_stopping=True),
        *tracks,
        cv=2,
        params={"gru__validation_tracks": np.array([True, False, True, False])},
        return_estimator=True,
        error_score="raise",
    )
    assert all(len(pipe[-1].validation_loss_curve_) == 1 for pipe in result["estimator"])


def test_learning_curve(tracks):
    sizes, _, scores = learning_curve(
        make_pipeline(), *tracks, train_sizes=[1, 2], cv=KFold(2), scoring=sdr_scorer
    )
    assert sizes.tolist() == [1, 2]
    assert np.isfinite(scores).all()


def test_an_estimate_that_fails_makes_its_fold_nan_and_not_the_search(tracks):
    X, y = tracks
    silent = [x.copy() for x in X]
    silent[0][:] = 0  # the estimate of a silent mixture is silent
    with (
        pytest.warns(UserWarning, match=r"X\[0\] .* makes the mean NaN: .* is silent throughout"),
        pytest.warns(UserWarning, match=r"X\[0\] is not the sum of its sources"),
    ):
        scores = bss_eval_scorer(make_pipeline(MixtureBaseline()).fit(X, y), silent, y)
    assert np.isnan(list(scores.values())).all()


def _threads_after_a_fit(X, y):
    import tensorflow as tf

    make_pipeline().fit(X, y)
    threading = tf.config.threading
    return (
        threading.get_intra_op_parallelism_threads(),
        threading.get_inter_op_parallelism_threads(),
    )


@pytest.mark.slow
def test_tensorflow_keeps_to_a_workers_share_of_the_cores(tracks, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    X, y = tracks
    with Parallel(n_jobs=2, backend="loky") as parallel:
        counts = parallel(delayed(_threads_after_a_fit)(X[i:], y[i:]) for i in (0, 1))
    from joblib import cpu_count

    share = max(1, cpu_count() // 2)
    assert counts == [(share, share)] * 2


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: (X, y[:3]), ValueError, "got 4 mixtures and 3 sets of sources"),
        (lambda X, y: (X, None), ValueError, "y is needed"),
        (lambda X, y: ([X[0][:-1], *X[1:]], y), ValueError, r"y\[0\] must have shape"),
        (lambda X, y: ([X[0][:0], *X[1:]], y), ValueError, r"X\[0\] is empty"),
        (lambda X, y: ([x[None] for x in X], y), ValueError, r"X\[0\] must have shape"),
        (lambda X, y: ([(9 * x).astype(int) for x in X], y), TypeError, r"X\[0\] .* got int64"),
        (lambda X, y: (X, [s[:1] for s in y]), ValueError, r"y\[0\] must hold two sources"),
        (lambda X, y: (X[0], y), TypeError, "X must be a list of waveforms"),
    ],
)
def test_bad_input_is_refused_in_fit_and_score(fitted, tracks, change, error, message):
    X, y = change(*tracks)
    with pytest.raises(error, match=message):
        make_pipeline().fit(X, y)
    with pytest.raises(error, match=message):
        fitted.score(X, y)


def test_mono_sources_of_a_stereo_mixture_are_refused(tracks):
    X, y = tracks
    with pytest.raises(ValueError, match="needs sources with the same channels. Put MonoDownmix"):
        make_pipeline(mono=False).fit(X, [s.mean(axis=2) for s in y])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_sample_that_is_not_finite_names_its_track(fitted, tracks, bad):
    X, y = copy.deepcopy(tracks)
    X[2][7, 1] = bad
    for run in (make_pipeline().fit, fitted.score):
        with pytest.raises(ValueError, match=r"X\[2\] has 1 sample\(s\) that are NaN or inf"):
            run(X, y)


def test_a_mixture_that_was_cut_short_is_named_when_it_is_fitted(tracks, tmp_path):
    X, y = tracks
    write(tmp_path / "song.wav", X[0], 8000)
    data = (tmp_path / "song.wav").read_bytes()
    (tmp_path / "song.wav").write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match=r"song\.wav is cut short"):
        song = AudioFile(tmp_path / "song.wav")
    with pytest.raises(ValueError, match=r"y\[0\] must have shape .* match X\[0\] .*song\.wav"):
        make_pipeline().fit([song, *X[1:]], y)


def test_a_pipeline_without_sources_says_what_is_missing(tracks):
    with pytest.raises(ValueError, match="y is needed: the sources of every track, the voice"):
        make_pipeline().fit(tracks[0])


@pytest.mark.slow
def test_real_clips_of_one_singer_are_separated_for_another(mir1k_root):
    data = load_mir1k(mir1k_root, "dev")
    pipe = make_pipeline().set_params(
        stft__n_fft=512, stft__hop_length=256, gru__hidden_layer_sizes=(24,), gru__max_iter=40
    )
    pipe.set_params(gru__learning_rate_init=0.01, gru__batch_size=2)
    pipe.fit(data.X[:2], data.y[:2])
    score = pipe.score(data.X[2:], data.y[2:])
    mixture = make_pipeline(MixtureBaseline()).fit(data.X, data.y).score(data.X[2:], data.y[2:])
    oracle = make_pipeline(IdealMaskOracle()).fit(data.X, data.y).score(data.X[2:], data.y[2:])
    assert mixture.sdr + 1 < score.sdr < oracle.sdr


@pytest.mark.parametrize("mono", [True, False])
def test_real_songs_of_one_and_two_channels_run_together(dsd100_root, mono):
    X, y = load_dsd100(dsd100_root, return_X_y=True)
    assert [x.ndim for x in X] == [1, 2, 2]
    pipe = make_pipeline(mono=mono).set_params(stft__n_fft=1024, stft__hop_length=512).fit(X, y)
    for x, estimates in zip(X, pipe.predict(X)):
        expected = x.to_mono() if mono else x
        assert estimates.shape == (2, *expected.shape)
        np.testing.assert_allclose(estimates.sum(axis=0), expected, atol=1e-5)
    assert np.isfinite(pipe.score(X, y).sdr)
