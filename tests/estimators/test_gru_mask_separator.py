import copy
import pickle

import keras
import numpy as np
import pytest
import soundfile
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from sksvs.audio import ArrayWaveform, AudioFile, Sources
from sksvs.augmentation import Augmentation
from sksvs.estimators import GRUMaskSeparator
from sksvs.networks import spec
from sksvs.stft import Spectrogram
from sksvs.training import fit as training_fit
from sksvs.training import model_pool
from sksvs.training.fit import epoch_random_state
from sksvs.training.loop import scheduled_rate
from sksvs.training.objective import MASK_LOSSES
from sksvs.transforms import IRMTarget, STFTTransformer
from tests.strategies import centred_noise, seeded_noise, tiny_tracks
from tests.tiny_separators import analysed, three_sources, tiny_separator


def close(actual, expected):
    """Assert equality within 1e-5 of the peak."""
    np.testing.assert_allclose(actual, expected, atol=1e-5 * max(np.abs(expected).max(), 1e-30))


def same_predictions(one, other, X):
    for a, b in zip(one.predict(X), other.predict(X)):
        close(a, b)


@pytest.mark.parametrize("n_channels", [0, 1, 2])
@pytest.mark.parametrize("n_samples", [1, 31, 2000])
def test_estimates_add_up_to_the_mixture_and_are_as_long(fitted, n_samples, n_channels):
    shape = (n_samples, n_channels) if n_channels else (n_samples,)
    mixture = seeded_noise(shape, seed=n_samples)
    before = mixture.copy()
    (estimates,) = fitted.predict(analysed([mixture]))
    assert estimates.shape == (fitted.n_sources_, *shape)
    assert estimates.dtype == np.float32
    close(estimates.sum(axis=0), mixture)
    np.testing.assert_array_equal(mixture, before)


def test_masks_lie_in_the_unit_interval_and_sum_to_one_in_silence_too(fitted, tracks):
    for mixture in (tracks[0][0], np.zeros(500), 1e-30 * tracks[0][0]):
        (x,) = analysed([mixture])
        (masks,) = fitted.predict_mask([x])
        assert masks.shape == (fitted.n_sources_, x.n_freqs, x.n_frames)
        assert masks.dtype == np.float32
        assert masks.min() >= 0
        assert masks.max() <= 1
        np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-6)


def test_predict_applies_the_masks_to_every_channel(fitted):
    mixture = centred_noise((900, 2), seed=1)
    (x,) = analysed([mixture])
    (masks,), (estimates,) = fitted.predict_mask([x]), fitted.predict([x])
    for mask, estimate in zip(masks, estimates):
        close(estimate, x.istft(mask * x.stft))
    (of_mean,) = fitted.predict_mask(analysed([mixture.mean(axis=1)]))
    np.testing.assert_allclose(masks, of_mean, atol=1e-5)


@pytest.mark.parametrize("gain", [1e-4, 0.3, 100.0])
def test_a_gain_of_the_mixture_is_a_gain_of_the_estimates(fitted, tracks, gain):
    (expected,) = fitted.predict(analysed([tracks[0][0]]))
    (louder,) = fitted.predict(analysed([gain * tracks[0][0]]))
    close(louder, gain * expected)


def test_tracks_do_not_influence_one_another(fitted, tracks):
    X = analysed(tracks[0])
    together = fitted.predict(X)
    for i in (2, 0):
        close(fitted.predict([X[i]])[0], together[i])
    for estimate, expected in zip(fitted.predict(X[::-1]), together[::-1]):
        close(estimate, expected)


def test_prediction_ignores_the_mask_that_is_chosen(fitted, tracks):
    X = analysed(tracks[0])
    chosen = IRMTarget(p=2.0).fit_transform(X)
    for expected, found in zip(fitted.predict(X), fitted.predict(chosen)):
        np.testing.assert_array_equal(found, expected)


def test_the_iterator_gives_what_predict_gives_and_checks_at_once(fitted, tracks):
    X = analysed(tracks[0])
    iterator = fitted.iter_predict(X)
    for estimate, expected in zip(iterator, fitted.predict(X), strict=True):
        np.testing.assert_array_equal(estimate, expected)
    with pytest.raises(TypeError, match=r"X\[0\] must be a Spectrogram"):
        fitted.iter_predict(tracks[0])


def test_copies_predict_the_same(fitted, tracks):
    X = analysed(tracks[0])
    for again in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        same_predictions(again, fitted, X)


