"""Make tracks to train on of voices and accompaniments that do not belong together."""

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Sequence
from math import ceil, sqrt
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch, check_random_state
from tqdm import tqdm

from sksvs.audio import AudioFile, Sources, Waveform, write
from sksvs.audio.folders import find_audio_files
from sksvs.audio.resampling import Resampled
from sksvs.audio.timeline import Timeline, in_channels
from sksvs.audio.waveform import Sum
from sksvs.datasets.bundle import check_choice, in_words, make_bunch
from sksvs.system.terminal import is_terminal
from sksvs.system.threads import thread_map
from sksvs.typing import PathLike

LEVEL = 0.1  # RMS of every file, of full scale
SECOND_GAIN = 0.5  # of a voice that sings along
CACHE_GAIN = 0.5  # of what is kept in 16 bits: resampling and lossy coding go beyond full scale


def load_voices_and_accompaniments(
    voices: PathLike | Sequence[PathLike],
    accompaniments: PathLike | Sequence[PathLike],
    *,
    sample_rate: int = 44100,
    n_channels: int = 1,
    duration: float = 30.0,
    silence: tuple[float, float] = (0.15, 0.05),
    second_voice: float = 0.0,
    cache_dir: PathLike | None = None,
    random_state: int | np.random.RandomState | None = 0,
    strict: bool = False,
    verbose: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[list[Waveform], list[Sources]]:
    """Make tracks to train on of voices and accompaniments that do not belong together.

    Folders are searched at any depth for audio files of any format, length and sample rate. The
    voices of a folder, which stands for a singer, follow one another with rests between them, and
    so do all accompaniments; both are cut into stretches of `duration`, and a track is the sum of
    a stretch of either. What is shorter in total is repeated until it is as long as the other, so
    every file is in some track. All files have the same RMS.

    The pairs stay as they are drawn here unless the separator draws others: with
    ``augmentation=Augmentation(remix=1.0)`` every segment of every epoch has its voice from one
    track, and its accompaniment from any place in any track, by the separator's `random_state`.

    Nothing is kept in memory: samples are read, downmixed and resampled when a track is sliced.

    Parameters
    ----------
    voices, accompaniments : str, path-like, or list of these
        Folders, or single files. The voices are downmixed.
    sample_rate : int, default=44100
        Of the tracks, in Hz. Files of other rates are resampled.
    n_channels : {1, 2}, default=1
        Of the tracks. 1: accompaniments are downmixed. 2: stereo ones keep their channels, and
        what is mono is the same in both.
    duration : float, default=30.0
        Of every track, in seconds.
    silence : tuple of float, default=(0.15, 0.05)
        About the share of the time in which no voice is sung, and in which nothing accompanies,
        beside the rests in the files.
    second_voice : float, default=0.0
        About the share of the time in which another file of the same folder is sung along, 6 dB
        softer, as where a singer is doubled.
    cache_dir : str or path-like, optional
        Folder for copies of all files, downmixed and resampled, as WAV files of 16 bits (32 where
        the file holds floats): 320 MB an hour of one channel at 44.1 kHz. They are written when a
        file is first loaded, and read after that in place of decoding, for as long as the file has
        not changed. It may be deleted at any time. The default is to keep no copies, and to decode
        whatever is read.
    random_state : int, RandomState or None, default=0
        Draws in which order the files come, how long the rests are, and so the pairs.
    strict : bool, default=False
        Whether files that cannot be read, or lack samples, are an error instead of a warning.
    verbose : bool, default=False
        Whether to show a progress bar, on a terminal, while files are opened or copied.
    return_X_y : bool, default=False
        Whether to return only ``(X, y)``.

    Returns
    -------
    Bunch
        ``X``, a list of mixtures, each the sum of its sources; ``y``, a list of Sources, the voice
        and the accompaniment; ``names``; ``groups``, the folders of the voices; ``duration``, of
        all tracks in seconds; ``DESCR``.

    Warns
    -----
    UserWarning
        If files cannot be read and are left out, naming them.

    Raises
    ------
    FileNotFoundError, ValueError
        If a folder does not exist or holds no audio file that can be read; if an argument is out
        of range; with `strict`, if a file cannot be read or lacks samples, naming it.
    OSError
        If a folder may not be read, or a copy cannot be written, naming it.

    Examples
    --------
    >>> from sksvs.augmentation import Augmentation
    >>> from sksvs.estimators import CRNSeparator
    >>> data = load_voices_and_accompaniments(                       # doctest: +SKIP
    ...     "voices", "accompaniments", cache_dir="cache")
    >>> crn = CRNSeparator(augmentation=Augmentation(remix=1.0, gain_db=6.0), random_state=0)
    """
    check_choice("n_channels", n_channels, (1, 2))
    if not isinstance(sample_rate, Integral) or sample_rate < 1:
        raise ValueError(f"sample_rate must be a whole number of Hz; got {sample_rate!r}.")
    if not (np.isfinite(duration) and round(duration * sample_rate) >= 1):
        raise ValueError(f"duration must be positive, one sample at least; got {duration!r} s.")
    if np.shape(silence) != (2,) or not all(0 <= share < 1 for share in silence):
        raise ValueError(
            "silence must be two shares of the time from 0 to below 1, without a voice and without "
            f"an accompaniment; got {silence!r}."
        )
    if not 0 <= second_voice < 1:
        raise ValueError(
            f"second_voice must be a share of the time from 0 to below 1; got {second_voice!r}."
        )
    rng = check_random_state(random_state)
    n_samples = round(duration * sample_rate)
    if cache_dir is not None:
        cache_dir = Path(cache_dir).absolute()
        cache_dir.mkdir(parents=True, exist_ok=True)
    settings = n_channels, sample_rate, cache_dir, strict, verbose
    voices = _open_all("voices", voices, 1, *settings)
    accompaniments = _open_all("accompaniments", accompaniments, n_channels, *settings)

    singers = {}
    for path, voice in voices.items():
        singers.setdefault(os.path.dirname(path), []).append(voice)
    n_sung, n_played = (
        _length(files.values()) / (1 - rests)
        for files, rests in zip((voices, accompaniments), silence)
    )
    groups, sung = [], []
    for singer in rng.permutation(sorted(singers)).tolist():
        share = _length(singers[singer]) / _length(voices.values())
        n_tracks = ceil(share * max(n_sung, n_played) / n_samples)
        files, grid = singers[singer], (n_tracks, n_samples, singer)
        stretches = _lay_out(files, silence[0], *grid, rng)
        if second_voice > 0:
            others = _lay_out(files, 1 - second_voice, *grid, rng)
            stretches = [s + other.gain(SECOND_GAIN) for s, other in zip(stretches, others)]
        groups += [singer] * n_tracks
        sung += stretches
    files = list(accompaniments.values())
    played = _lay_out(files, silence[1], len(sung), n_samples, "accompaniments", rng)
    y = [Sources(pair) for pair in zip(sung, played)]
    X = [Sum(sources) for sources in y]
    description = (
        f"{len(X)} tracks of {duration} s of {len(voices)} voices, in {len(singers)} folders, and "
        f"{len(accompaniments)} accompaniments that do not belong together: mixture, voice and "
        "accompaniment; groups are the folders of the voices."
    )
    return make_bunch(X, y, [x.name for x in X], groups, description, return_X_y)


def _open_all(argument, folders, max_channels, n_channels, sample_rate, cache_dir, strict, verbose):
    """Return the audio files in these folders on the grid of the tracks, by path."""
    folders = [folders] if isinstance(folders, (str, os.PathLike)) else list(folders)
    paths = {}  # as a set, in order
    for folder in folders:
        if not os.path.exists(folder):
            raise FileNotFoundError(f"{argument}: {folder} does not exist.")
        found, errors = find_audio_files(folder) if os.path.isdir(folder) else ([folder], [])
        if errors:
            raise errors[0]
        paths |= dict.fromkeys(map(os.path.abspath, found))

    def open_one(path):
        return _open(path, max_channels, sample_rate, cache_dir, strict)

    opened, failed = {}, []
    waveforms = thread_map(open_one, (path for path in paths))
    hidden = not (verbose and is_terminal(sys.stderr))
    bar = tqdm(waveforms, argument, len(paths), unit="file", disable=hidden)
    for waveform, path in zip(bar, paths):
        if isinstance(waveform, Waveform):
            opened[path] = in_channels(waveform, n_channels)
        elif strict:
            raise waveform
        else:
            failed.append(str(waveform))
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(paths)} {argument} cannot be read and are left out: "
            f"{in_words(failed)}",
            stacklevel=3,
        )
    if not opened:
        raise ValueError(
            f"{argument} must be folders that hold audio files; got "
            f"{', '.join(map(str, folders)) or 'none'}, where no file can be read."
        )
    return opened


