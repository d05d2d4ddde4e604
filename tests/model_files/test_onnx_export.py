"""A network that was exported gives the masks of predict_mask in a bare ONNX Runtime session."""

import json

import numpy as np
import onnxruntime
import pytest
from scipy.signal import ShortTimeFFT, get_window
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import sksvs
from sksvs.estimators import MixtureBaseline
from tests.strategies import seeded_noise, tiny_tracks
from tests.tiny_separators import (
    analysed,
    three_sources,
    tiny_crn,
    tiny_drnn,
    tiny_separator,
)


def masks_of_session(path, samples):
    """Return the masks of all sources, by what the file says alone."""
    session = onnxruntime.InferenceSession(str(path))
    facts = session.get_modelmeta().custom_metadata_map
    n_fft, hop = int(facts["n_fft"]), int(facts["hop_length"])
    window = get_window(json.loads(facts["window"]), n_fft)
    centred = samples - samples.mean()
    frames = ShortTimeFFT(window, hop, 1.0, mfft=n_fft, phase_shift=None).stft(centred)
    level = np.sqrt(np.mean(centred**2))
    features = (np.abs(frames.T) / level) ** float(facts["input_power"])
    states = {i.name: i.shape[2] for i in session.get_inputs() if i.name != "features"}
    inputs = {name: np.zeros((1, 1, n), np.float32) for name, n in states.items()}
    output = session.run(["output"], {"features": features[None].astype("f4"), **inputs})[0][0]
    n_sources, n_freqs = int(facts["n_sources"]), n_fft // 2 + 1
    assert len(json.loads(facts["source_names"])) == n_sources
    if facts["masks"].startswith("clip"):
        voice = np.clip(output, 0, 1).T
        return np.stack([voice, 1 - voice])
    masks = np.abs(output).reshape(len(output), n_sources, n_freqs).transpose(1, 2, 0)
    return masks / masks.sum(axis=0)


@pytest.mark.parametrize(
    "separator",
    [
        tiny_separator(max_iter=1),
        tiny_separator(max_iter=1, bidirectional=False, input_power=0.5),
        tiny_crn(max_iter=1),
        tiny_crn(max_iter=1, bidirectional=False, dual_path_sizes=((2, 3),)),
        tiny_drnn(max_iter=1, context_frames=1),
    ],
)
@pytest.mark.parametrize("n_sources", [2, 3])
def test_a_bare_session_gives_the_masks_of_predict(tmp_path, separator, n_sources):
    X, y = tiny_tracks(2)
    separator.fit(*analysed(X, y if n_sources == 2 else three_sources(y)))
    sksvs.export_onnx(separator, tmp_path / "network.onnx")
    song = seeded_noise(32 * 300, seed=1)
    (expected,) = separator.predict_mask(analysed([song]))
    actual = masks_of_session(tmp_path / "network.onnx", song)
    np.testing.assert_allclose(actual, expected, atol=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"]


def test_what_has_no_single_network_is_refused(tmp_path):
    voting = sksvs.pretrained("voice-mir1k")
    with pytest.raises(TypeError, match="got VotingSeparator. Export its named_.*'gru'"):
        sksvs.export_onnx(voting, tmp_path / "a.onnx")
    for name, member in voting[-1].named_estimators_.items():
        sksvs.export_onnx(member, tmp_path / f"{name}.onnx")
    with pytest.raises(TypeError, match="Only a separator with one network.*got MixtureBaseline"):
        sksvs.export_onnx(make_pipeline(MixtureBaseline()), tmp_path / "a.onnx")
    with pytest.raises(NotFittedError):
        sksvs.export_onnx(tiny_separator(), tmp_path / "a.onnx")
