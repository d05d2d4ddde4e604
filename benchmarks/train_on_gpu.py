r"""Train the three networks for songs at the same time on a GPU, with JAX.

    pip install 'jax[cuda13]' optax
    python benchmarks/train_on_gpu.py --data <data> --accompaniments accompaniments

The networks, their training data and how sources are varied are the recipes of ship_networks.py,
which scores what is written here and puts it into the package. Processes draw segments of a voice
and an accompaniment and send the voice through effects, as a fit of the package does; the GPU keeps
the last thousands of them. There, every batch has new pairs of these with new signs, filters and
second voices. The learning rate follows the clock, so that the fit ends when it shall. Weights are
averaged over about the last thousand steps. Every few minutes the models are written as they are,
with their optimisers: a fit that is interrupted goes on from there when the command is repeated.
"""

import argparse
import copy
import mmap
import multiprocessing
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax_networks import initial_parameters, is_trained, run_network
from ship_networks import RECIPES
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits
from training_recordings import SAMPLE_RATE, Recordings

import sksvs
from sksvs.augmentation import draw_plan, read_plan
from sksvs.stft import STFTParams

SHARES = {"voice": 0.55, "voice-live": 0.2, "voice-free": 0.25}  # of the time
N_SAMPLES = 96 * 2048 + 2048  # of a segment
SLOTS, UPLOAD = 512, 64  # segments on their way to the GPU, and how many go at once
REMIX, SECOND_VOICE = 0.75, 0.15  # probabilities
SILENT = 0.03, 0.06  # probabilities that the voice, or the accompaniment, is
FILTERED, FILTER_DB = 0.5, 3.0  # probability of a filter, and the deviation of its gains
RATE, WARM_UP, CLIP_NORM, AVERAGED = 0.003, 300, 5.0, 0.999
EPSILON = 1e-7
WRITE_EVERY = 150  # seconds