def test_prediction_in_blocks_equals_prediction_whole(fitted, monkeypatch):
    x = analysed([seeded_noise(32 * 1500, seed=2)])[0]
    (whole,) = fitted.predict_mask([x])
    if fitted.layers_[0].bidirectional:
        for n_threads in (1, 3):
            monkeypatch.setenv("OMP_NUM_THREADS", str(n_threads))
            np.testing.assert_allclose(fitted.predict_mask([x])[0], whole, atol=1e-6)
    else:
        ranges = Spectrogram.block_ranges
        for length in (1, 7, 400, 5000):
            monkeypatch.setattr(Spectrogram, "block_ranges", lambda s, n=length: ranges(s, n))
            np.testing.assert_allclose(fitted.predict_mask([x])[0], whole, atol=1e-5)


def test_windows_see_64_frames_of_context_and_no_more(tracks):
    separator = tiny_separator(bidirectional=True).fit(*analysed(*tracks))
    # Exchanging two samples keeps the level, and with it all but the frames that see them.
    mixture = seeded_noise(32 * 1500, seed=3)
    changed = mixture.copy()
    far = [32 * (512 + 64) + 40, 32 * 1400]
    changed[far] = changed[far[::-1]]
    masks = separator.predict_mask(analysed([mixture, changed]))
    np.testing.assert_allclose(masks[0][..., :512], masks[1][..., :512], atol=1e-6)
    assert np.abs(masks[0] - masks[1])[..., 512:600].max() > 1e-4


def test_the_same_seed_gives_the_same_weights_to_the_bit_and_another_others(tracks):
    X, y = analysed(*tracks)
    one, two = (tiny_separator().fit(X, y).weights_ for _ in range(2))
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[name], two[name]) for name in one)
    other = tiny_separator(random_state=1).fit(X, y).weights_
    assert not np.array_equal(one["mask/kernel"], other["mask/kernel"])


def test_a_compiled_fit_is_the_same_fit(tracks, monkeypatch):
    X, y = analysed(*tracks)
    separator = tiny_separator(dropout=0.0, bidirectional=False, max_iter=3)
    plain = clone(separator).fit(X, y)
    monkeypatch.setattr(training_fit, "COMPILED_FROM", 1)
    one, two = (clone(separator).fit(X, y) for _ in range(2))
    np.testing.assert_allclose(one.loss_curve_, plain.loss_curve_, rtol=1e-4)
    for name, array in one.weights_.items():
        np.testing.assert_array_equal(two.weights_[name], array)


def test_a_wide_network_is_not_compiled_and_learns_the_same(tracks, monkeypatch):
    X, y = analysed(*tracks)
    separator = tiny_separator(dropout=0.0, bidirectional=True, max_iter=3)
    plain = clone(separator).fit(X, y)
    monkeypatch.setattr(model_pool, "_idle_models", {})
    monkeypatch.setattr(spec, "WIDE_FROM", 1)
    monkeypatch.setattr(training_fit, "COMPILED_FROM", 1)
    one, two = (clone(separator).fit(X, y) for _ in range(2))
    (key,) = model_pool._idle_models
    assert key[-2] is False  # compiled
    np.testing.assert_allclose(one.loss_curve_, plain.loss_curve_, rtol=1e-4)
    for name, array in one.weights_.items():
        np.testing.assert_array_equal(two.weights_[name], array)


def test_fit_leaves_parameters_tracks_and_global_seeds_alone(tracks):
    X, y = tracks
    before = copy.deepcopy((X, y))
    separator = tiny_separator(random_state=np.random.RandomState(3))
    parameters = separator.get_params()
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.RandomState(5).rand()
    separator.fit(*analysed(X, y))
    assert np.random.rand() == expected  # noqa: NPY002
    assert separator.get_params() == parameters
    for track, copied in zip([*X, *y], [*before[0], *before[1]]):
        np.testing.assert_array_equal(track, copied)


def test_sizes_may_be_numpy_integers_as_a_sweep_over_an_array_gives_them(tracks):
    X, y = analysed(*tracks)
    sizes = tuple(np.array([5, 4]))
    fitted = tiny_separator(hidden_layer_sizes=sizes, dense_layer_sizes=sizes).fit(X, y)
    assert [layer.units for layer in fitted.layers_][:4] == [5, 4, 5, 4]


def test_the_network_learns(tracks):
    separator = tiny_separator(max_iter=30, learning_rate_init=0.02).fit(*analysed(*tracks))
    assert separator.loss_curve_[-1] < 0.75 * separator.loss_curve_[0]
    assert (len(separator.loss_curve_), separator.n_iter_) == (30, 30)
    assert separator.validation_loss_curve_ == []


