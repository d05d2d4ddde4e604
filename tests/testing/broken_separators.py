"""For every law a separator that breaks it: `MeanMask` with one mutation, and what that gives."""

import random
from dataclasses import replace

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sksvs.audio import ArrayWaveform
from sksvs.audio.centred import Centred
from sksvs.metrics import SeparationScore
from sksvs.stft import Spectrogram
from sksvs.transforms import STFTTransformer
from tests.testing.mean_mask import MeanMask

BROKEN = {}  # by law: a separator, and the words of the error


def breaks(law, got):
    """Register a separator, with a pattern of what a check of the law says that it got."""

    def register(kind):
        BROKEN[law] = kind(), got
        return kind

    return register


def moved(estimates, share):
    """Return the estimates with a share of the voice moved to the last one: the sum stays."""
    part = np.float32(share) * estimates[0]
    return np.stack([estimates[0] - part, *estimates[1:-1], estimates[-1] + part])


def cut(X, y):
    """Return spectrograms and sources that are as long as the shorter of both."""
    lengths = [min(x.waveform.n_samples, sources.shape[1]) for x, sources in zip(X, y)]
    X = [replace(x, waveform=x.waveform.time_slice(0, n)) for x, n in zip(X, lengths)]
    return X, [sources[:, :n] for sources, n in zip(y, lengths)]


@breaks("check_the_constructor_stores_its_arguments", "power=.* is stored as '<object")
class Converts(MeanMask):
    def __init__(self, power=1, random_state=None):
        self.power = power if isinstance(power, int) else str(power)
        self.random_state = random_state


@breaks("check_get_params_returns_what_set_params_sets", "power was set to <obj.* is 1")
class ReturnsDefaults(MeanMask):
    def get_params(self, deep=True):
        return {**super().get_params(deep), "power": 1}


@breaks("check_a_clone_has_the_same_parameters", "a clone with shares_")
class FittedAtBirth(MeanMask):
    def __init__(self, power=1, random_state=None):
        super().__init__(power, random_state)
        self.shares_ = None


@breaks("check_it_refuses_to_predict_before_fit", "no error from predict")
class PredictsUnfitted(MeanMask):
    def predict(self, X):
        return super().predict(X) if hasattr(self, "shares_") else [x.waveform[:] for x in X]


@breaks("check_fit_returns_the_separator", "Got: None")
class ReturnsNothing(MeanMask):
    def fit(self, X, y=None):
        super().fit(X, y)


@breaks("check_fit_leaves_its_parameters_alone", "another value of separator__power")
class ChangesItsPower(MeanMask):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.power = 2
        return self


@breaks("check_fit_leaves_tracks_alone", "other mixtures or sources after fit")
class FitsInPlace(MeanMask):
    def fit(self, X, y=None):
        super().fit(X, y)
        y[0] *= 0.5
        return self


@breaks("check_global_seeds_stay", "another state after predict")
class DrawsGlobally(MeanMask):
    def predict(self, X):
        random.random()
        return super().predict(X)


@breaks("check_the_same_seed_gives_the_same_estimates", "estimates of a second fit.* a difference")
class HasNoSeed(MeanMask):
    def _generator(self):
        return np.random.default_rng()


@breaks("check_a_second_fit_forgets_the_first", "fits on two sets of songs.* a difference")
class GoesOn(MeanMask):
    def _start(self):
        return getattr(self, "loudness_", 0.0)


@breaks("check_fit_takes_stereo_songs", "ValueError: not enough values to unpack")
class FitsMonoAlone(MeanMask):
    def fit(self, X, y=None):
        for x in X:
            (_, n_frames), n_channels = x.shape[-2:], x.shape[:-2]
            assert n_frames
            if n_channels:
                _, _ = n_channels
        return super().fit(X, y)


@breaks("check_cross_validation_gives_finite_scores", "ValueError: 1 tracks, but 2 in fit")
class ExpectsTheTracksOfFit(MeanMask):
    def fit(self, X, y=None):
        self.n_tracks_ = len(X)
        return super().fit(X, y)

    def score(self, X, y):
        if len(X) != self.n_tracks_:
            raise ValueError(f"{len(X)} tracks, but {self.n_tracks_} in fit")
        return super().score(X, y)


@breaks("check_a_grid_search_refits_to_the_same_estimates", "estimates of the search.* a differ")
class ClonesToAnother(MeanMask):
    def __sklearn_clone__(self):
        return type(self)(self.power + 1, self.random_state)


@breaks("check_estimates_have_the_shape_of_the_sources", r"\(4000, 2\) in place of \(2, 4000\)")
class PutsSourcesLast(MeanMask):
    def predict(self, X):
        return [estimates.T for estimates in super().predict(X)]


