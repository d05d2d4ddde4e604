"""Share a batch out among the replicas of a network, where a `tf.distribute` strategy is active."""

import numpy as np
import tensorflow as tf


def active_strategy():
    """Return the strategy within whose scope this is called: by default one of one replica."""
    return tf.distribute.get_strategy()


def run_on_batch(model, kind, inputs, targets, frame_weights):
    """Run a step on a batch, every replica on a part of its own, and return the mean loss.

    Keras's `train_on_batch` and `test_on_batch` would give every replica the whole batch.

    Parameters
    ----------
    model : keras.Model
    kind : {"train", "test"}
    inputs, targets, frame_weights : array of float32, shape (batch_size, n_frames, ...)

    Returns
    -------
    float
        The loss before the step: the mean of ``loss * weight`` over all frames.
    """
    model.reset_metrics()  # so that the loss is that of this batch alone
    strategy = model.distribute_strategy
    n = strategy.num_replicas_in_sync
    if n == 1:
        run = model.train_on_batch if kind == "train" else model.test_on_batch
        return float(np.ravel(run(inputs, targets, sample_weight=frame_weights))[0])
    size = -(-len(inputs) // n)
    # Segments without weight fill up the last part; the mean counts them, so it is mended.
    frame_weights = frame_weights * np.float32(size * n / len(inputs))
    again = np.arange(size * n) % len(inputs)
    arrays = [inputs[again], targets[again], frame_weights[again]]
    arrays[2][len(inputs) :] = 0

    def part(context):
        first = context.replica_id_in_sync_group * size
        return tuple(tf.constant(array[first : first + size]) for array in arrays)

    batch = strategy.experimental_distribute_values_from_function(part)
    model.make_train_function() if kind == "train" else model.make_test_function()
    step = model.train_function if kind == "train" else model.test_function
    return float(np.mean(step(iter([batch]))["loss"]))
