"""Kill separations and fits with checkpoints at random moments, and check what they leave.

Half of the kills hit `separate_file`, which writes stems into an empty folder or over the stems of
another song; half of these come after all blocks have been written, about when the stems are
renamed. The other kills hit a `fit` with `checkpoint_dir`, which is started again until it ends. A
quarter of all kills are SIGTERM, the others SIGKILL. After each kill, every stem must be complete,
of the old song or of the new one; the next fit must continue from the checkpoint; and the final
weights must be those of an uninterrupted fit. The two stems are renamed one after the other, so a
kill between the two leaves complete stems of two songs; the output counts these cases.

    python benchmarks/kills.py
    python benchmarks/kills.py --kills 40 --seed 1

The exit code is 1 if anything was lost or half-written.
"""

import argparse
import json
import multiprocessing
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from fuzz import save_model

SAMPLE_RATE = 44100
SECONDS = 20  # of a song
FORMATS = ("wav", "flac")  # whose bytes depend on the song alone
STEMS = ("vocals", "accompaniment")
MAX_ITER = 150
MAX_EPOCHS = 20  # between the start of a fit and the kill
TIMEOUT = 120  # seconds for what is not killed
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)
BAD = ("half-written", "damaged", "lost", "other weights", "failed")


class Child:
    """A forked process that calls a function; the function writes numbers to a pipe."""

    def __init__(self, function, *arguments):
        self._read, write = os.pipe()
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                os.close(self._read)
                function(*arguments, lambda number: os.write(write, number.to_bytes(4)))
                code = 0
            finally:
                os._exit(code)
        os.close(write)

    def next_number(self, timeout=TIMEOUT):
        """Return the next number that the process writes, or None after the timeout."""
        if not select.select([self._read], [], [], timeout)[0]:
            return None
        data = os.read(self._read, 4)
        return int.from_bytes(data) if data else None

    def end(self, which=None):
        """Wait for the process, or kill it; return whether it was killed, and its exit code."""
        if which is not None:
            os.kill(self._pid, which)
        elif not self._ends_in_time():
            os.kill(self._pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._read)
        return code == -(which or 0) and which is not None, code

    def _ends_in_time(self):
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            if not select.select([self._read], [], [], 1)[0]:
                continue
            if not os.read(self._read, 4096):
                return True
        return False


def separate(pipeline, song, out, audio_format, tell):
    """Separate a song, and report every block to `tell`."""
    from sksvs.separation import separate_file

    separate_file(pipeline, song, out, audio_format=audio_format, progress=tell)
    time.sleep(0.005)  # so that a kill can come when the stems have their names


def read_stems(folder, audio_format):
    """Return the bytes of the stems in a folder, None for a stem that does not exist."""
    paths = [folder / f"{stem}.{audio_format}" for stem in STEMS]
    return [path.read_bytes() if path.exists() else None for path in paths]


def what_is_left(stems, before, after):
    """Return the state of stems: as before the kill, of the new song, of both, or half-written."""
    if stems == before:
        return "before"
    if stems == after:
        return "after"
    whole = all(s in (b, a) for s, b, a in zip(stems, before, after))
    return "between" if whole else "half-written"


def kill_separations(n_kills, rng, folder):
    """Kill separations, and return counts of the states of their stems."""
    import sksvs
    from sksvs.audio import write
    from sksvs.datasets import make_singing_mixtures

    process = multiprocessing.get_context("spawn").Process(target=save_model, args=(folder,))
    process.start()
    process.join()
    pipeline = sksvs.load(folder / "original.small")
    songs = [folder / "old.wav", folder / "new.wav"]
    X, _ = make_singing_mixtures(2, SECONDS, SAMPLE_RATE, n_channels=2, random_state=0)
    for song, samples in zip(songs, X):
        write(song, samples, SAMPLE_RATE, "PCM_16")
    whole, seconds, finish = {}, {}, {}
    for audio_format in FORMATS:
        for song in songs:
            started, out = time.monotonic(), folder / f"{song.stem} {audio_format}"
            child = Child(separate, pipeline, song, out, audio_format)
            _wait_for_blocks(child)
            written = time.monotonic()
            if child.end()[1] != 0:
                raise RuntimeError("A separation that is not killed fails.")
            seconds[audio_format] = written - started
            finish[audio_format] = time.monotonic() - written
            whole[song.stem, audio_format] = read_stems(out, audio_format)
    counts, out = Counter(), folder / "killed"
    while counts["kills"] < n_kills:
        audio_format = FORMATS[rng.integers(len(FORMATS))]
        shutil.rmtree(out, ignore_errors=True)
        if rng.integers(2):
            shutil.copytree(folder / f"old {audio_format}", out)
        before = read_stems(out, audio_format)
        child = Child(separate, pipeline, songs[1], out, audio_format)
        if rng.integers(2):
            time.sleep(rng.uniform(0, seconds[audio_format]))
        else:
            _wait_for_blocks(child)
            time.sleep(rng.uniform(0, finish[audio_format]))
        was_killed, code = child.end(SIGNALS[rng.integers(len(SIGNALS))])
        if not was_killed:
            counts["ended before the kill"] += 1
            counts["failed"] += code != 0
            continue
        stems = read_stems(out, audio_format)
        counts.update(["kills", what_is_left(stems, before, whole["new", audio_format])])
        counts["parts left"] += any(out.glob(".*.part")) if out.exists() else 0
    if Child(separate, pipeline, songs[1], out, "wav").end()[1] != 0:
        counts["failed"] += 1  # the files of a killed separation must not disturb the next
    return counts


