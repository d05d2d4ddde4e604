"""
Separate a song
===============

Fit the pipeline of the course report (Tampere, SGN-24007) and the default of the library on a few
songs, separate a song that is not among them, and compare the scores with two bounds: those of the
unprocessed mixture and those of the ideal mask, which is computed from the true sources. The voice
and the accompaniment are written as WAV files, to listen to.

Without arguments the songs are synthesised. ``--data`` takes a folder of MIR-1K, DSD100 or
MUSDB18-HQ instead; ``make demo`` and ``make demo DATA=...`` run this script.
"""

# %%
# Songs
# -----
# `X` is a list of mixtures, `y` the list of their sources, the voice first. A real corpus is lazy:
# its samples are read when they are needed. To keep the example short, it uses at most 30 seconds
# of at most 40 songs. Of MIR-1K it trains on one singer and separates the other.
import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from sksvs.audio import ArrayWaveform, to_mono, write
from sksvs.datasets import detect_corpus, load_corpus, make_singing_mixtures
from sksvs.estimators import GRUMaskSeparator, IdealMaskOracle, MixtureBaseline, report_network
from sksvs.stft import Spectrogram, STFTParams
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer

parser = argparse.ArgumentParser(description="Take the voice out of a song.")
parser.add_argument("--data", default="", help="folder of MIR-1K, DSD100 or MUSDB18-HQ")
parser.add_argument("--out", default="", help="folder for the WAV files and the picture")
parser.add_argument("--songs", type=int, default=40, help="how many training songs at most")
parser.add_argument("--seconds", type=float, default=30.0, help="how much of each at most")
parser.add_argument("--epochs", type=int, default=30, help="epochs of the default network")
arguments = parser.parse_args()


def load_songs(root):
    """Return ``(train, test, title, sample_rate)``; train and test are ``(X, y)``."""
    try:
        corpus = detect_corpus(root)
    except ValueError as error:
        parser.error(str(error))
    train = load_corpus(root, "train")
    test = load_corpus(root, "dev" if corpus == "mir1k" else "test")
    if corpus == "mir1k":
        train, test = of_singer(train, "abjones"), of_singer(test, "amy")
    rate, title = train.X[0].sample_rate, test.names[0]
    return (train.X, train.y), (test.X, test.y), title, rate


def of_singer(clips, singer):
    """Return the clips of one singer."""
    chosen = [i for i, group in enumerate(clips.groups) if group == singer]
    return Bunch(**{key: [clips[key][i] for i in chosen] for key in ("X", "y", "names")})


def shorten(X, y, n_songs, seconds, sample_rate):
    """View the middle `seconds` of the first `n_songs` songs."""
    cut_X, cut_y = [], []
    for mixture, sources in zip(X[:n_songs], y[:n_songs]):
        n_samples = min(len(mixture), round(seconds * sample_rate))
        start = (len(mixture) - n_samples) // 2
        cut_X.append(mixture.time_slice(start, start + n_samples))
        cut_y.append(sources.time_slice(start, start + n_samples))
    return cut_X, cut_y


if arguments.data:
    train, test, title, sample_rate = load_songs(arguments.data)
    train = shorten(*train, arguments.songs, arguments.seconds, sample_rate)
    test = shorten(*test, 1, arguments.seconds, sample_rate)
else:
    sample_rate, title = 16000, "a synthesised song"
    duration = min(8.0, arguments.seconds)
    X, y = make_singing_mixtures(arguments.songs + 1, duration, sample_rate, random_state=0)
    train, test = (X[1:], y[1:]), (X[:1], y[:1])

minutes = sum(len(x) for x in train[0]) / sample_rate / 60
print(f"Training on {len(train[0])} songs ({minutes:.1f} minutes), separating {title}.")