def test_a_budget_of_nothing_gives_the_same_weights(tracks):
    X, y = analysed(*tracks)
    kept, computed = (tiny_separator(cache_size=size).fit(X, y).weights_ for size in (1000, 0))
    for name, weights in kept.items():
        np.testing.assert_allclose(computed[name], weights, atol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        "binary_crossentropy",
        "mask_absolute_error",
        "mask_squared_error",
        "magnitude_absolute_error",
        "magnitude_squared_error",
    ],
)
@pytest.mark.parametrize("n_sources", [2, 3])
def test_every_loss_falls(tracks, loss, n_sources):
    X, y = tracks
    y = three_sources(y) if n_sources == 3 else y
    separator = tiny_separator(loss=loss, max_iter=4, learning_rate_init=0.01).fit(*analysed(X, y))
    assert separator.loss_curve_[-1] < separator.loss_curve_[0]


def test_early_stopping_keeps_the_best_weights(tracks):
    X, y = analysed(*tracks)
    parameters = {"early_stopping": True, "learning_rate_init": 0.5, "n_iter_no_change": 2}
    parameters["learning_rate"] = "constant"  # another would depend on max_iter
    stopped = tiny_separator(max_iter=30, **parameters).fit(X, y)
    curve = stopped.validation_loss_curve_
    best = int(np.argmin(curve)) + 1
    assert len(curve) == stopped.n_iter_ == best + 2
    until_best = tiny_separator(max_iter=best, **parameters).fit(X, y)
    np.testing.assert_array_equal(stopped.weights_["mask/bias"], until_best.weights_["mask/bias"])


def test_validation_tracks_may_be_given(tracks):
    X, y = tracks
    kwargs = {"validation_tracks": [False, True, False]}
    given = tiny_separator(early_stopping=True).fit(*analysed(X, y), **kwargs)
    assert len(given.validation_loss_curve_) == 2
    watched = tiny_separator().fit(*analysed(X, y), **kwargs)
    assert len(watched.validation_loss_curve_) == 2
    only = tiny_separator().fit(*analysed([X[0], X[2]], [y[0], y[2]]))
    close(watched.input_mean_, only.input_mean_)


def test_one_track_with_early_stopping_says_what_to_do(tracks):
    X, y = tracks
    with pytest.raises(
        ValueError, match="there is only one. Fit on more tracks; or cut the tracks"
    ):
        tiny_separator(early_stopping=True).fit(*analysed(X[:1], y[:1]))


def test_names_of_sources_stay_until_other_ones_come(tracks):
    X, y = tracks
    named = [
        [Sources(map(ArrayWaveform, s), names) for s in y] for names in (("a", "b"), ("c", "d"))
    ]
    separator = tiny_separator(max_iter=1, warm_start=True).fit(*analysed(X, y))
    assert separator.source_names_ == ("vocals", "accompaniment")
    assert separator.partial_fit(*analysed(X, named[0])).source_names_ == ("a", "b")
    assert separator.fit(*analysed(X, y)).source_names_ == ("a", "b")
    with pytest.raises(ValueError, match=r"sources of y\[1\] .* are c, d, but those of y\[0\]"):
        separator.fit(*analysed(X, [named[0][0], named[1][0], y[0]]))


def test_warm_start_goes_on_where_the_last_fit_ended(tracks):
    X, y = analysed(*tracks)
    separator = tiny_separator(warm_start=True, max_iter=3).fit(X, y)
    first_loss, mean, bias = separator.loss_curve_[0], separator.input_mean_, separator.weights_
    separator.set_params(max_iter=2).fit(X, y)
    assert (separator.n_iter_, len(separator.loss_curve_)) == (5, 5)
    assert separator.loss_curve_[0] == first_loss
    assert separator.loss_curve_[3] < first_loss
    assert separator.input_mean_ is mean
    assert not np.array_equal(bias["mask/bias"], separator.weights_["mask/bias"])


@pytest.mark.parametrize(
    "change", [{"hidden_layer_sizes": (5,)}, {"output_activation": "relu"}, {"input_power": 0.5}]
)
def test_warm_start_refuses_another_network(tracks, change):
    X, y = tracks
    separator = tiny_separator(warm_start=True, max_iter=1).fit(*analysed(X, y))
    before = separator.weights_
    with pytest.raises(ValueError, match="warm_start .* other layers or another input_power now"):
        separator.set_params(**change).fit(*analysed(X, y))
    assert separator.weights_ is before


