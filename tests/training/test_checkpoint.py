"""A fit that is cut off goes on where it was, and gives what one that is not cut off gives."""

import os
import resource
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.base import clone

from sksvs.audio import ArrayWaveform, AudioFile, write
from sksvs.augmentation import Augmentation
from sksvs.estimators import GRUMaskSeparator
from sksvs.masks import RatioMask
from sksvs.parameters import parameters_that_shape
from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Spectrogram, Target
from sksvs.training import checkpoint
from sksvs.training.checkpoint import fingerprint
from sksvs.training.json_values import decode, encode
from sksvs.training.measured_tracks import training_tracks
from sksvs.transforms import IRMTarget, STFTTransformer
from tests.strategies import tiny_tracks
from tests.test_parameters import CHANGES, NETWORKS
from tests.tiny_separators import (
    analysed,
    three_sources,
    tiny_crn,
    tiny_drnn,
    tiny_separator,
)


@pytest.fixture(autouse=True)
def every_epoch_is_saved(monkeypatch):
    """Let no save count as long, however busy the machine is."""
    monkeypatch.setattr(checkpoint, "SHORT", np.inf)


class CutOff(keras.callbacks.Callback):
    """Stop the process' work in the middle of an epoch, as an interrupt by the user does."""

    def __init__(self, after):
        self.after = after

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.after:
            raise KeyboardInterrupt


class Count(keras.callbacks.Callback):
    n_epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.n_epochs += 1


