"""Draw one separated track: a column for the mixture and one for each source."""

import numpy as np

from sksvs.audio import to_mono
from sksvs.display.figures import make_axes
from sksvs.display.pictures import (
    RANGE_DB,
    decibels,
    mask_between,
    mel,
    mel_powers,
    top_frequency,
)
from sksvs.display.player import DRAWN_SCORES, FREQUENCIES

MAX_POINTS = 2000  # of a waveform
HEIGHTS = {"estimate": 2, "source": 2, "mask": 2, "waveform": 1, "scores": 1}  # of rows


def draw_separation(display, ax=None):
    """Draw a display.

    Parameters
    ----------
    display : SeparationDisplay
    ax : matplotlib.axes.Axes, optional
        As for :meth:`SeparationDisplay.plot`.

    Returns
    -------
    dict of str to matplotlib.axes.Axes
    """
    axes = _make_grid(display, ax)
    _draw_spectrograms(display, axes)
    _draw_waveforms(display, axes)
    if display.sources is not None:
        _draw_scores(display, axes)
    return axes


def _make_grid(display, ax):
    """Return the axes, by what they show, with titles."""
    left_out = () if display.sources is not None else ("source", "scores")
    rows = [row for row in HEIGHTS if row not in left_out]
    heights = [HEIGHTS[row] for row in rows]
    names = ["mixture", *display.source_names]
    ax = make_axes(ax, (3.4 * len(names), 0.85 * sum(heights) + 0.6))
    ax.set_axis_off()
    grid = ax.get_subplotspec().subgridspec(len(rows), len(names), height_ratios=heights)
    axes = {}
    for i, row in enumerate(rows):
        for column, name in enumerate(names):
            if column == 0 and row not in ("estimate", "waveform"):
                continue  # a mixture has nothing else
            key = f"{row} {column - 1}" if column else row.replace("estimate", "mixture")
            axes[key] = ax.figure.add_subplot(grid[i, column], sharex=axes.get("mixture"))
            is_lowest = row == (rows[-1] if column else "waveform")
            axes[key].tick_params(labelsize="small", labelbottom=is_lowest)
            if is_lowest:
                axes[key].set_xlabel("s", fontsize="small")
            title = {"estimate": name, "source": f"true {name}"}.get(row, row)
            axes[key].set_title(title, fontsize="medium")
    return axes


def _draw_spectrograms(display, axes):
    """Draw spectrograms and masks, each with one colour scale."""
    rate = display.sample_rate
    powers = {"mixture": mel_powers(display.mixture, rate)}
    for row, signals in (("estimate", display.estimates), ("source", display.sources)):
        for i, signal in enumerate(() if signals is None else signals):
            powers[f"{row} {i}"] = mel_powers(signal, rate)
    top = float(decibels(max(values.max() for values in powers.values())))
    levels = {key: decibels(values) for key, values in powers.items()}
    masks = {
        f"mask {i}": mask_between(powers[f"estimate {i}"], powers["mixture"])
        for i in range(len(display.estimates))
    }
    for pictures, low, high, label in ((levels, top - RANGE_DB, top, "dB"), (masks, 0, 1, "mask")):
        for key, values in pictures.items():
            image = _show(display, axes[key], values, low, high)
        bar = axes["mixture"].figure.colorbar(
            image, ax=[axes[key] for key in pictures], label=label, pad=0.01
        )
        bar.ax.tick_params(labelsize="small")


def _show(display, axes, values, low, high):
    """Draw one picture over time and mel frequency."""
    top = top_frequency(display.sample_rate)
    stop = display.start + len(display.mixture) / display.sample_rate
    ticks = [frequency for frequency in FREQUENCIES if frequency < top]
    axes.set_yticks(mel(ticks), [f"{frequency / 1000:g}" for frequency in ticks])
    axes.set_ylabel("kHz", fontsize="small")
    extent = (display.start, stop, 0, mel(top))
    look = {"cmap": "magma", "aspect": "auto", "origin": "lower", "interpolation": "nearest"}
    return axes.imshow(values, vmin=low, vmax=high, extent=extent, **look)


def _draw_waveforms(display, axes):
    """Draw the lowest and the highest sample of the downmix, over time."""
    peak = max(float(np.abs(display.mixture).max()), 1e-9)
    signals = {"waveform": display.mixture}
    signals |= {f"waveform {i}": signal for i, signal in enumerate(display.estimates)}
    for key, signal in signals.items():
        starts = np.arange(0, len(signal), -(-len(signal) // MAX_POINTS))
        ends = [reduce.reduceat(to_mono(signal), starts) for reduce in (np.minimum, np.maximum)]
        times = display.start + starts / display.sample_rate
        axes[key].fill_between(times, *ends, step="post", linewidth=0.3)
        axes[key].set_ylim(-peak, peak)


def _draw_scores(display, axes):
    """Draw the scores as steps; what is below the range of the player is cut off."""
    windows = display.windows_
    edges = display.start + np.array([*windows[0], *(end for _, end in windows[1:])])
    for i, scores in enumerate(display.scores_):
        own = axes[f"scores {i}"]
        own.stairs(scores, edges, baseline=0, fill=True, alpha=0.6)
        median = "undefined" if np.isnan(scores).all() else f"{np.nanmedian(scores):.1f} dB"
        own.set_title(f"SDR by window, median {median}", fontsize="medium")
        own.set_ylabel("dB", fontsize="small")
        own.set_ylim(max(own.get_ylim()[0], DRAWN_SCORES[0]), None)