def _wait_for_blocks(child):
    """Wait until all blocks of a song have been written, just before its stems are renamed."""
    n_samples = 0
    while n_samples < SECONDS * SAMPLE_RATE and (number := child.next_number()) is not None:
        n_samples += number


def fit(checkpoint_dir, weights, tell):
    """Fit a tiny network, report every epoch to `tell`, and save its weights."""
    import keras
    from sklearn.pipeline import make_pipeline

    from sksvs.datasets import make_singing_mixtures
    from sksvs.estimators import GRUMaskSeparator
    from sksvs.transforms import STFTTransformer

    class Tell(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            tell(epoch)

    network = GRUMaskSeparator(
        (6,),
        max_iter=MAX_ITER,
        segment_frames=32,
        dropout=0.2,
        random_state=0,
        checkpoint_dir=checkpoint_dir,
        callbacks=[Tell()],
    )
    pipeline = make_pipeline(STFTTransformer(64, 32), network)
    pipeline.fit(*make_singing_mixtures(3, 0.6, 8000, random_state=0))
    np.savez(weights, n_iter=network.n_iter_, **network.weights_)


def read_epoch(folder):
    """Return the number of epochs of a checkpoint: 0 without one, None if it is damaged."""
    paths = list(folder.glob("*.npz"))
    if not paths:
        return 0
    try:
        with np.load(paths[0]) as file:
            arrays = {name: file[name] for name in file.files}
        return json.loads(arrays["facts"].tobytes())["run"]["epoch"]
    except Exception:
        return None


def kill_fits(n_kills, rng, folder):
    """Kill fits, each repeatedly until it ends, and return counts."""
    import keras  # noqa: F401 (here, so that the processes that are forked need not)

    import sksvs.training.model_pool  # noqa: F401 (private: imports TensorFlow before the forks)

    child = Child(fit, None, folder / "whole.npz")
    times = [time.monotonic()]
    while child.next_number() is not None:
        times.append(time.monotonic())
    if child.end()[1] != 0:
        raise RuntimeError("A fit that is not killed fails.")
    start_up, an_epoch = times[2] - times[0], (times[-1] - times[2]) / (MAX_ITER - 1)
    counts = Counter()
    while counts["kills"] < n_kills:
        counts["fits"] += 1
        checkpoints, weights = folder / f"fit {counts['fits']}", folder / "killed.npz"
        checkpoints.mkdir()
        while _is_cut_off(checkpoints, weights, start_up, an_epoch, rng, counts, n_kills):
            pass
        if weights.exists():
            counts["other weights"] += not _equal(weights, folder / "whole.npz")
            weights.unlink()
    return counts


def _is_cut_off(checkpoints, weights, start_up, an_epoch, rng, counts, n_kills):
    """Continue a fit and kill it if kills are left; return whether it was killed."""
    saved = read_epoch(checkpoints)
    child = Child(fit, checkpoints, weights)
    which = SIGNALS[rng.integers(len(SIGNALS))] if counts["kills"] < n_kills else None
    first = None
    if which is None or rng.integers(4):
        first = child.next_number()  # None where all epochs are there already
        for _ in range(rng.integers(1, MAX_EPOCHS)):
            child.next_number()
        time.sleep(rng.uniform(0, 2 * an_epoch))
    else:
        time.sleep(rng.uniform(0, start_up))
    was_killed, code = child.end(which)
    if first is not None and saved is not None:
        counts["lost"] += first != saved
        counts["went on"] += first == saved > 0
    if not was_killed:
        counts["failed"] += code != 0
        return False
    now = read_epoch(checkpoints)
    counts["kills"] += 1
    counts["before the first epoch" if first is None else "in an epoch or a save"] += 1
    counts["damaged"] += now is None
    counts["lost"] += now is not None and saved is not None and now < saved
    counts["parts left"] += any(checkpoints.glob(".*.part"))
    return True


def _equal(first, second):
    with np.load(first) as a, np.load(second) as b:
        return a.files == b.files and all(np.array_equal(a[name], b[name]) for name in a.files)


def main(arguments):
    """Print counts, and return the exit code."""
    rng = np.random.default_rng(arguments.seed)
    n_fits = arguments.kills // 2
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        counts["separate_file"] = kill_separations(arguments.kills - n_fits, rng, folder)
        counts["fit"] = kill_fits(n_fits, rng, folder)
    for what, counter in counts.items():
        kinds = ["kills", *sorted(set(counter) - {"kills", *BAD}), *BAD]
        print(f"{what}: " + ", ".join(f"{counter[kind]} {kind}" for kind in kinds))
    return int(any(counter[kind] for counter in counts.values() for kind in BAD))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    sys.exit(main(parser.parse_args()))
