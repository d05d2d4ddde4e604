"""Train on MIR-1K and score by the protocol of Huang et al. 2014, beside the paper's own scores.

    python benchmarks/mir1k.py --root <MIR-1K> --subset test     # the packaged network, 825 clips
    python benchmarks/mir1k.py --root <MIR-1K> --subset holdout  # all rows, on an unseen singer
    python benchmarks/mir1k.py --root <MIR-1K> --subset dev --rows DRNN-2 "GRU 2 x 128"
    python benchmarks/mir1k.py --sizes

With "dev" and "test" the training data are the 171 clips of "train". "holdout" trains on one of the
two singers of train and dev and scores the other, in both directions. Models and scores are kept in
the folder --keep and reused. `--subset dev --rows "the shipped network"` trains the packaged
network.
"""

import argparse
import json
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mir1k_rows import OTHERS_WEIGHT, ROWS, STRONGEST

import sksvs
from sksvs.datasets import load_mir1k
from sksvs.metrics import PROTOCOLS, Variant, evaluate
from sksvs.stft import STFTParams

PROTOCOL = PROTOCOLS["huang2014"]
VERSIONS = {
    3: PROTOCOL,
    2: replace(PROTOCOL, name="huang2014, v2", variant=Variant(images=False, filter_length=1)),
}
METRICS = ("nsdr", "sir", "sar")
OF_THE_PAPER = {  # its table 3: the voice of the test clips, GNSDR / GSIR / GSAR
    "RNMF": (4.97, 7.66, 10.03),
    "DNN": (6.93, 10.99, 10.15),
    "DRNN-2": (7.27, 11.98, 9.99),
    "DRNN-2 + discriminative": (7.45, 13.08, 9.68),
}


class Fold(NamedTuple):
    """The training clips and the clips to score, each as (X, y)."""

    name: str
    training: tuple
    scored: tuple


def main():
    """Fit and score the rows that are not in the folder --keep, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", help="folder of MIR-1K")
    parser.add_argument("--subset", default="dev", choices=("dev", "test", "holdout"))
    parser.add_argument("--rows", nargs="+", default=[], metavar="ROW", help="names, or all")
    parser.add_argument(
        "--sizes", action="store_true", help="print the parameters and the MACs of all rows alone"
    )
    parser.add_argument("--keep", default="mir1k_kept", help="folder for models and scores")
    arguments = parser.parse_args()
    if arguments.sizes:
        print_sizes()
        return
    if arguments.root is None:
        parser.error("--root is needed: the folder of MIR-1K.")
    unknown = set(arguments.rows) - set(ROWS) - {"all"}
    if unknown:
        parser.error(f"no row is called {sorted(unknown)}. Rows: {', '.join(ROWS)}.")

    holdout = arguments.subset == "holdout"
    names = arguments.rows or ([name for name in ROWS if name != STRONGEST] if holdout else [])
    names = list(ROWS) if names == ["all"] else names
    folds = make_folds(arguments.root, arguments.subset, bool(names))
    for fold in folds:
        training = f"{len(fold.training[0])} training clips, " if names else ""
        print(f"{fold.name}: {training}{len(fold.scored[0])} clips scored")
    print_heading()
    if not holdout:
        packaged = sksvs.pretrained("voice-mir1k")
        packaged[-1].set_params(others_weight=OTHERS_WEIGHT)  # the best one on MIR-1K
        print_row("voice-mir1k, in the package", [score(packaged, fold) for fold in folds])
        packaged = sksvs.pretrained("voice")
        print_row("voice, in the package", [score(packaged, fold) for fold in folds])
    for name in names:
        results = [fit_and_score(name, fold, Path(arguments.keep)) for fold in folds]
        print_row(name, [scores for scores, _ in results], sum(seconds for _, seconds in results))
    if arguments.subset == "test":
        for name, values in OF_THE_PAPER.items():
            print(f"{name + ', in the paper':<32}" + "".join(f"{x:>7.2f}" for x in values))


def print_sizes():
    """Print how many parameters the rows have, and the MACs of a second of audio in millions."""
    print(f"{'':<32}{'parameters':>12}{'MMAC/s':>9}")
    for name, row in ROWS.items():
        stft = row.stft
        params = STFTParams(stft.n_fft, stft.hop_length, stft.window, stft.sample_rate)
        n_params = row.network.count_params(n_freqs=params.n_freqs)
        print(f"{name:<32}{n_params:>12,}{row.network.count_macs(params) / 1e6:>9.0f}")


def make_folds(root, subset, trains=True):
    """Return the folds of a subset: one, or one for each singer that is held out.

    Without training, the subsets "dev" and "test" do not need the clips of "train".
    """
    if subset != "holdout":
        training = load_mir1k(root, "train", return_X_y=True) if trains else ([], [])
        return [Fold(subset, training, load_mir1k(root, subset, return_X_y=True))]
    parts = [load_mir1k(root, name) for name in ("train", "dev")]
    X, y, groups = ([item for part in parts for item in part[key]] for key in ("X", "y", "groups"))

    def clips_of(singer):
        chosen = [i for i, group in enumerate(groups) if group == singer]
        return [X[i] for i in chosen], [y[i] for i in chosen]

    return [
        Fold(f"{training} to {scored}", clips_of(training), clips_of(scored))
        for training, scored in (("amy", "abjones"), ("abjones", "amy"))
    ]


def fit_and_score(name, fold, keep):
    """Return the scores of a row and the seconds of its fit, from the folder `keep` if possible."""
    row, training = ROWS[name], "train" if fold.name in ("dev", "test") else fold.name
    fitted = keep / _file_name(row.fitted_as or name, training)
    facts = fitted.with_suffix(".json")
    scored = keep / f"{_file_name(name, training, 'scored', fold.name)}.json"
    keep.mkdir(parents=True, exist_ok=True)
    of_fit = {"fit": ROWS[row.fitted_as or name].fingerprint()}
    of_scores = {**of_fit, "prediction": str(row.prediction)}
    if not kept(facts, of_fit):
        X, y = row.tracks(*fold.training)
        pipeline = row.pipeline(X, keep / "checkpoints")
        clock = keep / f"{of_fit['fit']}_{_file_name(training)}.clock"
        with timed(clock) as seconds:
            pipeline.fit(X, y)
        sksvs.save(pipeline, fitted.with_suffix(".safetensors"))
        write_json(facts, {**of_fit, "seconds": seconds()})
        clock.unlink()
    if not kept(scored, of_scores):
        pipeline = sksvs.load(fitted.with_suffix(".safetensors"))
        pipeline[-1].set_params(**row.prediction)
        write_json(scored, {**of_scores, **score(pipeline, fold)})
    return json.loads(scored.read_text()), json.loads(facts.read_text())["seconds"]


def kept(path, of_row):
    """Return whether a file exists and belongs to the current definition of the row."""
    return path.exists() and of_row.items() <= json.loads(path.read_text()).items()


def _file_name(*words):
    return re.sub(r"\W+", "_", " ".join(words))


def write_json(path, content):
    """Write a file so that it is never incomplete."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(content))
    unfinished.replace(path)


