"""Compare the training speed of this library with stock Keras and PyTorch.

    python benchmarks/bench_training.py

Prints frames per second of one training step (forward pass, gradient, Adam) of the report's network
(a), of a bidirectional GRU of three layers of 256, and of the DNN and the DRNN-2 of Huang et al.
2014 (three layers of 1000), and their ratios. Long fits of the first are compiled by XLA, fits of
the others never. "Mixed precision" makes the large products in bfloat16. The contenders take turns
in every round and the fastest step of each counts, because other work on a machine only makes steps
slower. PyTorch takes part where torch is installed.
"""

import argparse
import importlib.util
import time

import keras
import numpy as np
import tensorflow as tf

from sksvs.estimators import HUANG2014_NETWORKS, REPORT_NETWORKS
from sksvs.networks.drnn import deep_recurrent_layers  # private: a step alone is timed
from sksvs.networks.gru import mask_network_layers  # private: as above
from sksvs.training.model_pool import (  # private: as above
    borrow_model,
    initial_weights,  # private: as above
    reset_model,
    start_tensorflow,
)
from sksvs.training.objective import Objective  # private: as above

N_FREQS = 513
REPORT = {
    key: REPORT_NETWORKS["a"][key]
    for key in ("hidden_layer_sizes", "bidirectional", "dense_layer_sizes", "output_activation")
}
LARGE = {
    "hidden_layer_sizes": (256, 256, 256),
    "bidirectional": True,
    "dense_layer_sizes": (),
    "output_activation": "sigmoid",
}
FIRST = ("gru_0", "hidden_1")  # layers whose input needs no gradient
DROPOUT, LOSS = 0.25, "binary_crossentropy"


def main():
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8, help="steps of each contender")
    parser.add_argument("--batch-size", type=int, default=64, help="segments in a batch")
    parser.add_argument("--segment-frames", type=int, default=128, help="frames in a segment")
    parser.add_argument(
        "--sequence-frames", type=int, default=3000, help="frames of the one long sequence"
    )
    arguments = parser.parse_args()
    start_tensorflow()
    shape = (arguments.batch_size, arguments.segment_frames, N_FREQS)
    print(f"Batches of {shape[0]} segments of {shape[1]} frames; frames per second.")

    report = {
        "stock Keras, one sequence": stock_keras_step(
            (1, arguments.sequence_frames, N_FREQS), compiled=False
        ),
        "stock Keras, batches, XLA": stock_keras_step(shape, compiled=True),
        "sksvs": sksvs_step(REPORT, shape, compiled=True),
        "sksvs without XLA": sksvs_step(REPORT, shape, compiled=False),
    }
    large = {
        "sksvs": sksvs_step(LARGE, shape, compiled=False),
        "sksvs, mixed precision": sksvs_step(LARGE, shape, compiled=False, mixed_precision=True),
    }
    if importlib.util.find_spec("torch"):
        report["PyTorch"], large["PyTorch"] = torch_step(REPORT, shape), torch_step(LARGE, shape)

    print("\nThe report's network (a):")
    speeds, _ = measure(report, arguments.rounds)
    print_table(speeds, ("stock Keras, one sequence", "stock Keras, batches, XLA", "PyTorch"))

    print("\nBidirectional GRU, 3 layers of 256:")
    peers = "sksvs, mixed precision", "PyTorch"
    print_with_rate(large, layers_of(LARGE), arguments.rounds, peers)
    for name in ("DNN", "DRNN-2"):
        print(f"\n{name} of Huang et al. 2014:")
        layers = deep_recurrent_layers(
            N_FREQS, 2, (1000, 1000, 1000), HUANG2014_NETWORKS[name], 3, "linear"
        )
        deep = {
            "sksvs": deep_step(layers, shape, compiled=False),
            "sksvs with XLA": deep_step(layers, shape, compiled=True),
            "stock Keras": stock_deep_step(layers, shape),
        }
        print_with_rate(deep, layers, arguments.rounds, ("sksvs with XLA", "stock Keras"))


def print_with_rate(contenders, layers, n_rounds, peers):
    """Print speeds, their ratios, and their shares of the machine's matrix-product rate."""
    speeds, rate = measure(contenders, n_rounds)
    print_table(speeds, peers)
    flops = flops_of_a_frame(layers)
    print(f"Matrix products: {rate / 1e9:.0f} Gflop/s; a frame takes {flops / 1e6:.1f} Mflop.")
    for name, speed in speeds.items():
        print(f"{name:<28}{100 * speed * flops / rate:>6.0f} % of the matrix-product rate")


def measure(contenders, n_rounds):
    """Return the frames per second of every contender, and the machine's flops per second."""
    matrix = tf.random.normal((2048, 2048))
    fastest, product = dict.fromkeys(contenders, np.inf), np.inf
    for _, step in contenders.values():
        step()
    for _ in range(n_rounds):
        product = min(product, seconds(lambda: (matrix @ matrix).numpy()))
        for name, (_, step) in contenders.items():
            fastest[name] = min(fastest[name], seconds(step))
    speeds = {name: contenders[name][0] / fastest[name] for name in contenders}
    return speeds, 2 * 2048**3 / product


