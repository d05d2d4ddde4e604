"""Write the HTML of a player: stems that play in step under a cursor on their spectrograms."""

from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from sksvs.audio import to_mono, write
from sksvs.display.pictures import RANGE_DB, decibels, mel, mel_powers, to_png, top_frequency
from sksvs.system.threads import thread_map

FREQUENCIES = 200, 1000, 4000  # Hz, written on the spectrograms
TICK_STEPS = 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600  # s
MAX_TICKS = 8
DRAWN_SCORES = -20.0, 30.0  # dB: the range of bars


class Stem(NamedTuple):
    """What a player plays.

    Attributes
    ----------
    name : str
    samples : array of float, shape (n_samples,) or (n_samples, n_channels)
    muted : bool
        Whether it is muted at first.
    scores : array of float, shape (n_windows,), optional
        In dB, NaN where undefined; drawn below the spectrogram.
    """

    name: str
    samples: np.ndarray
    muted: bool
    scores: np.ndarray | None = None


def render_player(name, stems, sample_rate, start=0.0, windows=()):
    """Return a player as a block of HTML that needs nothing else, neither network nor server.

    Parameters
    ----------
    name : str
        Of the song.
    stems : sequence of Stem
        Equally long.
    sample_rate : int
        In Hz.
    start : float, default=0.0
        Where in the song they begin, in seconds.
    windows : sequence of (float, float), optional
        From where to where the scores are measured, in seconds from the beginning of the stems.

    Returns
    -------
    str
        The stems are MP3 (160 kb/s for stereo, 80 for mono), their spectrograms PNG.
    """
    identity = f"sksvs-{token_hex(8)}"
    duration = len(stems[0].samples) / sample_rate

    def code(stem):
        levels = decibels(mel_powers(stem.samples, sample_rate))
        return levels, _to_mp3(stem.samples, sample_rate)

    levels, audio = zip(*thread_map(code, (stem for stem in stems)))
    loudest = max(map(np.max, levels))
    rows, bounds = [], _score_bounds(stems)
    for stem, values, mp3 in zip(stems, levels, audio):
        picture = to_png((values - loudest) / RANGE_DB + 1)
        rows.append(_stem_row(stem, picture, mp3, sample_rate))
        if stem.scores is not None:
            rows.append(_score_row(stem, windows, start, duration, bounds))
    return f"""\
<div class="sksvs-player" id="{identity}" role="group" aria-label="Player: {escape(name)}"
 data-duration="{duration:.6f}" data-start="{start:.6f}">
<style>{read_asset("player.css")}</style>
<div class="sksvs-row">
<div class="sksvs-controls">
<button type="button" class="sksvs-play" aria-pressed="false">▶ Play</button>
<output class="sksvs-clock"></output></div>
<input type="range" class="sksvs-seek" min="0" max="{duration:.6f}" step="0.01" value="0"
 aria-label="Position"></div>
{"".join(rows)}
<div class="sksvs-row"><span></span>{_axis(start, duration)}</div>
<p class="sksvs-note">Spectrograms: 0 to {top_frequency(sample_rate) / 1000:g} kHz on the mel scale,
{RANGE_DB:g} dB from dark to light, one scale for all. Solo plays a stem alone; with Shift, beside
other solos.</p>
<p class="sksvs-note sksvs-error" role="alert"></p>
<script>({read_asset("player.js")})(document.getElementById("{identity}"));</script>
</div>
"""


@cache
def read_asset(name):
    """Return the text of a file in this folder."""
    return files("sksvs.display").joinpath(name).read_text(encoding="utf-8").strip()