@breaks("check_estimates_add_up_to_the_mixture", "sum of estimates: a difference")
class LosesSome(MeanMask):
    def predict(self, X):
        return [0.9 * estimates for estimates in super().predict(X)]


@breaks("check_estimates_are_as_long_as_the_mixture", "0 samples for a mixture of 2")
class LeavesOutTheLastFrame(MeanMask):
    def predict(self, X):
        estimates = super().predict(X)
        return [each[:, : each.shape[1] // 128 * 128] for each in estimates]


@breaks("check_one_sample_is_separated", r"estimates \[nan nan\]")
class DividesByOneLess(MeanMask):
    def _level(self, spectrogram):
        return np.std(spectrogram.waveform.to_mono()[:], ddof=1)


@breaks("check_silence_stays_silent", "estimates that are NaN or inf")
class DividesByZero(MeanMask):
    def _level(self, spectrogram):
        return np.std(spectrogram.waveform.to_mono()[:])


@breaks("check_a_gain_of_the_mixture_is_a_gain_of_the_estimates", "at a gain of 0.0001: a differ")
class HasNoLevel(MeanMask):
    def _level(self, spectrogram):
        return 1.0


@breaks("check_a_constant_is_no_voice", "voice with a constant: a difference of up to 0.2")
class HasAConstantVoice(MeanMask):
    _have_constant = slice(0, 1)


@breaks("check_float32_and_float64_give_the_same", "estimates of float64.* a difference")
class DependsOnTheDtype(MeanMask):
    def predict(self, X):
        shares = [0.5 * (x.waveform[:1].dtype == np.float64) for x in X]
        return [moved(e, share) for e, share in zip(super().predict(X), shares)]


@breaks("check_stereo_songs_keep_their_channels", r"\(2, 4000\) in place of \(2, 4000, 2\)")
class DownmixesFirst(MeanMask):
    def predict(self, X):
        return super().predict([x.to_mono() for x in X])


@breaks("check_swapped_channels_have_swapped_estimates", "of swapped channels: a difference")
class AnalysesTheFirstChannel(MeanMask):
    def _frames(self, spectrogram, start, stop):
        frames = spectrogram.frames(start, stop)
        return frames if frames.ndim == 2 else frames[0]


@breaks("check_two_equal_channels_have_the_estimates_of_one", "of two equal channels: a differ")
class AnalysesTheSum(MeanMask):
    def _frames(self, spectrogram, start, stop):
        frames = spectrogram.frames(start, stop)
        return frames if frames.ndim == 2 else frames.sum(axis=0)


@breaks("check_opposite_channels_are_separated_one_by_one", "of opposite channels: a difference")
class TrustsTheDownmix(MeanMask):
    def _separate_blocks(self, spectrogram):
        return self._synthesise(spectrogram, self._final_masks(spectrogram))


@breaks("check_masks_lie_between_zero_and_one", "Got: .* to 2")
class HasNoBounds(MeanMask):
    def predict_mask(self, X):
        return [np.stack([masks[0] - 1, masks[1] + 1]) for masks in super().predict_mask(X)]


@breaks("check_masks_sum_to_one", "sum of masks: a difference of up to 0.1")
class HasSmallMasks(MeanMask):
    def predict_mask(self, X):
        return [np.float32(0.9) * masks for masks in super().predict_mask(X)]


@breaks("check_the_order_of_tracks_does_not_count", "in reverse order, track 0: a difference")
class GrowsTired(MeanMask):
    def predict(self, X):
        return [moved(e, 0.1 * i) for i, e in enumerate(super().predict(X))]


@breaks("check_a_track_alone_has_the_same_estimates", "of track 0 alone: a difference")
class ComparesTracks(MeanMask):
    def predict(self, X):
        return [moved(e, 0.1 * len(X)) for e in super().predict(X)]


@breaks("check_a_second_prediction_gives_the_same", "of a second call, track 0: a difference")
class GoesOnLearning(MeanMask):
    def predict(self, X):
        self.shares_ = 0.9 * self.shares_
        return super().predict(X)


@breaks("check_predict_leaves_tracks_alone", "other samples after predict")
class SeparatesInPlace(MeanMask):
    def predict(self, X):
        X[0].waveform.samples[:] *= 0.5
        return super().predict(X)


@breaks("check_predict_ignores_targets", "estimates with targets, track 0: a difference")
class LooksAtTheTruth(MeanMask):
    def predict(self, X):
        shares = [0.5 * (x.target is not None) for x in X]
        return [moved(e, share) for e, share in zip(super().predict(X), shares)]


@breaks("check_a_lazy_waveform_gives_what_its_samples_give", "a lazy waveform, track 0: a differ")
class MeasuresTheFirstBlock(MeanMask):
    def _level(self, spectrogram):
        waveform = spectrogram.waveform.waveform
        is_lazy = not isinstance(waveform, ArrayWaveform)
        return np.std(waveform[:1000]) if is_lazy else spectrogram.waveform.level


@breaks("check_blocks_join_to_the_estimates", r"joined blocks: shape \(2, \d+\) in place of")
class DropsABlock(MeanMask):
    def iter_blocks(self, X):
        return list(super().iter_blocks(X))[1:]


@breaks("check_iter_predict_yields_the_estimates", "estimates of iter_predict, track 0: a differ")
class IteratesDifferently(MeanMask):
    def predict(self, X):
        return [moved(e, 0.5) for e in super().predict(X)]


@breaks("check_a_pickled_separator_predicts_the_same", "Error: Can't pickle|Can't get local object")
class HoldsALambda(MeanMask):
    def fit(self, X, y=None):
        self.rule_ = lambda masks: masks
        return super().fit(X, y)


@breaks("check_a_deep_copy_predicts_the_same", "estimates of a deep copy, track 0: a difference")
class CopiesBadly(MeanMask):
    def __deepcopy__(self, memo):
        copied = type(self)(self.power, self.random_state)
        vars(copied).update(vars(self), shares_=0.5 * self.shares_)
        return copied


@breaks("check_other_processes_predict_the_same", "estimates elsewhere, track 0: a difference")
class RemembersInAGlobal(MeanMask):
    fitted_here = []

    def fit(self, X, y=None):
        self.fitted_here.append("fitted")
        return super().fit(X, y)

    def predict(self, X):
        return [moved(e, 0.0 if self.fitted_here else 0.5) for e in super().predict(X)]


@breaks("check_the_score_is_a_float_with_sdr_sir_and_sar", "sdr = None")
class ScoresWithANumber(MeanMask):
    def score(self, X, y):
        return float(super().score(X, y))


@breaks("check_the_score_is_that_of_the_estimates", "dB in place of")
class ScoresAnotherSource(MeanMask):
    def _estimate(self, spectrogram, sources):
        return super()._estimate(spectrogram, sources)[::-1]


@breaks("check_a_silent_reference_is_left_out_of_the_score", "dB in place of")
class CountsSilenceAsZero(MeanMask):
    def score(self, X, y):
        tracks = super().score(X, y).tracks
        return np.mean([0.0 if t.left_out["sdr"][0] else t.sources["sdr"][0] for t in tracks])


@breaks("check_a_silent_estimate_makes_the_score_nan", "Got: a score of .* dB")
class LeavesOutWhatFails(MeanMask):
    def score(self, X, y):
        tracks = super().score(X, y).tracks
        return SeparationScore([t for t in tracks if t.problem is None])


@breaks("check_fit_without_sources_says_what_is_missing", "Got: no error")
class FitsWithoutSources(MeanMask):
    def fit(self, X, y=None):
        return super().fit(X, [np.stack([x.waveform[:]] * 2) for x in X] if y is None else y)


@breaks("check_fit_refuses_another_number_of_sources_than_mixtures", "Got: no error")
class FitsTheShorterList(MeanMask):
    def fit(self, X, y=None):
        return super().fit(X[: len(y)], y)


@breaks("check_fit_names_the_track_whose_sources_have_another_length", "Got: no error")
class CutsInFit(MeanMask):
    def fit(self, X, y=None):
        return super().fit(*cut(X, y))


@breaks("check_score_names_the_track_whose_sources_have_another_length", "Got: no error")
class CutsInScore(MeanMask):
    def score(self, X, y):
        return super().score(*cut(X, y))


@breaks("check_predict_names_the_track_with_a_sample_that_is_nan", "Got: no error")
class RepairsSamples(MeanMask):
    def predict(self, X):
        samples = [np.nan_to_num(x.waveform.samples, posinf=0) for x in X]
        return super().predict([replace(x, waveform=ArrayWaveform(s)) for x, s in zip(X, samples)])


@breaks("check_fit_names_the_track_with_a_sample_that_is_nan", "estimates, no error.* a difference")
class RepairsSources(MeanMask):
    def fit(self, X, y=None):
        return super().fit(X, [np.where(np.isnan(sources).any(), 0, sources) for sources in y])


@breaks("check_integer_samples_are_refused", "Got: no error")
def takes_integers():
    to_float = FunctionTransformer(lambda X: [x.astype(np.float32) for x in X])
    stft = STFTTransformer(n_fft=256, hop_length=128)
    return Pipeline([("float", to_float), ("stft", stft), ("separator", MeanMask())])


@breaks("check_another_sample_rate_is_refused_by_name", "Got: no error")
class TakesAnyRate(MeanMask):
    def _check_predict(self, X):
        return [Spectrogram(Centred(x.waveform), self.stft_params_) for x in X]