@pytest.mark.slow
def test_warm_start_keeps_what_it_knows(tracks):
    X, y = tiny_tracks(6)
    separator = tiny_separator(
        warm_start=True, max_iter=1, early_stopping=True, validation_fraction=0.3, random_state=None
    )
    separator.fit(*analysed([ArrayWaveform(X[0], 8000), *X[1:]], y))
    held_out = separator.held_out_
    for _ in range(3):
        separator.fit(*analysed(X, y))
        np.testing.assert_array_equal(separator.held_out_, held_out)
    assert separator.stft_params_.sample_rate == 8000


def test_warm_start_with_early_stopping_never_returns_worse_weights(tracks):
    X, y = analysed(*tracks)
    parameters = {"early_stopping": True, "max_iter": 20, "learning_rate_init": 0.05}
    separator = tiny_separator(warm_start=True, **parameters).fit(X, y)
    good = separator.weights_
    separator.set_params(learning_rate_init=50.0, n_iter_no_change=1).fit(X, y)
    for name, array in separator.weights_.items():
        np.testing.assert_array_equal(array, good[name])


def test_a_network_that_diverges_says_what_to_do(tracks):
    separator = tiny_separator(
        loss="magnitude_squared_error",
        output_activation="relu",
        solver="sgd",
        learning_rate_init=1e30,
        max_iter=5,
    )
    with pytest.raises(
        ValueError, match=r"loss is (inf|nan) in epoch \d: the network diverges.* batch of X\[\d\]"
    ):
        separator.fit(*analysed(*tracks))


def test_a_validation_loss_that_is_not_finite_stops_the_fit(tracks, monkeypatch):
    from sksvs.training import loop as training

    losses = iter([0.5, np.nan])
    monkeypatch.setattr(
        training,
        "run_on_batch",
        lambda model, kind, *batch: next(losses) if kind == "validation" else 1,
    )
    with pytest.raises(
        ValueError, match=r"validation loss is nan in epoch 2: the network .* batch of X\[2\]"
    ):
        tiny_separator().fit(*analysed(*tracks), validation_tracks=[False, False, True])


def test_partial_fit_keeps_the_optimiser_and_the_statistics(tracks):
    X, y = tracks
    separator = tiny_separator(
        early_stopping=True, learning_rate="constant", learning_rate_init=0.02
    ).fit(*analysed(X, y))
    steps = int(separator.training_state_["optimizer"][0])
    mean, curve = separator.input_mean_, separator.loss_curve_
    other = analysed(*tiny_tracks(2, random_state=7))
    separator.partial_fit(*other).partial_fit(*other)
    assert separator.input_mean_ is mean
    assert separator.loss_curve_[:-2] == curve
    assert separator.n_iter_ == len(curve) + 2
    assert int(separator.training_state_["optimizer"][0]) > steps
    assert separator.loss_curve_[-1] < separator.loss_curve_[-2]
    copy.deepcopy(separator).partial_fit(*analysed(X, y))


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [
        ("constant", 0.1),
        ("cosine", 0.1 / 10),  # it has ended near zero
        ("adaptive", 0.1 / 5),  # no epoch is better by 100, so the fourth has a fifth
    ],
)
def test_partial_fit_keeps_the_learning_rate_that_the_schedule_has_left(tracks, schedule, rate):
    rates = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    separator = tiny_separator(
        learning_rate=schedule, learning_rate_init=0.1, tol=100.0, max_iter=4, callbacks=[Watch()]
    )
    X, y = analysed(*tracks)
    separator.fit(X, y).partial_fit(X, y).partial_fit(X, y)
    assert rates[4:] == pytest.approx([rate] * 2)
    assert rates[3] <= 1.001 * rate


def test_partial_fit_before_any_fit_does_not_lower_the_learning_rate(tracks):
    separator = tiny_separator(learning_rate="cosine", learning_rate_init=0.1)
    X, y = analysed(*tracks)
    for _ in range(2):
        separator.partial_fit(X, y)
        assert separator.training_state_["optimizer"][1] == pytest.approx(0.1)


def test_partial_fit_refuses_another_solver_and_a_warm_start_takes_it(tracks):
    X, y = analysed(*tracks)
    separator = tiny_separator(solver="rmsprop").fit(X, y).set_params(solver="sgd")
    before = separator.weights_
    with pytest.raises(ValueError, match="whose solver was 'rmsprop', but solver is 'sgd' now"):
        separator.partial_fit(X, y)
    assert separator.weights_ is before
    separator.set_params(warm_start=True).fit(X, y).partial_fit(X, y)
    assert separator.n_iter_ == 5


