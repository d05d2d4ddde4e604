"""Define the networks that mir1k.py compares: the paper's, and the steps to the packaged one."""

import hashlib
import json
from typing import NamedTuple

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from synthesised_voices import with_second_voices, with_synthesised_voices

from sksvs.augmentation import Augmentation
from sksvs.estimators import CRNSeparator, GRUMaskSeparator, VotingSeparator, huang2014_network
from sksvs.model_files.steps import (  # private: names fits so that moving code keeps the names
    describe_step,
)
from sksvs.parameters import (  # private: tells parameters of the fit from those of prediction
    parameters_that_shape,
)
from sksvs.transforms import STFTTransformer

BUDGET = 2.5  # hours of training audio of every row
SHIPPED_HOURS = (120.0, 36.0)  # of the two packaged networks: about an hour of time, side by side


class Row(NamedTuple):
    """A separator and its hours of training audio.

    For a VotingSeparator, `hours` has a value for each network. A row with `fitted_as` uses the fit
    of the row of that name with other parameters of prediction. `synthesised_voices` is the number
    of synthesised singers for each clip; if it is not 0, they are half of the training audio. With
    `second_voices`, half of the tracks have a second voice.
    """

    stft: STFTTransformer
    network: object
    hours: float | tuple = BUDGET
    fitted_as: str | None = None
    synthesised_voices: int = 0
    second_voices: bool = False

    def tracks(self, X, y):
        """Return the training data made from these clips: (X, y)."""
        if self.synthesised_voices:
            X, y = with_synthesised_voices(X, y, self.synthesised_voices)
        return with_second_voices(X, y) if self.second_voices else (X, y)

    def pipeline(self, X, checkpoint_dir):
        """Return the pipeline to fit on tracks, with the number of epochs from `hours`."""
        hours_of_epoch = sum(clip.n_samples / clip.sample_rate for clip in X) / 3600
        network = clone(self.network)
        is_voting = isinstance(network, VotingSeparator)
        networks = [member for _, member in network.estimators] if is_voting else [network]
        for member, hours in zip(networks, self.hours if is_voting else [self.hours], strict=True):
            epochs = max(1, round(hours / hours_of_epoch))
            member.set_params(max_iter=epochs, checkpoint_dir=checkpoint_dir)
        return Pipeline([("stft", self.stft), ("network", network)])

    @property
    def prediction(self):
        """The parameters of the network that only affect predictions, by name."""
        return parameters_that_shape(self.network, "prediction")

    def fingerprint(self):
        """Return the hash of all that determines the fit: 32 hexadecimal digits."""
        steps = {"stft": self.stft, "network": self.network}
        described = [describe_step(*step, fitted=False) for step in steps.items()]
        for name in self.prediction:
            del described[-1]["parameters"][name]
        data = [self.hours, self.synthesised_voices, *([True] if self.second_voices else [])]
        text = json.dumps([described, *data])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


PAPERS_STFT = STFTTransformer(n_fft=1024, hop_length=512, window="cosine", sample_rate=16000)
OF_TRAINING = {  # the same for all rows
    "batch_size": 24,
    "segment_frames": 128,
    "learning_rate": "cosine",
    "cache_size": 500,
    "random_state": 0,
}


def of_the_paper(name, discriminative):
    """Return a row with a network of the paper, trained with its circular shifts.

    The sRNN, three recurrent layers of ReLUs, diverges at the learning rate of the others.
    """
    network = huang2014_network(name, discriminative=discriminative)
    if name == "sRNN":
        network.set_params(learning_rate_init=1e-4)
    return Row(PAPERS_STFT, network.set_params(augmentation=Augmentation(shift=1.0), **OF_TRAINING))


def network_of_ours(**parameters):
    """Return a GRUMaskSeparator with the common training parameters, except for those given."""
    return GRUMaskSeparator(clip_norm=5.0, **{**OF_TRAINING, **parameters})


REMIXES = Augmentation(gain_db=5.0, remix=0.5, shift=0.5, speed=(0.35, 0.0))
MORE_SPEEDS = Augmentation(gain_db=5.0, remix=0.5, shift=0.5, speed=(0.35, 0.1))
TRANSPOSITIONS = (0.92, 1.0, 1.09)
DUAL_PATHS = {"hidden_layer_sizes": (), "dual_path_sizes": ((24, 48), (24, 48))}


STEPS = {  # each keeps the parameters of those before it
    "GRU 2 x 128": {
        "loss": "magnitude_absolute_error",
        "augmentation": Augmentation(shift=1.0),
    },
    "+ loss: error ratio": {"loss": "segment_error_ratio"},
    "+ batches of 8": {"batch_size": 8},
    "+ speeds of the voice": {"augmentation": Augmentation(shift=1.0, speed=(0.35, 0.0))},
    "+ 3 layers, remixes, rate x 2": {
        "hidden_layer_sizes": (128, 128, 128),
        "augmentation": REMIXES,
        "learning_rate_init": 0.002,
    },
}


