"""Take the voice out of a song: `make demo` and `make demo DATA=<folder>` run this script.

It fits the pipeline of the course report (Tampere, SGN-24007) and the default of the library on a
few songs, separates a song that is not among them, and compares the scores with two bounds: those
of the unprocessed mixture and those of the ideal mask, which is computed from the true sources.
The voice and the accompaniment are written as WAV files, to listen to, and a picture is drawn.

Without ``--data`` the songs are synthesised. To keep it short, at most 30 seconds of at most 40
songs are used. The song that is separated is by no singer or artist of the training data.
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from sksvs.audio import ArrayWaveform, to_mono, write
from sksvs.datasets import detect_corpus, load_corpus, make_singing_mixtures, resample_tracks
from sksvs.estimators import GRUMaskSeparator, IdealMaskOracle, MixtureBaseline, report_network
from sksvs.stft import Spectrogram, STFTParams
from sksvs.transforms import IRMTarget, MonoDownmix, STFTTransformer

REPORT = "report's network (a)"


def load_songs(root):
    """Return songs to train on, and songs of other singers or artists to separate."""
    corpus, songs = detect_corpus(root), load_corpus(root, "train")
    if corpus == "mir1k":
        clips = load_corpus(root, "dev")
        return of_groups(songs, {"abjones"}), of_groups(clips, {"amy"})
    if corpus in ("dsd100", "musdb18hq"):
        return songs, load_corpus(root, "test")
    # iKala and folders of stems have no subsets.
    groups = set(songs.groups)
    if len(groups) < 2:
        raise ValueError(
            f"{root} must hold songs of two artists, one to train on and one to separate; got "
            f"{sorted(groups)}. Call the folders of songs 'Artist - Title'."
        )
    held_out = {songs.groups[0]}
    return of_groups(songs, groups - held_out), of_groups(songs, held_out)


def of_groups(songs, groups):
    """Return the songs of some singers or artists."""
    chosen = [i for i, group in enumerate(songs.groups) if group in groups]
    return Bunch(**{key: [songs[key][i] for i in chosen] for key in ("X", "y", "names")})


def shorten(songs, n_songs, seconds, sample_rate):
    """Return ``(X, y)``: the middle `seconds` of the first `n_songs` songs."""
    cut_X, cut_y = [], []
    for mixture, sources in zip(
        *resample_tracks(songs.X[:n_songs], songs.y[:n_songs], sample_rate)
    ):
        n_samples = min(len(mixture), round(seconds * sample_rate))
        start = (len(mixture) - n_samples) // 2
        cut_X.append(mixture.time_slice(start, start + n_samples))
        cut_y.append(sources.time_slice(start, start + n_samples))
    return cut_X, cut_y


def parse_arguments(argv=None):
    """Return the arguments of the command line, and the songs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", default="", help="folder of MIR-1K, iKala, DSD100, MUSDB18-HQ or songs with stems"
    )
    parser.add_argument("--out", default="", help="folder for the WAV files and the picture")
    parser.add_argument("--songs", type=int, default=40, help="how many training songs at most")
    parser.add_argument("--seconds", type=float, default=30.0, help="how much of each at most")
    parser.add_argument("--epochs", type=int, default=30, help="epochs of the default network")
    arguments = parser.parse_args(argv)
    if not arguments.data:
        sample_rate, duration = 16000, min(8.0, arguments.seconds)
        n_songs = arguments.songs + 1
        X, y = make_singing_mixtures(n_songs, duration, sample_rate, random_state=0)
        return arguments, (X[1:], y[1:]), (X[:1], y[:1]), "a synthesised song", sample_rate
    try:
        train, test = load_songs(arguments.data)
    except ValueError as error:
        parser.error(str(error))
    sample_rate, title = train.X[0].sample_rate, test.names[0]
    train = shorten(train, arguments.songs, arguments.seconds, sample_rate)
    return arguments, train, shorten(test, 1, arguments.seconds, sample_rate), title, sample_rate


def fit_and_score(train, test, epochs):
    """Print a row for each separator, and return the separators by their names."""
    pipeline = Pipeline(
        [
            ("mono", MonoDownmix()),
            ("stft", STFTTransformer(n_fft=1024, hop_length=512, window="hamming")),
            ("irm", "passthrough"),
            ("gru", MixtureBaseline()),
        ]
    )
    default = f"GRUMaskSeparator, {epochs} epochs"
    rows = {
        "unprocessed mixture (lower bound)": {"gru": MixtureBaseline()},
        REPORT: {"irm": IRMTarget(p=0.7), "gru": report_network("a", random_state=0)},
        default: {"gru": GRUMaskSeparator(max_iter=epochs, random_state=0)},
        "ideal ratio mask (upper bound)": {"gru": IdealMaskOracle()},
    }
    print(f"{'the voice, dB (BSS Eval version 3)':<36}{'SDR':>8}{'SIR':>8}{'SAR':>8}{'fit, s':>8}")
    separators = {}
    for name, steps in rows.items():
        separator = clone(pipeline).set_params(**steps)
        started = time.monotonic()
        separator.fit(*train)
        seconds = time.monotonic() - started
        score = separator.score(*test)
        scores = "".join(f"{value:>8.2f}" for value in (score.sdr, score.sir, score.sar))
        print(f"{name:<36}{scores}{seconds:>8.1f}", flush=True)
        separators[name] = separator
    return separators[REPORT], separators[default]


def draw(panels, sample_rate):
    """Return a figure with the spectrogram of each signal on one scale of colours."""
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
    return figure


def main(argv=None):
    """Fit, score, and write files if a folder for them is given."""
    arguments, train, test, title, sample_rate = parse_arguments(argv)
    minutes = sum(len(x) for x in train[0]) / sample_rate / 60
    print(f"Training on {len(train[0])} songs ({minutes:.1f} minutes), separating {title}.")
    report, default = fit_and_score(train, test, arguments.epochs)
    if not arguments.out:
        return
    mixture = np.asarray(MonoDownmix().transform(test[0])[0])
    voice, accompaniment = default.predict(test[0])[0]
    truth = np.asarray(to_mono(test[1][0][0]))
    panels = {
        "mixture": mixture,
        "the true voice": truth,
        "the voice by the report's network (a)": report.predict(test[0])[0][0],
        "the voice by GRUMaskSeparator": voice,
        "the accompaniment by GRUMaskSeparator": accompaniment,
    }
    # All files have the same gain, so that mixture = vocals + accompaniment still holds.
    files = {"vocals": voice, "accompaniment": accompaniment, "mixture": mixture}
    files["true_vocals"] = truth
    gain = 0.9 / max(np.abs(samples).max() for samples in files.values())
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    for name, samples in files.items():
        write(out / f"{name}.wav", gain * samples, sample_rate)
    draw(panels, sample_rate).savefig(out / "spectrograms.png", dpi=80)
    print(f"Wrote {', '.join(f'{name}.wav' for name in files)} and spectrograms.png to {out}/.")


if __name__ == "__main__":
    main()