def test_partial_fit_goes_on_with_another_dropout(tracks):
    X, y = analysed(*tracks)
    separator = tiny_separator(dropout=0.3).fit(X, y)
    for dropout in (0.0, 0.5):
        separator.set_params(dropout=dropout).partial_fit(X, y)
    assert separator.n_iter_ == 4


def test_partial_fit_goes_on_from_what_an_earlier_version_has_pickled(tracks):
    X, y = analysed(*tracks)
    separator = tiny_separator().fit(X, y)
    other = copy.deepcopy(separator)
    del other.training_state_["solver"]
    separator.partial_fit(X, y)
    other.partial_fit(X, y)
    np.testing.assert_array_equal(separator.weights_["mask/bias"], other.weights_["mask/bias"])


def test_the_best_weights_are_not_paired_with_the_moments_of_the_last_epoch(tracks):
    X, y = analysed(*tracks)
    # The first epoch is the best by a tolerance of 100, and so are its weights.
    separator = tiny_separator(
        early_stopping=True,
        n_iter_no_change=2,
        tol=100.0,
        max_iter=9,
        learning_rate="constant",
        learning_rate_init=0.02,
    ).fit(X, y)
    assert separator.n_iter_ == 3
    model_state = separator.training_state_["optimizer"]
    assert model_state[1] == pytest.approx(0.02)
    assert not any(np.any(array) for i, array in enumerate(model_state) if i != 1)
    separator.set_params(early_stopping=False).partial_fit(X, y)
    assert all(map(np.any, separator.training_state_["optimizer"]))


def test_partial_fit_before_any_fit_is_a_fit_of_one_epoch(tracks):
    separator = tiny_separator().partial_fit(*analysed(*tracks))
    assert (separator.n_iter_, len(separator.loss_curve_)) == (1, 1)
    assert separator.predict(analysed(tracks[0]))[0].shape[0] == 2
    with pytest.raises(ValueError, match="partial_fit continue .* other layers"):
        separator.set_params(hidden_layer_sizes=(5,)).partial_fit(*analysed(*tracks))


def test_the_global_generator_is_drawn_from_only_where_there_is_no_seed(tracks):
    def has_drawn(separator):
        before = check_random_state(None).get_state()[1:3]
        separator.fit(*analysed(*tracks))
        after = check_random_state(None).get_state()[1:3]
        return not all(map(np.array_equal, before, after))

    assert not has_drawn(tiny_separator(random_state=0, early_stopping=True))
    assert not has_drawn(tiny_separator(random_state=np.random.RandomState(0)))
    assert has_drawn(tiny_separator(random_state=None))


def test_partial_fit_draws_every_epoch_anew(tracks):
    X, y = analysed(*tracks)
    one, two = (tiny_separator().fit(X, y) for _ in range(2))
    before = copy.deepcopy(one)
    one.partial_fit(X, y)
    two.partial_fit(X, y)
    np.testing.assert_array_equal(one.weights_["mask/bias"], two.weights_["mask/bias"])
    states = [epoch_random_state(0, n).random_sample() for n in (2, 3)]
    assert states[0] != states[1]
    assert not np.array_equal(before.weights_["mask/bias"], one.weights_["mask/bias"])


@pytest.mark.slow
def test_augmentation_is_a_parameter_like_others(tracks):
    X, y = analysed(*tracks)
    separator = tiny_separator(augmentation=Augmentation(), max_iter=20, learning_rate_init=0.02)
    weights = [
        clone(separator).set_params(**changed).fit(X, y).weights_["mask/bias"]
        for changed in ({}, {"augmentation__gain_db": 6.0}, {"augmentation__remix": 1.0})
    ]
    assert not any(np.array_equal(weights[0], other) for other in weights[1:])
    separator.set_params(augmentation__gain_db=6.0, augmentation__speed=0.1)
    varied = clone(separator).fit(X, y)
    assert varied.loss_curve_[-1] < varied.loss_curve_[0]


def test_augmentation_gives_the_same_weights_whatever_is_kept_in_memory(tracks):
    X, y = analysed(*tracks)
    augmentation = Augmentation(6.0, 0.5, 0.5, 0.1)
    weights = [
        tiny_separator(augmentation=augmentation, cache_size=size).fit(X, y).weights_["mask/bias"]
        for size in (400, 0)
    ]
    np.testing.assert_allclose(*weights, atol=1e-5)