@contextmanager
def timed(clock):
    """Yield a function that returns the seconds so far, including those of interrupted runs."""
    before = json.loads(clock.read_text()) if clock.exists() else 0.0
    started = time.monotonic()

    def seconds():
        return before + time.monotonic() - started

    try:
        yield seconds
    finally:
        write_json(clock, seconds())


class Estimates:
    """The estimates of a separator, with a `predict` of their own, so they can be scored twice."""

    def __init__(self, separator, X):
        self.of_clip = {clip.name: separator.predict([clip])[0] for clip in X}

    def predict(self, X):
        """Return the estimates of these clips."""
        return [self.of_clip[clip.name] for clip in X]


def score(pipeline, fold):
    """Return the scores of every clip: version → metric → source → list; and "n_samples"."""
    X, y = fold.scored
    estimates, found = Estimates(pipeline, X), {"n_samples": [clip.n_samples for clip in X]}
    for version, protocol in VERSIONS.items():
        tracks = evaluate(estimates, X, y, protocol=protocol).scores["estimate"].tracks
        found[str(version)] = {
            metric: [[float(track.sources[metric][i]) for track in tracks] for i in range(2)]
            for metric in METRICS
        }
    return found


def print_heading():
    """Print the heading of the table."""
    groups = ("voice, v3", "accompaniment, v3", "voice, v2")
    print(f"{'':<32}{groups[0]:^21}{'GNSDR':>12}" + "".join(f"{g:^21}" for g in groups[1:]))
    of_group = "  GNSDR   GSIR   GSAR"
    print(f"{'':<32}{of_group}{'95 %':>12}{of_group}{of_group}   fit, s")


def print_row(name, scores, seconds=None):
    """Print the length-weighted means of a row, averaged over the folds, and an interval."""
    values = [
        "".join(
            f"{np.mean([weighted(s[version][m][source], s['n_samples']) for s in scores]):>7.2f}"
            for m in METRICS
        )
        for version, source in (("3", 0), ("3", 1), ("2", 0))
    ]
    low, high = interval(scores)
    between = f"{low:>6.2f}-{high:<5.2f}"
    time_taken = "" if seconds is None else f"{seconds:>9.0f}"
    print(f"{name:<32}{values[0]}{between}{values[1]}{values[2]}{time_taken}", flush=True)


def weighted(values, n_samples):
    """Return the mean weighted by the lengths of the clips."""
    return np.average(values, weights=n_samples)


def interval(scores, n_draws=2000):
    """Return the 95 % bootstrap interval of GNSDR, resampling clips (not singers) of each fold."""
    rng, draws = np.random.default_rng(0), []
    for fold in scores:
        values, lengths = np.array(fold["3"]["nsdr"][0]), np.array(fold["n_samples"])
        chosen = rng.integers(len(values), size=(n_draws, len(values)))
        draws.append((values * lengths)[chosen].sum(axis=1) / lengths[chosen].sum(axis=1))
    return np.percentile(np.mean(draws, axis=0), [2.5, 97.5])


if __name__ == "__main__":
    main()