def _steps():
    parameters = {}
    for name, step in STEPS.items():
        parameters |= step
        yield name, Row(PAPERS_STFT, network_of_ours(**parameters))


def convolutional(**parameters):
    """Return a CRNSeparator with the common training parameters, except for those given."""
    return CRNSeparator(**{**OF_TRAINING, "batch_size": 8, "augmentation": REMIXES, **parameters})


def transposed(transpositions, fitted_as=None, second_voices=False, **parameters):
    """Return a row of one convolutional network with test-time pitch shifts."""
    network = convolutional(**{"augmentation": MORE_SPEEDS, **parameters})
    voting = VotingSeparator([("crn", network)], transpositions)
    return Row(PAPERS_STFT, voting, (BUDGET,), fitted_as, 1, second_voices)


def as_shipped(hours, others_weight, n_voices, fitted_as=None):
    """Return a row of the packaged separator: the mean of two networks of different kinds.

    The GRU network is trained with voices and accompaniments at changed speeds, the convolutional
    one with voices at changed speeds only. Mixed precision is slow on processors without bfloat16.
    """
    gru = network_of_ours(
        hidden_layer_sizes=(192, 192, 192),
        dropout=0.4,
        loss="segment_error_ratio",
        learning_rate_init=0.002,
        augmentation=MORE_SPEEDS,
        batch_size=8,
        mixed_precision=True,
        random_state=1,
    )
    crn = convolutional(mixed_precision=True, **DUAL_PATHS)
    voting = VotingSeparator(
        [("gru", gru), ("crn", crn)], TRANSPOSITIONS, others_weight=others_weight, n_jobs=2
    )
    return Row(PAPERS_STFT, voting, hours, fitted_as, n_voices)


BANDS = {
    "filter_bank": (96, 48),
    **DUAL_PATHS,
}  # the lowest 96 bins, up to 1.5 kHz, stay as they are
ADDED_TO_BANDS = {
    "": {},
    " + average": {"ema_momentum": 0.98},
    " + limiter": {"augmentation": clone(MORE_SPEEDS).set_params(limit=0.5)},
    " + dropped sources": {"augmentation": clone(MORE_SPEEDS).set_params(drop=0.05)},
    " + two voices": {"second_voices": True},
    " + error floor": {"error_floor": 0.015},
}


def with_filter_bank():
    """Yield rows with a filter bank, two seeds each: the others add one thing to the first."""
    for name, added in ADDED_TO_BANDS.items():
        for seed in (0, 1):
            parameters = {**BANDS, "random_state": seed, **added}
            yield f"bands{name}, seed {seed}", transposed(TRANSPOSITIONS, **parameters)


BY_DEFAULT = GRUMaskSeparator(cache_size=500, random_state=0)  # as fast, and the same again
OTHERS_WEIGHT = 2.5  # in the package
STRONGEST = "the shipped network"
ROWS = {
    **{
        name + (" + discriminative" if gamma else ""): of_the_paper(name, gamma)
        for gamma in (0.0, 0.05)
        for name in ("DNN", "DRNN-1", "DRNN-2", "DRNN-3", "sRNN")
    },
    **dict(_steps()),
    "GRUMaskSeparator() by default": Row(PAPERS_STFT, BY_DEFAULT),
    "convolutions around a GRU": Row(PAPERS_STFT, convolutional()),
    "+ synthesised voices": Row(PAPERS_STFT, convolutional(), synthesised_voices=1),
    "+ speeds of the accompaniment": transposed((1.0,)),
    "+ transpositions": transposed(TRANSPOSITIONS, fitted_as="+ speeds of the accompaniment"),
    "+ dual paths": transposed(TRANSPOSITIONS, **DUAL_PATHS),
    "+ dense bottlenecks": transposed(TRANSPOSITIONS, bottleneck_factor=8, **DUAL_PATHS),
    **dict(with_filter_bank()),
    "as shipped, 2 x 1.25 h": as_shipped((BUDGET / 2, BUDGET / 2), 1.0, n_voices=1),
    "+ others' weight 2.5": as_shipped(
        (BUDGET / 2, BUDGET / 2), OTHERS_WEIGHT, n_voices=1, fitted_as="as shipped, 2 x 1.25 h"
    ),
    STRONGEST: as_shipped(SHIPPED_HOURS, OTHERS_WEIGHT, n_voices=4),
}