def _open(path, max_channels, sample_rate, cache_dir, strict):
    """Return a file downmixed and resampled, or its copy; or the error if it cannot be read."""
    grid = max_channels, sample_rate
    try:
        if cache_dir is not None:
            cached = cache_dir / _cache_name(path, *grid)
            if cached.exists() or _fill(cached, path, *grid):
                return AudioFile(cached)
        return _on_grid(AudioFile(path, strict=strict), *grid)
    except (ValueError, FileNotFoundError) as error:
        return error


def _cache_name(path, *grid):
    status = os.stat(path)
    key = path, status.st_size, status.st_mtime_ns, *grid
    return f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.wav"


def _fill(cached, path, *grid):
    """Write the copy of a file, and return whether there is one: of whole files alone.

    Files that lack samples are decoded, and warned of, whenever they are loaded.
    """
    try:
        file = AudioFile(path, strict=True)
        holds_floats = file.subtype in ("FLOAT", "DOUBLE")
        samples = _on_grid(file, *grid).gain(CACHE_GAIN)
        own = cached.with_suffix(f".{os.getpid()}.wav")
        write(own, samples, subtype="FLOAT" if holds_floats else "PCM_16")
    except ValueError:
        return False
    if cached.exists():  # meanwhile: another process wrote it, and may be reading it
        own.unlink()
    else:
        own.replace(cached)
    return True