# %%
# Pipelines
# ---------
# A stock scikit-learn Pipeline. Each row of the table has another last step; the baselines have the
# interface of the separators. `IRMTarget` chooses the ideal mask that the report's network
# is trained to predict. The loss of the default network compares spectra, so it needs no
# `IRMTarget`.
pipeline = Pipeline(
    [
        ("mono", MonoDownmix()),
        ("stft", STFTTransformer(n_fft=1024, hop_length=512, window="hamming")),
        ("irm", "passthrough"),
        ("gru", MixtureBaseline()),
    ]
)
default = GRUMaskSeparator(max_iter=arguments.epochs, random_state=0)
rows = {
    "unprocessed mixture (lower bound)": {"gru": MixtureBaseline()},
    "report's network (a)": {
        "irm": IRMTarget(p=0.7),
        "gru": report_network("a", random_state=0),
    },
    f"GRUMaskSeparator, {arguments.epochs} epochs": {"gru": default},
    "ideal ratio mask (upper bound)": {"gru": IdealMaskOracle()},
}

# %%
# Fit, and score the unseen song
# ------------------------------
# SDR compares the voice with all errors of the estimate, SIR with the accompaniment left in it, SAR
# with the artifacts of the mask. All are in dB; more is better.
print(f"{'the voice, dB (BSS Eval version 3)':<36}{'SDR':>8}{'SIR':>8}{'SAR':>8}{'fit, s':>8}")
separators = {}
for name, steps in rows.items():
    separator = clone(pipeline).set_params(**steps)
    started = time.monotonic()
    separator.fit(*train)
    seconds = time.monotonic() - started
    score = separator.score(*test)
    print(
        f"{name:<36}{score.sdr:>8.2f}{score.sir:>8.2f}{score.sar:>8.2f}{seconds:>8.1f}", flush=True
    )
    separators[name] = separator

# %%
# Look
# ----
# Each row of the picture shows one signal: the mixture, the true voice, the estimates.
(mixture,) = MonoDownmix().transform(test[0])
best = separators[f"GRUMaskSeparator, {arguments.epochs} epochs"]
voice, accompaniment = best.predict(test[0])[0]
(report_voice, _) = separators["report's network (a)"].predict(test[0])[0]
truth = to_mono(test[1][0][0])

panels = {
    "mixture": mixture,
    "the true voice": truth,
    "the voice by the report's network (a)": report_voice,
    "the voice by GRUMaskSeparator": voice,
    "the accompaniment by GRUMaskSeparator": accompaniment,
}
figure, axes = plt.subplots(len(panels), 1, figsize=(9, 11), sharex=True, layout="constrained")
top = None
for axis, (name, samples) in zip(axes, panels.items()):
    spectrogram = Spectrogram(ArrayWaveform(np.asarray(samples)), STFTParams(1024, 256, "hann"))
    decibels = 20 * np.log10(np.abs(spectrogram.stft) + 1e-10)
    top = np.percentile(decibels, 99.9) if top is None else top
    extent = (0, len(samples) / sample_rate, 0, sample_rate / 2000)
    image = axis.imshow(
        decibels, origin="lower", aspect="auto", extent=extent, vmin=top - 70, vmax=top
    )
    axis.set(title=name, ylabel="kHz", ylim=(0, min(8, sample_rate / 2000)))
axes[-1].set_xlabel("seconds")
figure.colorbar(image, ax=axes, label="dB")

# %%
# Listen
# ------
# All files have the same gain, so that mixture = vocals + accompaniment still holds.
# true_vocals.wav is the true voice.
if arguments.out:
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "vocals": voice,
        "accompaniment": accompaniment,
        "mixture": np.asarray(mixture),
        "true_vocals": np.asarray(truth),
    }
    gain = 0.9 / max(np.abs(samples).max() for samples in files.values())
    for name, samples in files.items():
        write(out / f"{name}.wav", gain * samples, sample_rate)
    figure.savefig(out / "spectrograms.png", dpi=80)
    print(f"Wrote {', '.join(f'{name}.wav' for name in files)} and spectrograms.png to {out}/.")
