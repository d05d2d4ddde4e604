"""The packaged model separates songs of any kind, and its card describes it."""

import copy
import datetime
import re
import subprocess
import sys

import numpy as np
import pytest
from safetensors import safe_open

import sksvs
from sksvs.audio import ArrayWaveform, AudioFile, write
from sksvs.datasets import load_dsd100, load_mir1k, make_singing_mixtures
from sksvs.metrics import evaluate, si_sdr
from sksvs.model_files.packaged import RESEARCH_ONLY, pretrained_path
from sksvs.transforms import IRMTarget
from tests.strategies import seeded_noise

SPDX = re.compile(r"[\w.+-]+( (AND|OR|WITH) [\w.+-]+)*", re.ASCII)  # no parentheses are needed


@pytest.fixture(scope="module")
def voice():
    return sksvs.pretrained(sample_rate=16000)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_the_estimates_are_on_the_songs_own_grid(voice, sample_rate, shape, tmp_path):
    path = tmp_path / "song.wav"
    write(path, seeded_noise((sample_rate // 2 + 1, *shape), seed=1, scale=0.1), sample_rate)
    song = AudioFile(path)
    estimates = voice.predict([song])[0]
    assert estimates.shape == (2, *song.shape)
    np.testing.assert_allclose(estimates.sum(axis=0), song[:], atol=1e-6)


def test_bare_arrays_are_at_the_networks_rate_unless_told_otherwise(voice, tmp_path):
    samples = seeded_noise(22050, seed=2, scale=0.1).astype(np.float32)
    write(tmp_path / "song.wav", samples, 16000, subtype="FLOAT")
    file = AudioFile(tmp_path / "song.wav")
    np.testing.assert_array_equal(voice.predict([samples])[0], voice.predict([file])[0])
    with pytest.warns(UserWarning, match=r"X\[0\] has .* at 44100 Hz.*pretrained\(.*rate="):
        (assumed,) = sksvs.pretrained().predict([samples])
    told = sksvs.pretrained(sample_rate=44100)
    np.testing.assert_array_equal(assumed, told.predict([samples])[0])
    assert np.abs(assumed - voice.predict([file])[0]).max() > 1e-3


def test_a_balance_is_a_multiple_of_the_models_own_weight(voice):
    cleaner = sksvs.pretrained(balance="cleaner")
    assert cleaner[-1].others_weight == 2.5 * voice[-1].others_weight
    with pytest.raises(ValueError, match="balance must be one of 'cleaner', 'balanced', 'fuller'"):
        sksvs.pretrained(balance="clean")


def test_a_step_that_chooses_a_mask_is_loaded_from_older_files():
    assert isinstance(sksvs.pretrained("voice-mir1k").named_steps["irm"], IRMTarget)


def test_all_files_together_are_small():
    paths = map(pretrained_path, sksvs.pretrained_names())
    assert sum(path.stat().st_size for path in paths) <= 12_000_000


@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_weights_have_16_bits(name):
    with safe_open(pretrained_path(name), framework="numpy") as file:
        weights = [name for name in sorted(file.keys()) if "weights_/" in name]
        kinds = {file.get_slice(name).get_dtype() for name in weights}
    assert kinds == {"F16"}


@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_the_card_has_what_a_user_must_know(name):
    pipeline, card = sksvs.pretrained(name, return_card=True)
    assert card["licence"] == RESEARCH_ONLY or SPDX.fullmatch(card["licence"])
    assert card["sources"]
    for source in card["sources"]:
        assert set(source) == {"name", "terms", "hours"}
        assert source["name"] and source["terms"] and source["hours"] > 0
    assert card["parameters"] == pipeline[-1].count_params()
    assert card["macs_per_second"] == round(pipeline[-1].count_macs())
    assert card["scores"] and card["training"] and card["limits"]
    datetime.date.fromisoformat(card["date"])


def test_a_model_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(ValueError, match="no pretrained model 'drums'. There are: voice"):
        sksvs.pretrained("drums")


def test_separating_needs_no_tensorflow():
    code = (
        "import sys, numpy as np, sksvs\n"
        "sksvs.pretrained('voice', sample_rate=16000).predict([np.ones(4000, 'f4')])\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sksvs.pretrained_names())
def test_synthesised_songs_are_separated_and_random_weights_do_not_separate_them(name):
    """Guard the weights where there are no recordings."""
    voice = sksvs.pretrained(name)
    X, y = make_singing_mixtures(3, 5.0, 16000, random_state=0)
    X = [ArrayWaveform(x, 16000) for x in X]
    assert evaluate(voice, X, y, protocol="huang2014").scores["estimate"].nsdr > 10
    untrained, rng = copy.deepcopy(voice), np.random.default_rng(0)
    for member in getattr(untrained[-1], "estimators_", [untrained[-1]]):
        for weights in member.weights_.values():
            weights[:] = rng.permutation(weights.ravel()).reshape(weights.shape)
    assert evaluate(untrained, X, y, protocol="huang2014").scores["estimate"].nsdr < 5


def test_real_clips_of_the_singers_that_it_was_trained_on_are_separated(mir1k_root):
    voice = sksvs.pretrained("voice-mir1k")
    X, y = load_mir1k(mir1k_root, "dev", return_X_y=True)
    rows = evaluate(voice, X, y, protocol="huang2014").rows
    of_the_papers_authors = 9.82  # the outputs that they released for these clips
    assert np.mean([row["nsdr_vocals"] for row in rows]) > of_the_papers_authors


def test_a_constant_changes_nothing_about_the_voice_of_a_real_clip(voice, mir1k_root):
    (clip, *_), (sources, *_) = load_mir1k(mir1k_root, "dev", return_X_y=True)
    samples = clip[:]
    constant = np.float32(0.5 * np.sqrt(np.mean(samples**2)))
    scores = []
    for added in (0, constant):
        (estimates,) = voice.predict([ArrayWaveform(samples + added, clip.sample_rate)])
        scores.append(si_sdr(np.asarray(sources), estimates - [[0], [added]])[0])
    assert scores[0] > 5
    assert scores[1] == pytest.approx(scores[0], abs=0.01)


def test_real_songs_at_44_khz_are_separated(voice, dsd100_root):
    X, y = load_dsd100(dsd100_root, "test", return_X_y=True)
    scores = evaluate(voice, X, y, mixture=True).scores
    assert scores["estimate"].sdr > scores["mixture"].sdr + 6