def data_url(kind, content):
    """Return bytes as a URL that holds them."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def minutes(seconds):
    """Return a time as text: "1:02", or "1:02.5" where it is no whole second."""
    tenths = round(seconds * 10)
    rest = f".{tenths % 10}" if tenths % 10 else ""
    return f"{tenths // 600}:{tenths // 10 % 60:02d}{rest}"


def _stem_row(stem, picture, mp3, sample_rate):
    name = escape(stem.name)
    top = mel(top_frequency(sample_rate))
    labels = "".join(
        f'<span class="sksvs-hz" style="bottom:{100 * mel(hz) / top:.1f}%" aria-hidden="true">'
        f"{f'{hz / 1000:g} kHz' if hz >= 1000 else f'{hz} Hz'}</span>"
        for hz in FREQUENCIES
        if mel(hz) < 0.95 * top
    )
    return f"""\
<div class="sksvs-row sksvs-stem" data-name="{name}">
<div class="sksvs-controls"><span class="sksvs-name" title="{name}">{name}</span>
<output class="sksvs-db">0 dB</output>
<button type="button" class="sksvs-solo" aria-pressed="false" aria-label="Solo {name}">Solo</button>
<button type="button" class="sksvs-mute" aria-pressed="{str(stem.muted).lower()}"
 aria-label="Mute {name}">Mute</button>
<input type="range" class="sksvs-gain" min="-30" max="6" step="1" value="0"
 aria-label="Gain of {name} in dB"></div>
<div class="sksvs-lane"><img alt="Spectrogram of {name}" src="{data_url("image/png", picture)}">
{labels}<div class="sksvs-cursor"></div></div>
<audio controls preload="none" src="{data_url("audio/mpeg", mp3)}"></audio></div>
"""


def _to_mp3(samples, sample_rate):
    """Return samples as an MP3 file; more than two channels are averaged."""
    if samples.ndim == 2 and samples.shape[1] > 2:
        samples = to_mono(samples)
    n_channels = 1 if samples.ndim == 1 else samples.shape[1]
    bitrate = (80 if sample_rate >= 16000 else 32) * n_channels
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stem.mp3"
        write(path, np.asarray(samples, np.float32), sample_rate, bitrate=bitrate)
        return path.read_bytes()


def _score_bounds(stems):
    """Return the drawn range of the scores of all stems, with 0 dB in it."""
    scores = [stem.scores for stem in stems if stem.scores is not None]
    known = np.clip(np.concatenate(scores or [[]]), *DRAWN_SCORES)
    known = known[~np.isnan(known)]
    return known.min(initial=0.0), known.max(initial=1.0)


def _score_row(stem, windows, start, duration, bounds):
    """Return a row with a bar for the score of each window."""
    low, high = bounds
    bars = []
    for (begin, end), score in zip(windows, stem.scores):
        if not np.isnan(score):
            ends = np.clip([max(score, 0), min(score, 0)], low, high)
            top, bottom = 100 * (high - ends) / (high - low)
            width = 95 * (end - begin) / duration
            bars.append(
                f'<rect x="{100 * begin / duration:.3f}" width="{width:.3f}" y="{top:.2f}" '
                f'height="{max(bottom - top, 1):.2f}"><title>{minutes(start + begin)}: '
                f"{score:.1f} dB</title></rect>"
            )
    median = f"{np.nanmedian(stem.scores):.1f} dB" if bars else "undefined"
    name = escape(stem.name)
    return f"""\
<div class="sksvs-row"><div class="sksvs-note">SDR by window: median {median}, axis from
{low:.0f} to {high:.0f} dB</div>
<div class="sksvs-lane sksvs-score"><svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img"
 aria-label="SDR of {name} by window">{"".join(bars)}</svg><div class="sksvs-cursor"></div></div>
</div>
"""


def _axis(start, duration):
    """Return the times of the song below the stems."""
    step = next((s for s in TICK_STEPS if duration / s <= MAX_TICKS), 1200)
    first = int(np.ceil(start / step - 1e-9))
    times = np.arange(first, (start + duration * 0.97) / step) * step
    ticks = (
        f'<span style="left:{100 * (time - start) / duration:.2f}%">{minutes(time)}</span>'
        for time in times
    )
    return f'<div class="sksvs-axis" aria-hidden="true">{"".join(ticks)}</div>'
