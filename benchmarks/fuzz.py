"""Feed mutated audio files and model files to the package, and count the outcomes.

The bytes of WAV, FLAC, MP3, Ogg Vorbis, Opus and M4A files of a synthesised song, and of two saved
models, are mutated at random, reproducibly by a seed. Every audio file is opened, read and
separated into stems; every model is loaded, and predicts if it loads. This runs in processes with
8 GiB of address space; a file that ends its process, or takes more than 10 seconds, is counted and
named. The exit code is 1 if there was a fault, such as a crash or a half-written stem.

    python benchmarks/fuzz.py
    python benchmarks/fuzz.py --audio 100 --models 100 --seed 1
    python benchmarks/fuzz.py --audio 1 --models 0 --first 37 --keep folder    # that file again
"""

import argparse
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mutations import (
    generator,
    header_of,
    mutate,
    mutate_model,
    mutate_ogg,
    with_checksums,
)

SAMPLE_RATE = 44100
SECONDS = 0.4
TIMEOUT = 10  # seconds for a file
STARTING = 120  # seconds for a process to import
MEMORY = 8 << 30  # bytes of address space of a process
BATCH = 250  # files for a process
AUDIO = {  # the function that mutates a file, by the name of the original
    "wav": mutate,
    "float": mutate,
    "flac": mutate,
    "mp3": mutate,
    "ogg": mutate_ogg,
    "opus": mutate_ogg,
    "m4a": mutate,
}
MODELS = {"small": mutate_model, "voice": header_of}
RESULTS = ("read", "warned", "refused", "crashed", "hung")
FAULTS = ("half-written", "unnamed", "other type", "unequal")


class Case(NamedTuple):
    """A mutated file: its kind, its number and the seed of its mutations."""

    kind: str
    number: int
    seed: int

    def make(self, folder, originals):
        """Write the file, and return its path."""
        mutator = {**AUDIO, **MODELS}[self.kind]
        original = (originals / f"original.{self.kind}").read_bytes()
        path = folder / f"{self.number}.{self.kind}"
        path.write_bytes(mutator(original, generator(self.seed, self.kind, self.number)))
        return path


class Outcome(NamedTuple):
    """The outcome of a file: one of `RESULTS`, and the faults found as (kind, description)."""

    result: str
    faults: tuple = ()
    seconds: float = 0.0
    words: str = ""


def make_originals(folder, pipeline=None):
    """Write the originals of all files, among them the model of a small causal network."""
    import soundfile

    from sksvs.datasets import make_singing_mixtures
    from sksvs.model_files.packaged import pretrained_path  # private: its bytes are mutated

    X, _ = make_singing_mixtures(1, SECONDS, SAMPLE_RATE, n_channels=2, random_state=0)
    song = np.float32(X[0])
    soundfile.write(folder / "original.wav", song, SAMPLE_RATE, "PCM_16")
    soundfile.write(folder / "original.float", song, SAMPLE_RATE, "FLOAT", format="WAV")
    soundfile.write(folder / "original.flac", song, SAMPLE_RATE, "PCM_16")
    soundfile.write(folder / "original.mp3", song, SAMPLE_RATE)
    for kind, subtype, rate in (("ogg", "VORBIS", SAMPLE_RATE), ("opus", "OPUS", 48000)):
        path = folder / f"original.{kind}"
        soundfile.write(path, song, rate, subtype, format="OGG")
        path.write_bytes(with_checksums(path.read_bytes(), serial=b"sksv"))
    write_m4a(folder / "original.m4a", song)
    (folder / "original.voice").write_bytes(pretrained_path("voice-mir1k").read_bytes())
    if pipeline is None:  # in a process of its own, as TensorFlow takes memory and threads
        process = multiprocessing.get_context("spawn").Process(target=save_model, args=(folder,))
        process.start()
        process.join()
    else:
        save_model(folder, pipeline)


def write_m4a(path, song):
    """Write AAC by FFmpeg's own coder, with the header in front of the samples."""
    import av

    options = {"movflags": "faststart"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(song.T), "fltp", "stereo")
        frame.rate, frame.pts = SAMPLE_RATE, 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def save_model(folder, pipeline=None):
    """Save a pipeline, by default a newly fitted one with a small causal network."""
    import sksvs
    from sksvs.datasets import make_singing_mixtures
    from sksvs.estimators import GRUMaskSeparator
    from sksvs.transforms import STFTTransformer

    if pipeline is None:
        from sklearn.pipeline import make_pipeline

        network = GRUMaskSeparator((6,), max_iter=1, bidirectional=False, random_state=0)
        pipeline = make_pipeline(STFTTransformer(256, 128), network)
        pipeline.fit(*make_singing_mixtures(2, 0.6, 8000, random_state=0))
    sksvs.save(pipeline, folder / "original.small")


