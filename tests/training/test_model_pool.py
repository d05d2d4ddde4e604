"""Keras networks are built, lent to fits and kept apart."""

import gc
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sksvs.callback_support import EpochTasks, NoTask
from sksvs.networks.drnn import deep_recurrent_layers
from sksvs.networks.gru import mask_network_layers
from sksvs.networks.keras import build
from sksvs.networks.onnx.graph import ACTIVATIONS
from sksvs.parameters import PARAMETERS
from sksvs.training import model_pool
from sksvs.training.loop import train_network
from sksvs.training.objective import Objective
from sksvs.training.segments import Batch
from tests.strategies import seeded_noise

SQUARED_ERROR = Objective("mask_squared_error", n_sources=2, n_masks=1)


def make_layers(bidirectional, dense=(7, 5), activation="sigmoid", n_masks=1):
    return mask_network_layers(9, n_masks, (6, 4), bidirectional, dense, activation)


def random_weights(layers, seed=0):
    shapes = {k: v for layer in layers for k, v in layer.parameter_shapes.items()}
    return {
        name: 0.5 * seeded_noise(shape, seed + i).astype(np.float32)
        for i, (name, shape) in enumerate(shapes.items())
    }


@pytest.mark.slow
def test_the_first_fit_of_a_process_leaves_the_generator_of_python_alone():
    code = """if True:
    import random, sys
    from tests.strategies import tiny_tracks
    from tests.tiny_separators import analysed, tiny_crn
    X, y = analysed(*tiny_tracks(1))
    before = random.getstate()
    tiny_crn(max_iter=1).fit(X, y)
    sys.exit(random.getstate() != before)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_new_model_leaves_the_generator_of_python_alone(monkeypatch):
    monkeypatch.setattr(model_pool, "_idle_models", {})
    before = random.getstate()
    with model_pool.borrow_model(make_layers(True), 0.1, SQUARED_ERROR, "adam", None, False):
        assert random.getstate() == before


def test_set_weights_and_get_weights_are_inverse():
    layers = make_layers(bidirectional=True)
    weights = random_weights(layers)
    model = build.build_network(layers, dropout=0.0)
    model_pool.set_weights(model, layers, weights)
    for name, array in model_pool.get_weights(model, layers).items():
        np.testing.assert_array_equal(array, weights[name])


def test_counts_are_those_of_keras():
    layers = make_layers(bidirectional=True, n_masks=3)
    model = build.build_network(layers, dropout=0.1)
    assert sum(layer.n_params for layer in layers) == model.count_params()


def test_directions_and_layers_start_from_different_weights():
    layers = mask_network_layers(9, 1, (9, 9), True, (), "sigmoid")
    weights = model_pool.initial_weights(layers, seed=0)
    kernels = [weights[f"gru_0/{d}/recurrent_kernel"] for d in ("forward", "backward")]
    kernels.append(weights["gru_1/forward/recurrent_kernel"])
    assert all(np.abs(a - b).max() > 0.01 for a, b in zip(kernels, kernels[1:]))


def test_new_weights_are_distributed_as_those_of_keras():
    layers = mask_network_layers(40, 1, (30,), False, (), "sigmoid")
    of_keras = model_pool.get_weights(build.build_network(layers, 0.0), layers)
    for name, array in model_pool.initial_weights(layers, seed=1).items():
        assert array.shape == of_keras[name].shape
        assert array.dtype == np.float32
        assert array.std() == pytest.approx(of_keras[name].std(), rel=0.1)
    recurrent = model_pool.initial_weights(layers, seed=1)["gru_0/forward/recurrent_kernel"]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(30), atol=1e-5)


LAYERS = make_layers(bidirectional=True)
BATCHES = [
    Batch(
        seeded_noise((4, 20, 9), seed=1).astype(np.float32),
        np.abs(seeded_noise((4, 20, 27), seed=2)).astype(np.float32),
        np.ones((4, 20), np.float32),
        ("a track",),
    )
]


def train(seed=0, solver="adam", max_iter=3, ema_momentum=0.0, start=None, **early_stopping):
    """Train on one batch an epoch; return (state, run)."""
    return train_network(
        LAYERS,
        start,
        BATCHES,
        BATCHES if early_stopping else None,
        objective=Objective("magnitude_squared_error", 2, 1),
        dropout=0.3,
        solver=solver,
        learning_rate="constant",
        learning_rate_init=0.01,
        learning_rate_floor=0.0,
        clip_norm=None,
        ema_momentum=ema_momentum,
        max_iter=max_iter,
        patience=early_stopping.get("patience"),
        tol=0.0,
        seed=seed,
        compiled=False,
        mixed_precision=False,
        callbacks=[],
        checkpoint=None,
        progress=None,
        epochs=EpochTasks(NoTask(), None, [], [], {}),
        fitted=None,
    )


@pytest.mark.slow
def test_a_model_that_is_used_again_is_as_good_as_new():
    def weights(seed, solver):
        return train(seed, solver)[0].weights

    for solver in model_pool.SOLVERS:
        model_pool._idle_models.clear()
        new = weights(0, solver)
        other = weights(1, solver)
        again = weights(0, solver)
        assert [len(idle) for idle in model_pool._idle_models.values()] == [1]
        for name, array in new.items():
            np.testing.assert_array_equal(again[name], array)
        assert not np.array_equal(other["mask/kernel"], new["mask/kernel"])


@pytest.mark.slow
def test_the_average_of_the_weights_is_that_of_all_steps_and_changes_none_of_them():
    after = [train(max_iter=n)[0].weights for n in (1, 2, 3)]
    state, run = train(max_iter=3, ema_momentum=0.75)
    assert run.losses == train(max_iter=3)[1].losses
    for name, average in state.weights.items():
        expected = after[0][name]
        for weights in after[1:]:
            expected = 0.75 * expected + 0.25 * weights[name]
        np.testing.assert_allclose(average, expected, atol=1e-6, err_msg=name)
    assert np.abs(state.weights["mask/kernel"] - after[2]["mask/kernel"]).max() > 1e-3


@pytest.mark.slow
def test_averages_are_what_is_validated_and_what_the_best_epoch_keeps():
    (state, run), (_, plain) = train(ema_momentum=0.9, patience=9), train(patience=9)
    assert run.losses == plain.losses
    assert run.validation_losses[0] == plain.validation_losses[0]  # one step has no other average
    assert run.validation_losses[1:] != plain.validation_losses[1:]
    again = train(max_iter=1, start=state.weights, patience=9)[1]
    assert again.best_loss <= run.best_loss + 1e-6
    shorter = train(ema_momentum=0.9, max_iter=run.best_epoch)[0]
    np.testing.assert_array_equal(shorter.weights["mask/kernel"], state.weights["mask/kernel"])


@pytest.mark.slow
def test_many_fits_leave_no_more_graphs_than_one():
    layers = mask_network_layers(9, 1, (3,), False, (), "sigmoid")
    batch = (np.ones((2, 5, 9), np.float32), np.ones((2, 5, 9), np.float32), np.ones((2, 5), "f4"))

    def count_graphs():
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    counts = []
    for seed in range(4):
        with model_pool.borrow_model(layers, 0.1, SQUARED_ERROR, "adam", None, False) as model:
            weights = model_pool.initial_weights(layers, seed)
            model_pool.reset_model(model, layers, weights, 0.01, seed)
            model.train_on_batch(*batch)
        del model
        counts.append(count_graphs())
    assert counts[1:] == counts[:1] * 3


def test_fits_in_many_threads_never_share_a_model(monkeypatch):
    monkeypatch.setattr(model_pool, "_idle_models", {})
    monkeypatch.setattr(model_pool, "_compile_model", lambda *settings: object())
    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    lent = []

    def fit(thread):
        for i in range(300):
            with model_pool.borrow_model((thread, i % 20), 0, None, "adam", None, False) as model:
                assert model not in lent
                lent.append(model)
                lent.remove(model)

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(fit, range(8)))
    finally:
        sys.setswitchinterval(switch_interval)
    n_idle = sum(map(len, model_pool._idle_models.values()))
    assert n_idle == model_pool.MAX_IDLE_MODELS


# Fits of a second each, in a process of its own.
TINY_FIT = """
import os, sys
from joblib import Parallel, delayed, parallel_config
from tests.tiny_separators import analysed, tiny_separator
from tests.strategies import tiny_tracks