VARIANTS = {
    "plain": {},
    "augmented": {"augmentation": Augmentation(6.0, 0.5, 0.5), "dropout": 0.5},
    "early stopping": {
        "early_stopping": True,
        "learning_rate": "adaptive",
        "learning_rate_init": 0.1,
        "n_iter_no_change": 3,
    },
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.slow
def test_a_resumed_fit_equals_one_that_was_not_cut_off(variant, tracks, tmp_path):
    X, y = analysed(*tracks)
    separator = tiny_separator(max_iter=5, **VARIANTS[variant])
    whole = clone(separator).fit(X, y)
    resumed = clone(separator).set_params(checkpoint_dir=tmp_path)
    for after in (0, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            resumed.set_params(callbacks=[CutOff(after)]).fit(X, y)
    counter = Count()
    resumed.set_params(callbacks=[counter]).fit(X, y)
    assert counter.n_epochs == whole.n_iter_ - 3
    assert resumed.loss_curve_ == whole.loss_curve_
    assert resumed.validation_loss_curve_ == whole.validation_loss_curve_
    for name, array in whole.weights_.items():
        np.testing.assert_array_equal(resumed.weights_[name], array)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]


def test_saves_that_take_long_are_not_made_after_every_epoch(tracks, tmp_path, monkeypatch):
    X, y = analysed(*tracks)
    separator = tiny_separator(max_iter=5)
    whole = clone(separator).fit(X, y)
    monkeypatch.setattr(checkpoint, "SHORT", 0)
    monkeypatch.setattr(checkpoint, "MAX_SHARE", 1e-9)
    resumed = clone(separator).set_params(checkpoint_dir=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        resumed.set_params(callbacks=[CutOff(3)]).fit(X, y)
    counter = Count()
    resumed.set_params(callbacks=[counter]).fit(X, y)
    assert counter.n_epochs == 4  # only the first was saved before
    np.testing.assert_array_equal(resumed.weights_["mask/bias"], whole.weights_["mask/bias"])
    again = Count()
    resumed.set_params(callbacks=[again]).fit(X, y)
    assert again.n_epochs == 0  # the last one is always saved


def test_a_finished_fit_is_read_and_not_repeated(tracks, tmp_path):
    X, y = analysed(*tracks)
    first = tiny_separator(checkpoint_dir=tmp_path / "new" / "folder").fit(X, y)
    counter = Count()
    again = clone(first).set_params(callbacks=[counter]).fit(X, y)
    assert counter.n_epochs == 0
    np.testing.assert_array_equal(again.weights_["mask/bias"], first.weights_["mask/bias"])


def learnt(X, y, **exponents):
    """Return the tracks that are learnt from, with the mask of these exponents if there are any."""
    X, y = analysed(X, y)
    X = IRMTarget(**exponents).fit_transform(X) if exponents else X
    return training_tracks(X, y, None)


def named(separator=None, X=None, held_out=None, start=None):
    """Return the name of a fit of tiny tracks, but for what is given."""
    X = learnt(*tiny_tracks(3)) if X is None else X
    held_out = np.zeros(len(X), bool) if held_out is None else held_out
    return fingerprint(separator or tiny_separator(), X, held_out, start)


def test_a_checkpoint_belongs_to_exact_tracks_and_to_where_the_fit_starts(tracks):
    X, y = tracks
    louder = [X[0], X[1], 1.01 * X[2]]
    stft = STFTTransformer(n_fft=64, hop_length=16)
    names = [
        named(),
        named(X=learnt(X[:2], y[:2])),
        named(X=learnt(X[1:], y[1:])),
        named(X=learnt(X[::-1], y[::-1])),
        named(X=learnt(louder, y)),
        named(X=learnt(X, [y[0], y[1], 1.01 * y[2]])),
        named(X=learnt(X, three_sources(y))),
        named(X=training_tracks(stft.transform(X), y, None)),
        named(X=learnt(X, y, p=2.0)),
        named(X=learnt([ArrayWaveform(x, 8000) for x in X], y)),
        named(X=learnt([ArrayWaveform(x).gain(2.0) for x in X], y)),
        named(X=learnt([ArrayWaveform(x).gain(3.0) for x in X], y)),
        named(X=learnt([ArrayWaveform(x).unit_norm() for x in X], y)),
        named(held_out=np.array([False, False, True])),
        named(start={"weights": np.zeros(3)}),
        named(start={"weights": np.ones(3)}),
        named(start={"weights": np.zeros(4)}),
        named(tiny_drnn()),
        named(tiny_crn()),
    ]
    assert len(set(names)) == len(names)


def test_a_waveform_that_has_been_read_has_the_name_that_it_had(tracks):
    X, y = [ArrayWaveform(x).unit_norm() for x in tracks[0]], tracks[1]
    before = named(X=learnt(X, y))
    for x in X:
        x[:]
    assert named(X=learnt(X, y)) == before


def test_a_file_counts_by_path_size_and_time(tmp_path):
    path, sources = tmp_path / "song.wav", np.zeros((2, 4000), np.float32)
    write(path, np.full(4000, 0.1, np.float32), 8000)
    os.utime(path, ns=(1, 1))
    names = [named(X=learnt([AudioFile(path)], [sources])) for _ in range(2)]
    os.utime(path, ns=(2, 2))
    names.append(named(X=learnt([AudioFile(path)], [sources])))
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("network", NETWORKS)
def test_parameters_that_shape_the_network_or_the_fit_change_the_name_and_no_others_do(network):
    own, X = network.get_params(deep=False), learnt(*tiny_tracks(1))
    name = named(network, X)
    changed = {key for key in own if named(type(network)(**{**own, key: CHANGES[key]}), X) != name}
    assert changed == set(parameters_that_shape(network, "network", "fit"))
    again = type(network)(**{**own, "dropout": np.float64(own["dropout"])})
    assert named(again, X) == name


AUGMENTED = {"augmentation": Augmentation(gain_db=6.0, speed=(0.1, 0.0))}


def test_every_parameter_of_an_augmentation_changes_the_name():
    X, own = learnt(*tiny_tracks(1)), AUGMENTED["augmentation"].get_params()
    varied = [Augmentation(**{**own, key: 0.25}) for key in own]
    names = {named(tiny_separator(augmentation=x), X) for x in [Augmentation(**own), *varied]}
    assert len(names) == 1 + len(own)


def test_parameters_that_were_added_later_do_not_change_the_names_of_fits_without_them():
    others = {"remix": 0.0, "shift": 0.0, "speed": {"tuple": [0.1, 0.0]}, "channel": 0.0}
    for zero in (0.0, 0, np.float32(0)):
        augmentation = clone(AUGMENTED["augmentation"]).set_params(effects=zero, drop=zero)
        assert encode(augmentation) == {"Augmentation": {"gain_db": 6.0, **others}}
        assert str(decode(encode(augmentation))) == str(AUGMENTED["augmentation"])
    augmentation.set_params(effects=0.5, drop=(0.0, 0.0))
    added = {"effects": 0.5, "drop": {"tuple": [0.0, 0.0]}}
    assert encode(augmentation) == {"Augmentation": {"gain_db": 6.0, **others, **added}}


def test_moving_code_does_not_change_the_name(monkeypatch):
    name = named(tiny_separator(**AUGMENTED))
    moved = (GRUMaskSeparator, Augmentation, ArrayWaveform, Spectrogram, STFTParams, Target)
    for thing in (*moved, RatioMask):
        monkeypatch.setattr(thing, "__module__", "sksvs.elsewhere")
    assert named(tiny_separator(**AUGMENTED)) == name
    other = type("Other", (GRUMaskSeparator,), {})
    assert named(other(**tiny_separator(**AUGMENTED).get_params(deep=False))) != name


@pytest.mark.slow
def test_another_process_finds_the_same_name():
    code = (
        "from tests.training.test_checkpoint import AUGMENTED, named, tiny_separator;"
        "print(named(tiny_separator(**AUGMENTED)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, env=environment, text=True, check=True)
    assert done.stdout.strip() == named(tiny_separator(**AUGMENTED))


KILL_ITSELF = """
import os, signal, sys
import keras
import numpy as np
import sksvs.training.model_pool  # TensorFlow, so that the processes that are forked need not
from sksvs.training import checkpoint
from tests.tiny_separators import analysed, tiny_separator
from tests.strategies import tiny_tracks

checkpoint.SHORT = np.inf
folder, epoch = sys.argv[1], -1
savez, replace = np.savez, os.replace

class Tell(keras.callbacks.Callback):
    def on_epoch_begin(self, number, logs=None):
        global epoch
        epoch = number
        print(number, flush=True)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def fit(checkpoint_dir, out):
    separator = tiny_separator(max_iter=12, checkpoint_dir=checkpoint_dir, callbacks=[Tell()])
    separator.fit(*analysed(*tiny_tracks(3)))
    savez(out, loss=separator.loss_curve_, **separator.weights_)

def die_in_a_save(file, **arrays):
    if epoch == 2:  # half of the file is written
        file.write(b"PK" * 1000)
        file.flush()
        die()
    savez(file, **arrays)

def die_before_the_rename(*paths):
    if epoch == 4:
        die()
    replace(*paths)

def die_after_the_rename(*paths):
    replace(*paths)
    if epoch == 6:
        die()

def try_to_fit(checkpoint_dir, name, module=None, function=None, hook=None):
    if (child := os.fork()) == 0:
        try:
            if module is not None:
                setattr(module, function, hook)
            fit(checkpoint_dir, f"{folder}/{name}.npz")
            os._exit(0)
        finally:
            os._exit(1)
    print("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)

checkpoints = f"{folder}/checkpoints"
try_to_fit(None, "whole")
try_to_fit(checkpoints, "killed", np, "savez", die_in_a_save)
try_to_fit(checkpoints, "killed", os, "replace", die_before_the_rename)
try_to_fit(checkpoints, "killed", os, "replace", die_after_the_rename)
try_to_fit(checkpoints, "killed")
"""


@pytest.mark.slow
def test_a_fit_that_is_killed_in_a_save_goes_on_from_the_one_before(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", KILL_ITSELF, tmp_path]
    done = subprocess.run(command, capture_output=True, env=environment, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    epochs = [[int(number) for number in words.split()] for words in done.stdout.split("exit")]
    started = [list(range(12)), [0, 1, 2], [2, 3, 4], [4, 5, 6], list(range(7, 12)), []]
    codes = [[], [0], [-9], [-9], [-9], [0]]
    assert epochs == [[*code, *numbers] for code, numbers in zip(codes, started)]
    killed, whole = (np.load(tmp_path / f"{name}.npz") for name in ("killed", "whole"))
    assert killed.files == whole.files
    for name in whole.files:
        np.testing.assert_array_equal(killed[name], whole[name])


def test_a_full_disk_leaves_the_last_good_checkpoint(tracks, tmp_path):
    X, y = analysed(*tracks)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    class FillDisk(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                (path,) = tmp_path.iterdir()
                resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, limits[1]))

    separator = tiny_separator(max_iter=4, checkpoint_dir=tmp_path, callbacks=[FillDisk()])
    try:
        with pytest.raises(OSError, match="checkpoint .* cannot be written .* make room and fit"):
            separator.fit(X, y)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(list(tmp_path.iterdir())) == 1
    counter = Count()
    separator.set_params(callbacks=[counter]).fit(X, y)
    assert counter.n_epochs == 2
    whole = tiny_separator(max_iter=4).fit(X, y)
    np.testing.assert_array_equal(separator.weights_["mask/bias"], whole.weights_["mask/bias"])


def test_a_damaged_checkpoint_is_named(tracks, tmp_path):
    X, y = analysed(*tracks)
    separator = tiny_separator(checkpoint_dir=tmp_path).fit(X, y)
    (path,) = tmp_path.iterdir()
    for content in (path.read_bytes()[:-200], b"", b"no archive"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{path.name} is damaged. Delete it"):
            separator.fit(X, y)


def test_a_checkpoint_needs_an_integer_seed(tracks, tmp_path):
    for seed in (None, np.random.RandomState(0)):
        separator = tiny_separator(checkpoint_dir=tmp_path, random_state=seed)
        with pytest.raises(ValueError, match="random_state must be an integer where there is a"):
            separator.fit(*analysed(*tracks))