def main():
    """Train the networks until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="see training_recordings.py")
    parser.add_argument("--accompaniments", required=True, type=Path)
    parser.add_argument("--keep", default="ship_kept", type=Path, help="for copies and models")
    parser.add_argument("--minutes", type=float, default=19, help="of training, in all")
    parser.add_argument("--pool", type=int, default=12288, help="segments of a kind on the GPU")
    parser.add_argument("--batch", type=int, default=128, help="segments in a batch")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count() - 1)
    parser.add_argument("--networks", nargs="+", default=list(RECIPES))
    arguments = parser.parse_args()
    recipes = {name: RECIPES[name] for name in arguments.networks}
    segments = Segments(arguments, recipes)
    print("processes started", flush=True)
    pools = {licence: Pool(arguments.pool) for licence in segments.kinds}
    while any(pool.n_filled < 4 * UPLOAD for pool in pools.values()):
        segments.upload(pools)
    print("first segments drawn", flush=True)
    networks = {
        name: Training(name, recipe, pools[recipe.licence], arguments.batch)
        for name, recipe in recipes.items()
    }
    for network in networks.values():
        network.compile()
        print(f"{network.name} compiled", flush=True)
    share = max(network.read_state(arguments.keep) for network in networks.values())
    start = time.monotonic() - share * 60 * arguments.minutes
    written = time.monotonic()
    while share < 1:
        name = min(networks, key=lambda name: networks[name].seconds / SHARES[name])
        networks[name].train(share, 10)
        segments.upload(pools)
        share = (time.monotonic() - start) / (60 * arguments.minutes)
        if share >= 1 or time.monotonic() - written > WRITE_EVERY:
            written = time.monotonic()
            for network in networks.values():
                network.write(arguments.keep, min(share, 1.0))
                print(network, flush=True)
            print(f"{min(share, 1):.0%}", {k: p.n_drawn for k, p in pools.items()}, flush=True)


class Segments:
    """Processes that draw segments and vary their sources, for every kind of licence.

    `audio` has the two sources of a segment in every slot, `powers` the mean powers of the tracks
    that they are from.
    """

    def __init__(self, arguments, recipes):
        self.recipes, self.kinds = recipes, {}
        for recipe in recipes.values():
            self.kinds.setdefault(recipe.licence, recipe)
        tracks = {}
        for licence, recipe in self.kinds.items():
            recordings = Recordings(
                arguments.data,
                arguments.accompaniments,
                arguments.keep / "copies",
                free=licence != "research only",
            )
            tracks[licence] = {kind: recordings.tracks(kind)[1] for kind in recipe.hours}
        self.audio = shared((SLOTS, 2, N_SAMPLES), np.float16)
        self.powers = shared((SLOTS, 2), np.float32)
        context = multiprocessing.get_context("fork")
        self.empty, self.ready = context.Queue(), context.Queue()
        self.drawn, self.processes = {licence: [] for licence in self.kinds}, []
        for slot in range(SLOTS):
            self.empty.put(slot)
        for i in range(arguments.processes):
            share = {
                licence: {k: y[i :: arguments.processes] or y for k, y in by_kind.items()}
                for licence, by_kind in tracks.items()
            }
            process = context.Process(target=self._draw, args=(i, share), daemon=True)
            process.start()
            self.processes.append(process)

    def _draw(self, seed, tracks):
        """Fill empty slots for ever, with segments of these tracks."""
        rng, powers, shares = np.random.RandomState(seed), {}, dict.fromkeys(self.kinds, 0.0)
        for name, recipe in self.recipes.items():
            shares[recipe.licence] += SHARES[name]
        on_the_gpu = {"remix": 0.0, "shift": 0.0, "drop": 0.0}
        augmentations = {
            licence: clone(recipe.network.augmentation).set_params(**on_the_gpu)
            for licence, recipe in self.kinds.items()
        }
        with threadpool_limits(1):
            while True:
                slot = self.empty.get()
                licence = draw_key(shares, rng)
                y_of_kind = tracks[licence][draw_key(self.kinds[licence].hours, rng)]
                y = y_of_kind[rng.randint(len(y_of_kind))]
                place = rng.randint(y[0].n_samples)
                plan = draw_plan(augmentations[licence], 0, place, [y], rng)
                self.audio[slot] = read_plan(plan, [y], N_SAMPLES, SAMPLE_RATE)
                if id(y) not in powers:
                    powers[id(y)] = [np.mean(np.square(source[:])) for source in y]
                gains = [part.gain for part in plan]
                self.powers[slot] = np.square(gains) * powers[id(y)]
                self.ready.put((licence, slot))

    def upload(self, pools):
        """Move what is ready to the GPU."""
        if not all(process.is_alive() for process in self.processes):
            raise RuntimeError("A process that draws segments has died; its error is above.")
        for _ in range(self.ready.qsize()):
            licence, slot = self.ready.get()
            self.drawn[licence].append(slot)
        for licence, slots in self.drawn.items():
            while len(slots) >= UPLOAD:
                some = [slots.pop() for _ in range(UPLOAD)]
                pools[licence].add(self.audio[some], self.powers[some])
                for slot in some:
                    self.empty.put(slot)


def draw_key(weights, rng):
    """Draw a key of a dict whose values are weights."""
    shares = np.array(list(weights.values()))
    return list(weights)[rng.choice(len(shares), p=shares / shares.sum())]


def shared(shape, dtype):
    """Return an array that the processes started from here share."""
    dtype = np.dtype(dtype)
    memory = mmap.mmap(-1, int(np.prod(shape)) * dtype.itemsize)
    return np.frombuffer(memory, dtype).reshape(shape)


class Pool:
    """The last segments that were drawn, on the GPU."""

    def __init__(self, size):
        self.audio = jnp.zeros((size, 2, N_SAMPLES), jnp.float16)
        self.powers = jnp.zeros((size, 2))
        self.size, self.n_drawn = size, 0

    @property
    def n_filled(self):
        """Number of segments in the pool."""
        return min(self.n_drawn, self.size)

    def add(self, audio, powers):
        """Put segments in the place of the oldest ones."""
        start = self.n_drawn % self.size
        self.audio, self.powers = _put(self.audio, self.powers, audio, powers, start)
        self.n_drawn += len(audio)


@partial(jax.jit, donate_argnums=(0, 1))
def _put(audio, powers, new_audio, new_powers, start):
    audio = jax.lax.dynamic_update_slice(audio, new_audio, (start, 0, 0))
    return audio, jax.lax.dynamic_update_slice(powers, new_powers, (start, 0))


class Training:
    """A network and its optimiser."""

    def __init__(self, name, recipe, pool, batch_size):
        self.name, self.recipe, self.pool, self.batch_size = name, recipe, pool, batch_size
        stft = recipe.stft
        facts = stft.n_fft, stft.hop_length, stft.window, stft.sample_rate
        self.params = params = STFTParams(*facts)
        network = clone(recipe.network)
        network.n_sources_, network.source_names_ = 2, ("vocals", "accompaniment")
        network.stft_params_, network.input_power_ = params, network.input_power
        network.layers_ = network._layers(params.n_freqs, 2)  # not public: there has been no fit
        self.network = network
        self.window = params.transform.win.astype(np.float32)
        weights = initial_parameters(network.layers_, network.random_state)
        self.trained = {k: jnp.array(w) for k, w in weights.items() if is_trained(k)}
        self.averages = {k: jnp.array(w) for k, w in self.trained.items()}
        self.statistics = {k: jnp.array(w) for k, w in weights.items() if not is_trained(k)}
        self.optimizer = optax.chain(optax.clip_by_global_norm(CLIP_NORM), optax.scale_by_adam())
        self.state = self.optimizer.init(self.trained)
        self.key = jax.random.key(network.random_state)
        self.n_steps, self.seconds, self.losses = 0, 0.0, []
        self.mean, self.scale = jnp.zeros(params.n_freqs), jnp.ones(params.n_freqs)
        moments = [self._moments(*self._next()) for _ in range(16)]
        self.mean = np.mean([mean for mean, _ in moments], axis=0)
        scale = np.sqrt(np.mean([square for _, square in moments], axis=0) - self.mean**2)
        self.scale = np.maximum(scale, 0.01 * scale.max())

    def __repr__(self):
        hours = self.n_steps * self.batch_size * self._n_samples / SAMPLE_RATE / 3600
        loss = np.mean(self.losses[-100:])
        seen = f"{self.n_steps} batches, {hours:.0f} h of audio"
        return f"{self.name}: {seen}, {self.seconds / 60:.1f} minutes, loss {loss:.3f}"

    @property
    def _n_frames(self):
        return self.network.segment_frames

    @property
    def _n_samples(self):
        return (self._n_frames - 1) * self.params.hop_length + self.params.n_fft

    def _next(self):
        """Return what a batch is made of: the pool, and a new key."""
        self.key, key = jax.random.split(self.key)
        return self.pool.audio, self.pool.powers, self.pool.n_filled, key

    def compile(self):
        """Compile a step, which takes half a minute: at a rate of zero, it changes no weight."""
        values = (jax.tree.map(jnp.copy, x) for x in self._state_arrays()[:3])
        self._step(*values, self.mean, self.scale, 0.0, 0.0, *self._next())

    def train(self, share, n_steps):
        """Make so many steps at the learning rate for this share of the time."""
        start = time.monotonic()
        for _ in range(n_steps):
            self.n_steps += 1
            rate = RATE * min(1.0, self.n_steps / WARM_UP) * (1 + np.cos(np.pi * share)) / 2
            momentum = min(AVERAGED, self.n_steps / (self.n_steps + 10))
            values = self._state_arrays()[:5]
            *values, loss = self._step(*values, rate, momentum, *self._next())
            self.trained, self.state, self.averages = values
        self.losses.append(float(loss))
        self.seconds += time.monotonic() - start

    @partial(jax.jit, static_argnums=0, donate_argnums=(1, 2, 3))
    def _step(self, trained, state, averages, mean, scale, rate, momentum, *drawn):
        batch = self._make_batch(mean, scale, *drawn)
        loss, gradients = jax.value_and_grad(self._loss)(trained, batch)
        updates, state = self.optimizer.update(gradients, state)
        trained = {name: w - rate * updates[name] for name, w in trained.items()}
        averages = {
            name: momentum * w + (1 - momentum) * trained[name] for name, w in averages.items()
        }
        return trained, state, averages, loss

    def _loss(self, trained, batch):
        """Return the mean of the energy of errors over that of mixtures, in dB."""
        inputs, mixture, voice = batch
        parameters = {**trained, **self.statistics}
        masks, _ = run_network(self.network.layers_, parameters, inputs, training=True)
        errors = power(masks * mixture - voice).sum((1, 2))
        ratios = errors / (power(mixture).sum((1, 2)) + EPSILON)
        return jnp.mean(10 * jnp.log10(ratios + self.network.error_floor))

    def _make_batch(self, mean, scale, audio, powers, n_filled, key):
        """Return the input, and spectra of mixtures and voices, of new pairs from the pool."""
        keys = iter(jax.random.split(key, 12))
        size = (self.batch_size,)

        def happens(probability):
            return jax.random.uniform(next(keys), size) < probability

        def draw():
            return jax.random.randint(next(keys), size, 0, n_filled)

        voices, others, seconds = draw(), draw(), draw()
        others = jnp.where(happens(REMIX), others, voices)
        second_gains = jax.random.uniform(next(keys), size, minval=0.4, maxval=1.0)
        second_gains = jnp.where(happens(SECOND_VOICE), second_gains, 0)[:, None]
        silent = happens(SILENT[0])
        gains = jnp.stack([~silent, silent | ~happens(SILENT[1])], 1)
        signs = jax.random.rademacher(next(keys), (*size, 2))
        sung = audio[voices, 0].astype(jnp.float32)
        sung += second_gains * audio[seconds, 0].astype(jnp.float32)
        sources = jnp.stack([sung, audio[others, 1].astype(jnp.float32)], 1)
        sung = powers[voices, 0] + second_gains[:, 0] ** 2 * powers[seconds, 0]
        power_of_sources = jnp.stack([sung, powers[others, 1]], 1) * gains
        sources = sources[..., : self._n_samples] * (gains * signs)[..., None]
        places = np.arange(self._n_frames)[:, None] * self.params.hop_length
        pieces = sources[..., places + np.arange(self.params.n_fft)] * self.window
        spectra = jnp.fft.rfft(pieces) * self._filters(next(keys))
        level = jnp.sqrt(power_of_sources.sum(1) + EPSILON**2)[:, None, None]
        mixture, voice = spectra.sum(1) / level, spectra[:, 0] / level
        inputs = (power(mixture) + 1e-20) ** (self.network.input_power / 2)
        return (inputs - mean) / scale, mixture, voice

    def _filters(self, key):
        """Return the gains of a smooth filter for every source: (batch, 2, 1, n_freqs)."""
        keys = jax.random.split(key)
        octaves = np.log2(np.maximum(np.arange(self.params.n_freqs), 1) / self.params.n_freqs)
        knots = np.linspace(octaves[0], 0, 7)
        nearness = np.maximum(1 - np.abs(octaves - knots[:, None]) / (knots[1] - knots[0]), 0)
        shape = self.batch_size, 2
        filtered = jax.random.uniform(keys[0], (*shape, 1)) < FILTERED
        in_db = filtered * FILTER_DB * jax.random.normal(keys[1], (*shape, len(knots)))
        return 10 ** (in_db @ np.float32(nearness) / 20)[:, :, None]

    @partial(jax.jit, static_argnums=0)
    def _moments(self, *drawn):
        inputs = self._make_batch(0.0, 1.0, *drawn)[0]
        return inputs.mean((0, 1)), jnp.square(inputs).mean((0, 1))

    @partial(jax.jit, static_argnums=0)
    def _batch_statistics(self, averages, mean, scale, *drawn):
        inputs = self._make_batch(mean, scale, *drawn)[0]
        parameters = {**averages, **self.statistics}
        return run_network(self.network.layers_, parameters, inputs, training=True)[1]

    def _state_arrays(self):
        return self.trained, self.state, self.averages, self.mean, self.scale, self.n_steps

    def read_state(self, folder):
        """Go on from a state that was written; return the share of the time that had passed."""
        path = Path(folder) / f"{self.name}.npz"
        if not path.exists():
            return 0.0
        with np.load(path) as saved:
            form = jax.tree.structure(self._state_arrays())
            leaves = [jnp.array(saved[f"leaf_{i}"]) for i in range(form.num_leaves)]
            self.trained, self.state, self.averages, *others = jax.tree.unflatten(form, leaves)
            self.mean, self.scale, n_steps = others
            self.n_steps, self.seconds = int(n_steps), float(saved["seconds"])
            self.losses = saved["losses"].tolist()
            self.key = jax.random.fold_in(self.key, self.n_steps)
            return float(saved["share"])

    def write(self, folder, share):
        """Write the network with its averaged weights as a model, and its state beside it."""
        leaves = {f"leaf_{i}": x for i, x in enumerate(jax.tree.leaves(self._state_arrays()))}
        facts = {"share": share, "seconds": self.seconds, "losses": self.losses}
        unfinished = Path(folder) / f"{self.name}.part.npz"
        np.savez(unfinished, **leaves, **facts)
        unfinished.replace(Path(folder) / f"{self.name}.npz")
        batches = [
            self._batch_statistics(self.averages, self.mean, self.scale, *self._next())
            for _ in range(32)
        ]
        statistics = {k: np.mean([batch[k] for batch in batches], axis=0) for k in batches[0]}
        network = copy.copy(self.network).set_params(verbose=False)
        arrays = {**self.averages, **statistics}
        names = [name for layer in network.layers_ for name in layer.parameter_shapes]
        network.weights_ = {name: np.float32(arrays[name]) for name in names}
        network.input_mean_, network.input_scale_ = np.float32(self.mean), np.float32(self.scale)
        parts = np.array_split(self.losses, min(20, len(self.losses)))
        network.loss_curve_ = [float(part.mean()) for part in parts]
        network.validation_loss_curve_, network.n_iter_ = [], len(parts)
        network.held_out_ = np.zeros(0, bool)
        pipeline = Pipeline([("stft", self.recipe.stft), ("network", network)])
        seen, device = repr(self).partition(": ")[2], jax.devices()[0].device_kind
        card = {"training": f"benchmarks/train_on_gpu.py: {seen}, on one {device}"}
        sksvs.save(pipeline, Path(folder) / f"{self.name}.safetensors", card=card)


def power(values):
    """Return the power of spectra."""
    return jnp.square(values.real) + jnp.square(values.imag)


if __name__ == "__main__":
    main()