@pytest.mark.parametrize("augmentation", [None, Augmentation(gain_db=3.0)])
def test_tracks_that_are_held_out_are_read_once_whatever_is_learnt_from(tracks, augmentation):
    class Counted(ArrayWaveform):
        def _read(self, start, stop):
            n_read[0] += stop - start
            return super()._read(start, stop)

    X, y = tracks
    X, y = analysed([*X[:2], Counted(X[2], name="held out")], y)
    counts = []
    for max_iter in (1, 4):
        n_read = [0]
        separator = tiny_separator(augmentation=augmentation, max_iter=max_iter)
        separator.fit(X, y, validation_tracks=[False, False, True])
        counts.append(n_read[0])
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize("schedule", ["cosine", "adaptive"])
def test_the_learning_rate_follows_its_schedule(tracks, schedule):
    rates = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    separator = tiny_separator(
        learning_rate=schedule,
        learning_rate_init=0.5,
        tol=10.0,
        max_iter=8,
        callbacks=[Watch()],
        batch_size=1,
    ).fit(*analysed(*tracks))
    curve = separator.loss_curve_
    n_batches = int(separator.training_state_["optimizer"][0]) // 8
    last = (n_batches - 1) / n_batches  # where the last batch of an epoch begins
    expected = [scheduled_rate(schedule, 0.5, 8, 10.0, curve[:n], last) for n in range(8)]
    np.testing.assert_allclose(rates, expected, rtol=1e-6)
    assert n_batches > 3
    assert rates[-1] < 0.1


def test_keras_callbacks_see_the_losses_and_may_stop(tracks):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.seen = logs
            self.model.stop_training = epoch == 1

    stop = Stop()
    separator = tiny_separator(max_iter=9, early_stopping=True, callbacks=[stop])
    separator.fit(*analysed(*tracks))
    assert separator.n_iter_ == 2
    assert stop.seen == {
        "loss": separator.loss_curve_[-1],
        "val_loss": separator.validation_loss_curve_[-1],
    }
    assert pickle.loads(pickle.dumps(tiny_separator(callbacks=[keras.callbacks.Callback()])))


@pytest.mark.parametrize("augmentation", [None, Augmentation(gain_db=3.0)])
def test_a_file_with_unusable_samples_is_named(tracks, tmp_path, augmentation):
    X, y = tracks
    mixtures, sources = [], []
    for i, (mixture, (voice, music)) in enumerate(zip(X, y)):
        paths = [tmp_path / f"{i} {name}.wav" for name in ("mixture", "voice", "music")]
        for path, samples in zip(paths, (mixture, voice, music)):
            broken = np.where(np.arange(len(samples)) == 3000, np.nan, samples)
            bad = (i, path) == (1, paths[1])
            soundfile.write(path, broken if bad else samples, 8000, "FLOAT")
        mixtures.append(AudioFile(paths[0]))
        sources.append([AudioFile(paths[1]), AudioFile(paths[2])])
    separator = tiny_separator(augmentation=augmentation, cache_size=0)
    with pytest.raises(ValueError, match=r"1 voice\.wav has 1 sample.* NaN or inf, .* sample 3000"):
        separator.fit(*analysed(mixtures, sources))


def test_tracks_with_different_numbers_of_sources_are_refused(tracks):
    X, y = tracks
    mixed = y[:1] + three_sources(y[1:])
    with pytest.raises(ValueError, match=r"y\[1\] has 3 sources, but y\[0\] has 2"):
        tiny_separator().fit(analysed(X), mixed)


def test_a_clone_is_unfitted_and_equal(fitted):
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        again.predict([])


def test_the_weight_of_the_others_may_be_changed_after_fit(fitted, tracks):
    X = analysed(tracks[0])
    stricter = copy.deepcopy(fitted).set_params(others_weight=4.0)
    for voice, less in zip(fitted.predict_mask(X), stricter.predict_mask(X)):
        np.testing.assert_allclose(less[0], voice[0] / (voice[0] + 4 * (1 - voice[0])), atol=1e-5)


@pytest.mark.parametrize("weight", [0, -1, np.nan, 1e7])
def test_a_false_weight_of_the_others_is_refused_when_predicting(fitted, tracks, weight):
    X = analysed(tracks[0])
    wrong = copy.deepcopy(fitted).set_params(others_weight=weight)
    for method in (wrong.predict, wrong.iter_predict, wrong.predict_mask):
        with pytest.raises(ValueError, match="others_weight must be from 1e-6 to 1e6; got"):
            method(X)


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_the_masks_are_masks_with_any_weight_of_the_others(fitted, tracks, weight):
    masks = copy.deepcopy(fitted).set_params(others_weight=weight).predict_mask(analysed(tracks[0]))
    np.testing.assert_allclose(masks[0].sum(axis=0), 1, atol=1e-5)