def try_audio(path, separator):
    """Open, read and separate a file, and return the outcome."""
    from sksvs.audio import AudioFile
    from sksvs.separation import separate_file

    faults, result, words = [], "read", ""
    folder = path.with_name(f"{path.name} stems")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            file = AudioFile(path)
            faults += check_reading(file)
        except Exception as error:
            result, words = "refused", str(error)
            faults += check_error(error, path)
        try:
            separate_file(separator, path, folder)
        except Exception as error:
            faults += check_error(error, path)
            faults += check_nothing_written(folder)
            result, words = "refused", str(error)
        else:
            faults += check_stems(folder, path, result)
    return finished(result, words, faults, caught, path)


def try_model(path, song):
    """Load a model, separate a song with it, and return the outcome."""
    import sksvs

    faults, result, words = [], "read", ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pipeline = sksvs.load(path)
        except Exception as error:
            result, words = "refused", str(error)
            faults += check_error(error, path)
        else:
            try:
                (estimates,) = pipeline.predict([song])
                if not np.isfinite(estimates).all():
                    faults.append(("unequal", "the estimates are not finite"))
                elif np.abs(estimates.sum(axis=0) - song[:]).max() > 1e-5:
                    faults.append(("unequal", "the estimates do not add up to the song"))
            except Exception as error:
                result, words = "refused", str(error)
                faults += check_error(error, song.name)
    return finished(result, words, faults, caught, path, song.name)


def finished(result, words, faults, caught, *names):
    """Return the outcome, with a fault for each warning that does not name the file."""
    texts = sorted({str(warning.message) for warning in caught})
    for text in texts:
        if not any(str(name) in text for name in names):
            faults.append(("unnamed", f"warning: {text}"))
    if result == "read" and texts:
        result, words = "warned", texts[0]
    return Outcome(result, tuple(faults), words=words)


def check_error(error, name):
    """Return the faults of an error: its type is unexpected, or it does not name the file."""
    words = f"{type(error).__name__}: {error}"
    if not isinstance(error, (ValueError, OSError, TypeError)):
        return [("other type", words)]
    return [] if str(name) in str(error) else [("unnamed", words)]


