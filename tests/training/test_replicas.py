"""A network on several devices learns what it learns on one."""

import json
import subprocess
import sys

import numpy as np
import pytest

# Devices can only be set up before TensorFlow starts: in a process of its own.
FIT = """
import json
import sys

import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from tests.tiny_separators import analysed, tiny_separator
from tests.strategies import tiny_tracks

X, y = analysed(*tiny_tracks(3))
parameters = {"dropout": 0.0, "batch_size": 3, "early_stopping": True, "bidirectional": True}


def fit():
    return tiny_separator(**parameters).fit(X, y)


one = fit()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    two = fit()
print(json.dumps({
    "weights": max(float(np.abs(two.weights_[n] - w).max()) for n, w in one.weights_.items()),
    "losses": [one.loss_curve_, two.loss_curve_],
    "validation_losses": [one.validation_loss_curve_, two.validation_loss_curve_],
}))
"""


@pytest.fixture(scope="module")
def fits():
    done = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_two_devices_learn_the_weights_that_one_learns(fits):
    assert fits["weights"] < 1e-5


@pytest.mark.parametrize("curve", ["losses", "validation_losses"])
def test_two_devices_report_the_losses_that_one_reports(fits, curve):
    on_one, on_two = fits[curve]
    assert len(on_one) > 1
    np.testing.assert_allclose(on_two, on_one, rtol=1e-4)