def test_parameters_that_are_set_after_fit_wait_for_the_next_fit(fitted, tracks):
    X = analysed(tracks[0])
    changed = copy.deepcopy(fitted)
    changed.set_params(hidden_layer_sizes=(9, 9), joint_mask=True, input_power=0.3)
    others = {
        "bidirectional": not getattr(fitted, "bidirectional", True),
        "recurrent_layers": (),
        "context_frames": 5,
        "conv_channels": (2,),
        "kernel_size": (1, 3),
    }
    own = fitted.get_params()
    changed.set_params(**{name: value for name, value in others.items() if name in own})
    same_predictions(changed, fitted, X)


def test_it_counts_its_parameters(fitted):
    counts = fitted.count_params(by_layer=True)
    assert list(counts) == [layer.name for layer in fitted.layers_]
    assert fitted.count_params() == sum(counts.values())
    trained = [
        weights.size
        for name, weights in fitted.weights_.items()
        if not name.endswith(("/mean", "/variance"))
    ]
    assert fitted.count_params() == sum(trained)


def test_a_weight_that_is_nan_gives_nan_and_no_error(fitted, tracks):
    broken = copy.deepcopy(fitted)
    broken.weights_["mask/bias"][:] = np.nan
    assert np.isnan(broken.predict(analysed(tracks[0][:1]))[0]).any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"hidden_layer_sizes": ()},
            r"hidden_layer_sizes must be a tuple of 1 or more .* got \(\)",
        ),
        ({"hidden_layer_sizes": 16}, "hidden_layer_sizes must be a tuple .* got 16"),
        ({"hidden_layer_sizes": (0,)}, "integers from 1 to 4096"),
        ({"hidden_layer_sizes": (4097,)}, r"integers from 1 to 4096; got \(4097,\)"),
        ({"hidden_layer_sizes": (1,) * 17}, "a tuple of 0 to 16 integers"),
        ({"dense_layer_sizes": (1.5,)}, "dense_layer_sizes must be"),
        ({"output_activation": "tanh"}, "output_activation must be one of 'sigmoid', 'relu'"),
        ({"loss": "mse"}, "loss must be one of .* got 'mse'"),
        ({"solver": "lbfgs"}, "solver must be one of 'adam'"),
        ({"dropout": 1.0}, r"dropout must be at least 0 and below 1; got 1\.0"),
        ({"input_power": 0}, "input_power must be above 0"),
        ({"learning_rate_init": -1}, "learning_rate_init must be above 0"),
        ({"clip_norm": 0}, "clip_norm must be above 0 and finite, or None"),
        ({"clip_norm": "a"}, "clip_norm must be above 0 and finite, or None; got 'a'"),
        ({"clip_norm": np.inf}, "clip_norm must be above 0 and finite, or None; got inf"),
        ({"clip_norm": True}, "clip_norm must be above 0 and finite, or None; got True"),
        ({"batch_size": 0}, "batch_size must be an integer from 1 to .*; got 0"),
        ({"segment_frames": 2.5}, "segment_frames must be an integer"),
        ({"max_iter": True}, "max_iter must be an integer"),
        ({"validation_fraction": 1.0}, "validation_fraction must be above 0 and below 1"),
        ({"early_stopping": "no"}, "early_stopping must be True or False; got 'no'"),
        ({"cache_size": -1}, "cache_size must be at least 0"),
        ({"cache_size": np.inf}, "cache_size must be at least 0 and finite; got inf"),
        ({"tol": np.inf}, "tol must be at least 0 and finite"),
        ({"others_weight": 1e7}, "others_weight must be from 1e-6 to 1e6"),
        ({"learning_rate": "step"}, "learning_rate must be one of 'constant', 'cosine'"),
        ({"augmentation": "all"}, "augmentation must be a sksvs.augmentation.Augmentation, or"),
        ({"augmentation": Augmentation(remix=2.0)}, "Augmentation: remix must be a probability"),
        (
            {"augmentation": Augmentation(speed=(0.1,))},
            "one value for every source, but has 1",
        ),
    ],
)
def test_parameters_are_checked_in_fit(tracks, parameters, message):
    separator = GRUMaskSeparator(**parameters)
    with pytest.raises(ValueError, match=message):
        separator.fit(*analysed(*tracks))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_learning_needs_the_sources(method, tracks):
    with pytest.raises(ValueError, match="y is needed: the sources of every track"):
        getattr(GRUMaskSeparator(), method)(analysed(tracks[0]))
    assert GRUMaskSeparator().__sklearn_tags__().target_tags.required