def fit(seed, verbose=False):
    separator = tiny_separator(max_iter=1, random_state=seed, verbose=verbose)
    return separator.fit(*analysed(*tiny_tracks(1)))
"""


def run_python(code, redirection=""):
    """Run code in a new process, with a redirection in the words of the shell."""
    command = ["sh", "-c", f'exec "$0" -c "$1" {redirection}', sys.executable, TINY_FIT + code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_fits_at_a_time_leave_standard_error_as_it_was():
    done = run_python(
        "before = os.fstat(2)\n"
        "with parallel_config(backend='threading', n_jobs=2):\n"
        "    Parallel()(delayed(fit)(seed) for seed in range(4))\n"
        "after = os.fstat(2)\n"
        "print((before.st_dev, before.st_ino) == (after.st_dev, after.st_ino))\n"
        "os.write(2, b'the last words')\n"
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert done.stderr.endswith("the last words")


@pytest.mark.slow
def test_a_fit_works_where_standard_error_is_closed():
    for verbose in (False, True):
        done = run_python(f"print(sys.stderr, fit(0, {verbose}).n_iter_)", "2>&-")
        assert (done.returncode, done.stdout) == (0, "None 1\n")


@pytest.mark.slow
def test_what_is_said_when_the_first_training_step_aborts_is_seen():
    done = run_python(
        "import keras\n"
        "def abort(*args, **kwargs):\n"
        "    os.write(2, b'F0000 Check failed')\n"
        "    os._exit(134)\n"
        "keras.Model.train_on_batch = abort\n"
        "fit(0)\n"
    )
    assert done.returncode == 134
    assert done.stderr.endswith("F0000 Check failed")


def test_the_names_that_fit_accepts_are_those_there_are():
    activations = {*ACTIVATIONS, "linear"} - {"elu"}  # which is within convolutional networks
    for name, there in (("output_activation", activations), ("solver", set(model_pool.SOLVERS))):
        assert set(re.findall(r"'(\w+)'", PARAMETERS[name].words)) == there


def test_relu_recurrences_start_from_half_of_an_orthogonal_matrix():
    layers = deep_recurrent_layers(9, 1, (20, 20), "all", 3, "linear")
    weights = model_pool.initial_weights(layers, seed=1)
    for k in (1, 2):
        kernel = weights[f"hidden_{k}/recurrent_kernel"]
        np.testing.assert_allclose(kernel @ kernel.T, 0.25 * np.eye(20), atol=1e-5)
