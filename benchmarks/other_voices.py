"""Score a network on voices and accompaniments that are not in its training data.

    python benchmarks/other_voices.py --root <MIR-1K> --dsd100 <DSD100, or an excerpt of it>

Mixes at 0 dB the voices of DSD100, in pieces of six seconds, with the accompaniments of the four
development clips of MIR-1K ("other voices"), and the voices of these clips with the accompaniments
of DSD100 ("accompaniments"). Prints the mean NSDR, SIR and SAR of the voice (BSS Eval version 3)
beside those of the clips themselves, for several values of `others_weight`.
"""

import argparse

import numpy as np
from songs import load_model

import sksvs
from sksvs.audio import resample
from sksvs.datasets import load_dsd100, load_mir1k
from sksvs.metrics import evaluate

SAMPLE_RATE = 16000
PIECE = 6 * SAMPLE_RATE
SOFTEST = 0.5  # least RMS of a scored piece of a voice, relative to the RMS of the whole voice


def main():
    """Mix, separate, score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True, help="folder of MIR-1K")
    parser.add_argument("--dsd100", required=True, help="folder of DSD100")
    parser.add_argument("--model", default="voice", help="a packaged name or a model file")
    parser.add_argument("--weights", type=float, nargs="+", default=[0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    arguments = parser.parse_args()

    separator = load_model(arguments.model)
    if arguments.model in sksvs.pretrained_names():
        separator.set_params(stft__array_rate=SAMPLE_RATE)
    clips = load_mir1k(arguments.root, "dev", return_X_y=True)
    voices, accompaniments = pieces(arguments.dsd100)
    sung, played = ([sources[j] for sources in clips[1]] for j in (0, 1))
    sets = {
        "MIR-1K dev": clips,
        f"{len(voices)} other voices": mixtures(voices, played),
        f"{len(accompaniments)} accompaniments": mixtures(accompaniments, sung, voice_first=False),
    }
    print(f"{'the voice, dB':<20}" + "".join(f"{name:^24}" for name in sets))
    print(f"{'others_weight':<20}" + "    NSDR    SIR    SAR  " * len(sets))
    for weight in arguments.weights:
        separator[-1].set_params(others_weight=weight)
        scores = "".join(f"{mean_scores(separator, *tracks)}  " for tracks in sets.values())
        print(f"{weight:<20g}{scores}", flush=True)


def pieces(root):
    """Return the pieces of voices, without the soft ones, and the pieces of accompaniments."""
    voices, accompaniments = [], []
    for subset in ("dev", "test"):
        for song in load_dsd100(root, subset).y:
            voice, accompaniment = (
                resample(source.to_mono()[:], source.sample_rate, SAMPLE_RATE) for source in song
            )
            starts = range(0, max(1, len(voice) - PIECE // 2), PIECE)
            of_song = [(voice[i : i + PIECE], accompaniment[i : i + PIECE]) for i in starts]
            voices += [v for v, _ in of_song if rms(v) >= SOFTEST * rms(voice)]
            accompaniments += [b for _, b in of_song]
    return voices, accompaniments


def mixtures(pieces, of_clips, voice_first=True):
    """Mix every piece with sources of two clips, at 0 dB; return (X, y)."""
    X, y = [], []
    for i, piece in enumerate(pieces):
        for j in (i, i + len(of_clips) // 2):
            other = of_clips[j % len(of_clips)][:]
            n = min(len(piece), len(other))
            sources = np.stack([of_unit_power(piece[:n]), of_unit_power(other[:n])])
            sources = sources if voice_first else sources[::-1]
            y.append((0.1 * sources).astype(np.float32))
            X.append(y[-1].sum(axis=0))
    return X, y


def rms(samples):
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(samples))))


def of_unit_power(samples):
    """Return the samples scaled to an RMS of 1; silence unchanged."""
    return samples / (rms(samples) or 1.0)


def mean_scores(separator, X, y):
    """Return the mean NSDR, SIR and SAR of the voice over the tracks, as text."""
    tracks = evaluate(separator, X, y, protocol="huang2014").rows
    means = (np.mean([track[f"{m}_vocals"] for track in tracks]) for m in ("nsdr", "sir", "sar"))
    return "".join(f"{mean:>7.2f}" for mean in means).rjust(22)


if __name__ == "__main__":
    main()