def seconds(step):
    """Return the duration of a call."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def print_table(speeds, peers):
    """Print every speed and the ratio of ours to the peers'."""
    for name, speed in speeds.items():
        print(f"{name:<28}{speed:>9.0f}")
    for peer in peers:
        if peer in speeds:
            print(f"sksvs : {peer:<28}{speeds['sksvs'] / speeds[peer]:.2f}")


def flops_of_a_frame(layers):
    """Return the operations of a step for a frame: 6 for a weight, 4 in the first kernels.

    They are those of the forward pass and of the gradients of the weights and of the layer's input;
    the input of the network needs no gradient. Elementwise work is not counted.
    """
    kernels = {
        name: shape[0] * shape[1]
        for layer in layers
        for name, shape in layer.parameter_shapes.items()
        if len(shape) == 2
    }
    first = sum(n for name, n in kernels.items() if name.startswith(FIRST) and "rec" not in name)
    return 6 * sum(kernels.values()) - 2 * first


def layers_of(network):
    """Return the layers of a network for one mask."""
    return mask_network_layers(N_FREQS, 1, *network.values())


def make_batch(shape):
    """Return inputs and targets: noise, since the time of a product is the same for all values."""
    rng = np.random.default_rng(0)
    return (rng.random(shape, np.float32) for _ in range(2))


def sksvs_step(network, shape, compiled, mixed_precision=False):
    """Return frames and a training step of this library."""
    layers = layers_of(network)
    inputs, targets = make_batch(shape)
    weights = np.ones(shape[:2], np.float32)
    kind = layers, DROPOUT, Objective(LOSS, 2, 1), "adam", None, compiled, mixed_precision
    with borrow_model(*kind) as model:
        reset_model(model, layers, initial_weights(layers, seed=0), 0.001, seed=0)
    frames = shape[0] * shape[1]
    return frames, lambda: model.train_on_batch(inputs, targets, sample_weight=weights)


def deep_step(layers, shape, compiled):
    """Return frames and a training step of a deep recurrent network of this library."""
    objective = Objective("magnitude_squared_error", 2, 2, discriminative=0.05)
    inputs, _ = make_batch(shape)
    targets, _ = make_batch((*shape[:2], 3 * N_FREQS))
    weights = np.ones(shape[:2], np.float32)
    with borrow_model(layers, 0.0, objective, "adam", 1.0, compiled) as model:
        reset_model(model, layers, initial_weights(layers, seed=0), 0.001, seed=0)
    frames = shape[0] * shape[1]
    return frames, lambda: model.train_on_batch(inputs, targets, sample_weight=weights)


def stock_deep_step(layers, shape):
    """Return frames and a training step of stock layers on ready-made context windows."""
    window, *others = layers
    model = keras.Sequential([keras.Input((None, window.units))])
    for layer in others:
        if layer.kind == "rnn":
            model.add(keras.layers.SimpleRNN(layer.units, "relu", return_sequences=True))
        else:
            model.add(keras.layers.Dense(layer.units, layer.activation))
    model.compile(keras.optimizers.Adam(global_clipnorm=1.0), "mse")
    inputs, _ = make_batch((*shape[:2], window.units))
    targets, _ = make_batch((*shape[:2], others[-1].units))
    return shape[0] * shape[1], lambda: model.train_on_batch(inputs, targets)


def stock_keras_step(shape, compiled):
    """Return frames and a training step of the report's network in stock Keras.

    Its script wraps the dense layers in TimeDistributed, which takes minutes to start in Keras 3
    and computes the same.
    """
    model = keras.Sequential([keras.Input((None, N_FREQS))])
    for units in REPORT["hidden_layer_sizes"]:
        model.add(
            keras.layers.GRU(units, return_sequences=True, reset_after=False, dropout=DROPOUT)
        )
    for units in REPORT["dense_layer_sizes"]:
        model.add(keras.layers.Dense(units))
    model.add(keras.layers.Dense(N_FREQS, "relu"))
    model.compile("adam", LOSS, jit_compile=compiled)
    inputs, targets = make_batch(shape)
    return shape[0] * shape[1], lambda: model.train_on_batch(inputs, targets)


def torch_step(network, shape):
    """Return frames and a training step of PyTorch on batches of the same shape."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.grus, self.dense = torch.nn.ModuleList(), torch.nn.ModuleList()
            n_inputs, bidirectional = N_FREQS, network["bidirectional"]
            for units in network["hidden_layer_sizes"]:
                gru = torch.nn.GRU(n_inputs, units, batch_first=True, bidirectional=bidirectional)
                self.grus.append(gru)
                n_inputs = units * (1 + bidirectional)
            for units in (*network["dense_layer_sizes"], N_FREQS):
                self.dense.append(torch.nn.Linear(n_inputs, units))
                n_inputs = units

        def forward(self, values):
            for gru in self.grus:
                mask = torch.nn.functional.dropout(torch.ones_like(values[:, :1]), DROPOUT)
                values, _ = gru(values * mask)
            for dense in self.dense:
                values = dense(values)
            return getattr(torch, network["output_activation"])(values)

    model = Network()
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
    inputs, targets = map(torch.from_numpy, make_batch(shape))

    def step():
        masks = model(inputs).clamp(1e-7, 1 - 1e-7)
        loss = torch.nn.functional.binary_cross_entropy(masks, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return shape[0] * shape[1], step


if __name__ == "__main__":
    main()
