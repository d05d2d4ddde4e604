"""Open karaoke clips: the accompaniment in the left channel, the voice in the right one."""

from pathlib import Path

from sksvs.audio import AudioFile, Sources
from sksvs.datasets.bundle import VOICE_AND_REST, check_choice


def folder_of_clips(root):
    """Return the folder Wavfile in `root` if there is one, else `root` itself."""
    folder = Path(root) / "Wavfile"
    return folder if folder.is_dir() else Path(root)


def open_clips(paths, mix, strict):
    """Return the mixtures and the sources of clips, without reading their samples.

    Parameters
    ----------
    paths : list of path-like
    mix : {"0dB", "natural"}
        "0dB": voice and accompaniment are divided by their L2 norms and added. "natural": they are
        added as recorded.
    strict : bool

    Returns
    -------
    X : list of Waveform
        Mono.
    y : list of Sources, each (2, n_samples)
        Called "vocals" and "accompaniment".

    Raises
    ------
    ValueError
        If a file does not have two channels; it is named.
    """
    check_choice("mix", mix, ("0dB", "natural"))
    X, y = [], []
    for path in paths:
        clip = AudioFile(path, strict=strict)
        if clip.ndim != 2 or clip.shape[1] != 2:
            raise ValueError(
                f"{clip.name} must have two channels, accompaniment left and voice right; got "
                f"shape {clip.shape}."
            )
        voice, accompaniment = clip.channel(1), clip.channel(0)
        if mix == "0dB":
            voice, accompaniment = voice.unit_norm(), accompaniment.unit_norm()
        X.append(voice + accompaniment)
        y.append(Sources([voice, accompaniment], VOICE_AND_REST))
    return X, y