@pytest.mark.parametrize("loss", MASK_LOSSES)
def test_the_ratio_mask_that_is_learnt_without_one_that_is_chosen_is_that_of_one(loss, tracks):
    X, y = analysed(*tracks)
    separator = tiny_separator(loss=loss, max_iter=1)
    plain, chosen, powers, shares = (
        clone(separator).fit(X, y).weights_
        for X in (X, *(IRMTarget(*e).fit_transform(X) for e in ((1, 1), (2, 1), (1, 2))))
    )
    for name, weights in plain.items():
        np.testing.assert_array_equal(chosen[name], weights)
    for changed in (powers, shares):
        assert not np.array_equal(changed["mask/kernel"], plain["mask/kernel"])


@pytest.mark.parametrize("loss", ["magnitude_absolute_error", "segment_error_ratio"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_exponents_that_the_loss_does_not_see_are_named_once_and_change_nothing(
    loss, method, tracks
):
    X, y = analysed(*tracks)
    separator = tiny_separator(loss=loss, max_iter=1)
    plain, chosen = (getattr(clone(separator), method) for _ in range(2))
    plain = plain(IRMTarget(p=1, v=1).fit_transform(X), y).weights_
    message = rf"chosen RatioMask\(p=0\.7, v=1\.0\), but loss='{loss}' does .* mask_squared_error"
    with pytest.warns(UserWarning, match=message) as caught:
        chosen = chosen(IRMTarget(p=0.7).fit_transform(X), y).weights_
    assert len(caught) == 1
    for name, weights in plain.items():
        np.testing.assert_array_equal(chosen[name], weights)


def test_samples_that_are_not_finite_are_named_in_fit_and_predict(fitted, tracks):
    X, y = copy.deepcopy(tracks)
    y[1][1, 70] = np.nan
    with pytest.raises(ValueError, match=r"y\[1\]\[1\] has 1 sample.* at sample 70"):
        tiny_separator(loss="mask_squared_error").fit(*analysed(X, y))
    X[2][80] = np.inf
    with pytest.raises(ValueError, match=r"X\[2\] has 1 sample.* at sample 80"):
        fitted.predict(analysed(X))


def test_other_settings_than_those_of_fit_are_refused(fitted, tracks):
    X, y = tracks
    other = STFTTransformer(n_fft=64, hop_length=16).transform(X)
    with pytest.raises(
        ValueError, match="X.0. was analysed with hop_length=16 instead of 32 as in"
    ):
        fitted.predict(other)
    with pytest.raises(ValueError, match="hop_length=16 instead of 32"):
        fitted.score(other, y)


def test_another_sample_rate_than_that_of_fit_is_refused(tracks):
    X, y = tracks
    known = [X[0], ArrayWaveform(X[1], 8000)]
    separator = tiny_separator(max_iter=1).fit(*analysed(known, y[:2]))
    with pytest.warns(UserWarning, match=r"X\[0\] \(and 2 more\) has no .* at 8000 Hz") as caught:
        separator.predict(analysed(X))
    assert len(caught) == 1
    with pytest.raises(ValueError, match="sample_rate=16000 instead of 8000"):
        separator.predict(analysed([ArrayWaveform(X[0], 16000, "/song.wav")]))


def test_the_score_needs_as_many_sources_as_fit(fitted, tracks):
    X, y = tracks
    wrong = y if fitted.n_sources_ == 3 else three_sources(y)
    with pytest.raises(ValueError, match=r"y\[0\] has . sources, but .* was fitted with"):
        fitted.score(analysed(X), wrong)


def test_mono_and_stereo_are_scored_by_one_metric(fitted):
    X, y = tiny_tracks(2, n_channels=2, random_state=4)
    y = three_sources(y) if fitted.n_sources_ == 3 else y
    stereo = fitted.score(analysed(X), y)
    mono = fitted.score(analysed([x.mean(axis=1) for x in X]), y)
    assert stereo.sdr == pytest.approx(mono.sdr, abs=1e-3)
    assert stereo.tracks[0].sources["sdr"].shape == (fitted.n_sources_,)