def _on_grid(file, max_channels, sample_rate):
    """View a file at a sample rate, downmixed unless it has so many channels."""
    waveform = file if file.n_channels == max_channels else file.to_mono()
    return waveform if file.sample_rate == sample_rate else Resampled(waveform, sample_rate)


def _length(waveforms):
    return sum(waveform.n_samples for waveform in waveforms)


def _lay_out(waveforms, silence, n_stretches, n_samples, name, rng):
    """Put waveforms of one level one after another, again and again; return stretches of that.

    They are in random order. Before each there is a rest, most of which are short and a few long;
    all together have this share of the time.
    """
    order = rng.permutation(len(waveforms))
    lengths = rng.standard_exponential(len(waveforms)) ** 2
    rests = silence / (1 - silence) * _length(waveforms) * lengths / lengths.sum()
    levelled = [w.unit_norm().gain(LEVEL * sqrt(np.prod(w.shape))) for w in waveforms]
    placed, starts, end = [], [], 0
    while end < n_stretches * n_samples:
        i = order[len(placed) % len(order)]
        placed.append(levelled[i])
        starts.append(end + int(rests[i]))
        end = starts[-1] + levelled[i].n_samples
    timeline, stretches = Timeline(placed, starts, end, name), []
    for k in range(n_stretches):
        stretches.append(timeline.time_slice(k * n_samples, (k + 1) * n_samples))
        stretches[k].name = f"{name}, stretch {k + 1}"
    return stretches
