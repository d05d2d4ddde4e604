import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sksvs.stft import STFTParams
from sksvs.stft.spectrogram import Synthesis, analyse
from tests.strategies import seeded_noise, stft_settings


@given(
    settings=stft_settings(),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    leading=st.sampled_from([(), (2,), (3, 2)]),
)
def test_synthesis_in_blocks_restores_what_was_analysed(settings, lengths, leading):
    params, n_frames = STFTParams(*settings), sum(lengths)
    n_samples = params.first_sample(n_frames)  # what n frames finish
    before = -params.first_sample(0)
    if n_samples <= 0:
        return
    samples = seeded_noise((*leading, n_samples), seed=n_frames).astype(np.float32)
    padding = [(0, 0)] * len(leading) + [(before, params.n_fft)]
    frames = analyse(np.pad(samples, padding), params)
    synthesis, restored, first = Synthesis(params), [], 0
    for length in lengths:
        end = first + length
        n_finished = max(0, params.first_sample(end)) - max(0, params.first_sample(first))
        restored.append(synthesis.push(frames[..., first:end], n_finished))
        first = end
    np.testing.assert_allclose(np.concatenate(restored, axis=-1), samples, atol=1e-5 * 4)
