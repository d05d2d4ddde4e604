"""Measure the peak memory of `separate_file` on songs of 44.1 kHz stereo, up to an hour long.

    python benchmarks/bench_separate_memory.py

Each song is separated in a process of its own. Its peak is VmHWM of Linux; the value of getrusage
would include the process that started it. A line with 0 minutes is a process that only imports
sksvs. The song and its stems (16-bit WAV, three times 635 MB for an hour) go to a temporary folder.
"""

import argparse
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

import sksvs
from sksvs.audio import Waveform, write
from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import CRNSeparator, GRUMaskSeparator, report_network
from sksvs.transforms import STFTTransformer

SAMPLE_RATE = 44100
IN_A_PROCESS = """
import pickle, sys, time
from pathlib import Path
from sksvs.separation import separate_file
pipeline = pickle.loads(Path(sys.argv[1]).read_bytes())
started = time.perf_counter()
for song in sys.argv[3:]:
    separate_file(pipeline, song, sys.argv[2])
seconds = time.perf_counter() - started
facts = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print(int(facts["VmHWM"].split()[0]) * 1024 / 1e6, seconds)
"""


def main():
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 60])
    arguments = parser.parse_args()
    print(f"{'network':<22}{'minutes of stereo':>18}{'peak, MB':>10}{'seconds':>9}")
    pipelines = {
        name: fitted(last)
        for name, last in (
            ("report's (a)", report_network("a", max_iter=1)),
            ("GRUMaskSeparator()", GRUMaskSeparator(max_iter=1)),
            ("CRNSeparator()", CRNSeparator(max_iter=1)),
        )
    }
    pipelines["in the package"] = sksvs.pretrained()
    for name, pipeline in pipelines.items():
        for minutes in (0, *arguments.minutes):
            megabytes, seconds = separation_peak(pipeline, minutes)
            print(f"{name:<22}{minutes:>18g}{megabytes:>10.0f}{seconds:>9.1f}", flush=True)


def fitted(separator):
    """Return a pipeline that ends with a separator, fitted on a second of sound."""
    X, y = make_singing_mixtures(1, 1.0, SAMPLE_RATE, n_channels=2, random_state=0)
    return make_pipeline(STFTTransformer(), separator).fit(X, y)


def separation_peak(pipeline, minutes):
    """Return the peak memory in MB and the seconds of separating a stereo song.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    minutes : float
        Length of the song. 0 separates nothing and measures the imports.
    """
    with tempfile.TemporaryDirectory() as folder:
        song, pickled = Path(folder) / "song.wav", Path(folder) / "pipeline"
        pickled.write_bytes(pickle.dumps(pipeline))
        if minutes:
            write_long_song(song, minutes)
        command = [
            sys.executable,
            "-c",
            IN_A_PROCESS,
            pickled,
            folder,
            *([song] if minutes else []),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    megabytes, seconds = map(float, done.stdout.split())
    return megabytes, seconds


def write_long_song(path, minutes):
    """Write a stereo WAV file of 16 bits that repeats ten seconds, block by block."""
    (song,), _ = make_singing_mixtures(1, 10.0, SAMPLE_RATE, n_channels=2, random_state=0)
    song = (0.7 * song / np.abs(song).max()).astype(np.float32)
    write(path, Repeated(song, round(60 * minutes * SAMPLE_RATE)), SAMPLE_RATE, "PCM_16")


class Repeated(Waveform):
    """Samples at 44.1 kHz, repeated up to a given length."""

    def __init__(self, samples, n_samples):
        self.samples, self.shape = samples, (n_samples, samples.shape[1])
        self.sample_rate, self.name = SAMPLE_RATE, "a repeated waveform"

    def _read(self, start, stop):
        return self.samples[np.arange(start, stop) % len(self.samples)]


if __name__ == "__main__":
    main()