def check_reading(file):
    """Read a file in blocks, and ranges of it twice; return the faults."""
    n_samples = sum(map(len, file.blocks()))
    if n_samples != len(file):
        return [("unequal", f"{n_samples} samples were read of {len(file)}")]
    ranges = [(0, 100), (len(file) // 2, len(file) // 2 + 5000), (len(file) - 100, len(file))]
    first, second = ([file[max(0, a) : b] for a, b in ranges] for _ in range(2))
    if not all(map(np.array_equal, first, second)):
        return [("unequal", "a range of it is not the same when it is read again")]
    return []


def check_nothing_written(folder):
    """Return a fault if a folder of stems is not empty."""
    names = sorted(os.listdir(folder)) if folder.exists() else []
    return [("half-written", f"{', '.join(names)} was left")] if names else []


def check_stems(folder, path, result):
    """Return the faults of stems: missing, unreadable, or of another length than the song."""
    from sksvs.audio import AudioFile

    names = sorted(os.listdir(folder))
    if [name.partition(".")[0] for name in names] != ["accompaniment", "vocals"]:
        return [("half-written", f"the folder has {', '.join(names)}")]
    if result == "refused":
        return [("unequal", "what is refused when it is read is separated")]
    file = AudioFile(path)
    seconds = len(file) / file.sample_rate
    for name in names:
        try:
            stem = AudioFile(folder / name, strict=True)
            n_read = sum(map(len, stem.blocks()))
        except Exception as error:
            return [("half-written", str(error))]
        surplus = round((n_read / stem.sample_rate - seconds) * stem.sample_rate)
        if n_read != len(stem) or not -1 <= surplus <= 4608:  # lossy coders pad
            return [("half-written", f"{name} is {surplus} samples longer than the song")]
    return []


def work(connection, originals, folder, cases):
    """Try files, and send the outcome of each through a connection."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(folder / "said", "ab", buffering=0) as said:  # the stderr of libraries in C
        os.dup2(said.fileno(), 2)
    import sksvs
    from sksvs.audio import ArrayWaveform
    from sksvs.datasets import make_singing_mixtures

    separator = sksvs.load(originals / "original.small")
    X, _ = make_singing_mixtures(1, 0.3, 8000, random_state=1)
    song = ArrayWaveform(np.float32(X[0]), None, "the song")
    connection.send("ready")
    for case in cases:
        path = case.make(folder, originals)
        started = time.monotonic()
        outcome = try_model(path, song) if case.kind in MODELS else try_audio(path, separator)
        connection.send(outcome._replace(seconds=time.monotonic() - started))


def run(cases, originals, folder, target=work):
    """Yield every case with its outcome; a process that crashes is replaced."""
    context = multiprocessing.get_context("spawn")
    cases = list(cases)
    while cases:
        ours, theirs = context.Pipe()
        arguments = theirs, originals, folder, cases[:BATCH]
        process = context.Process(target=target, args=arguments)
        process.start()
        theirs.close()
        try:
            if not ours.poll(STARTING):
                raise RuntimeError("A process does not start.")
            ours.recv()
            for _ in range(len(arguments[-1])):
                outcome = Outcome("hung", seconds=TIMEOUT)
                if ours.poll(TIMEOUT):
                    try:
                        outcome = ours.recv()
                    except EOFError:
                        process.join()
                        said = (folder / "said").read_bytes()[-200:].decode(errors="replace")
                        words = f"exit code {process.exitcode}: {said.strip()}"
                        outcome = Outcome("crashed", words=words)
                yield cases.pop(0), outcome
                if outcome.result in ("crashed", "hung"):
                    break
        finally:
            process.kill()
            process.join()
            ours.close()


def count(cases, originals, folder, tell=print):
    """Try files, report each fault to `tell`, and return counts by kind of file."""
    counts = {}
    for case, outcome in run(cases, originals, folder):
        counter = counts.setdefault(case.kind, Counter(slowest=0.0))
        counter.update(files=1, **{outcome.result: 1})
        counter.update({kind: 1 for kind in {kind for kind, _ in outcome.faults}})
        counter["slowest"] = max(counter["slowest"], outcome.seconds)
        faults = outcome.faults
        if outcome.result in ("crashed", "hung"):
            faults = ((outcome.result, outcome.words),)
        for kind, words in faults:
            tell(f"seed {case.seed}, file {case.number} ({case.kind}): {kind}: {words}")
    return counts


def is_bad(counts):
    """Return whether the counts contain a fault, a crash or a hang."""
    bad = ("crashed", "hung", *FAULTS)
    return any(counter[kind] for counter in counts.values() for kind in bad)


def print_table(counts):
    """Print a line for each kind of file."""
    columns = ("files", *RESULTS, *FAULTS)
    print(f"{'kind':<8}" + "".join(f"{name:>13}" for name in columns) + f"{'slowest':>10}")
    totals = sum(counts.values(), Counter())
    totals["slowest"] = max(counter["slowest"] for counter in counts.values())
    for kind, counter in (*counts.items(), ("all", totals)):
        row = "".join(f"{counter[name]:>13}" for name in columns)
        print(f"{kind:<8}{row}{counter['slowest']:>8.1f} s")


def audio_cases(n_files, seed, first=0):
    """Return cases of audio files; the kinds take turns."""
    kinds = list(AUDIO)
    return [Case(kinds[i % len(kinds)], i, seed) for i in range(first, first + n_files)]


def model_cases(n_files, seed, first=0):
    """Return cases of model files; every fifth is of the larger model."""
    kinds = ["small"] * 4 + ["voice"]
    return [Case(kinds[i % len(kinds)], i, seed) for i in range(first, first + n_files)]


def main(arguments):
    """Print a line for each fault and a table; return the exit code."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        make_originals(folder)
        cases = [
            *audio_cases(arguments.audio, arguments.seed, arguments.first),
            *model_cases(arguments.models, arguments.seed, arguments.first),
        ]
        counts = count(cases, folder, folder)
    print_table(counts)
    return int(is_bad(counts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=int, default=1000, help="number of audio files")
    parser.add_argument("--models", type=int, default=1000, help="number of model files")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--keep", help="folder in which to keep the files")
    sys.exit(main(parser.parse_args()))
