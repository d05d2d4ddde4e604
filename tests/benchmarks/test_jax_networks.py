"""Networks that are trained in JAX on a GPU are those of the package. Skipped without JAX."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

import sksvs
from sksvs.audio import ArrayWaveform
from sksvs.estimators import CRNSeparator
from sksvs.stft import STFTParams
from sksvs.transforms import STFTTransformer

jax = pytest.importorskip("jax")
pytest.importorskip("optax")
pytestmark = pytest.mark.slow
SMALL = {
    "filter_bank": (20, 12),
    "conv_channels": (4, 6),
    "dual_path_sizes": ((5, 7),),
    "hidden_layer_sizes": (),
    "segment_frames": 8,
}


@pytest.fixture
def train_on_gpu(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    import train_on_gpu

    monkeypatch.setattr(train_on_gpu, "N_SAMPLES", 4096)
    return train_on_gpu


def training_of(train_on_gpu, **parameters):
    """Return a small network in training, on four segments of noise."""
    rng, pool = np.random.RandomState(0), train_on_gpu.Pool(4)
    audio = rng.normal(0, 0.1, (4, 2, 4096)).astype(np.float16)
    pool.add(audio, np.full((4, 2), 0.01, np.float32))
    recipe = next(iter(train_on_gpu.RECIPES.values()))
    network = clone(recipe.network).set_params(**SMALL | parameters)
    stft = STFTTransformer(256, 128, "cosine", sample_rate=8000)
    recipe = recipe._replace(stft=stft, network=network)
    return train_on_gpu.Training("small", recipe, pool, 2)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_what_is_trained_predicts_the_same_in_the_package(train_on_gpu, bidirectional, tmp_path):
    training = training_of(train_on_gpu, bidirectional=bidirectional)
    training.train(0.0, 3)
    training.write(tmp_path, 0.5)
    pipeline = sksvs.load(tmp_path / "small.safetensors")
    network = pipeline[-1]
    assert isinstance(network, CRNSeparator) and network.bidirectional is bidirectional
    noise = np.random.RandomState(1).normal(0, 0.1, 8000).astype(np.float32)
    noise -= noise.mean()
    [x] = pipeline[:-1].transform([ArrayWaveform(noise, 8000)])
    inputs = np.sqrt(np.abs(x.stft.T) / np.sqrt(np.mean(noise**2)))
    inputs = (inputs - network.input_mean_) / network.input_scale_
    with jax.default_matmul_precision("highest"):
        masks, _ = train_on_gpu.run_network(
            network.layers_, network.weights_, inputs[None], training=False
        )
    np.testing.assert_allclose(masks[0].T, network.predict_mask([x])[0][0], atol=1e-5)


def test_a_fit_goes_on_from_what_was_written(train_on_gpu, tmp_path):
    first, second = (training_of(train_on_gpu) for _ in range(2))
    first.train(0.0, 5)
    first.write(tmp_path, 0.25)
    assert second.read_state(tmp_path / "elsewhere") == 0
    assert second.read_state(tmp_path) == 0.25
    assert second.n_steps == first.n_steps == 5 and second.losses == first.losses
    for values in ("trained", "averages"):
        for name, weight in getattr(first, values).items():
            np.testing.assert_array_equal(weight, getattr(second, values)[name])
    second.compile()
    np.testing.assert_array_equal(first.trained["mask/kernel"], second.trained["mask/kernel"])
    second.train(0.25, 1)
    assert (first.trained["mask/kernel"] != second.trained["mask/kernel"]).any()


def test_the_loss_is_that_of_the_package(train_on_gpu):
    keras = pytest.importorskip("keras")
    from sksvs.training.losses import make_loss
    from sksvs.training.objective import Objective, network_target

    training = training_of(train_on_gpu)
    batch = training._make_batch(training.mean, training.scale, *training._next())
    masks, _ = train_on_gpu.run_network(
        training.network.layers_, {**training.trained, **training.statistics}, batch[0], True
    )
    floor = training.network.error_floor
    objective = Objective("segment_error_ratio", 2, 1, error_floor=floor)
    frames = [np.asarray(spectra).swapaxes(1, 2) for spectra in batch[1:]]
    target = np.stack(
        [
            network_target(mixture, np.stack([voice, mixture - voice]), None, 1.0, objective)
            for mixture, voice in zip(*frames)
        ]
    )
    loss = make_loss(objective)(keras.ops.array(target), keras.ops.array(np.asarray(masks)))
    assert float(training._loss(training.trained, batch)) == pytest.approx(
        float(np.mean(loss)), abs=1e-3
    )
    assert STFTParams(256, 128, "cosine", 8000).n_freqs == masks.shape[-1]
