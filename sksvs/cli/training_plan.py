"""Choose what `sksvs fit` trains by default, and for how long."""

WINDOW = 0.064  # seconds
HOURS = {"crn": 20.0, "gru": 60.0}  # of audio at 16 kHz that two cores process within an hour
BINS_OF_AN_HOUR = 3600 * 16000  # of an STFT whose windows overlap by half, at 16 kHz
MAX_EPOCHS = 10_000  # of a corpus of seconds
# The best rows of benchmarks/mir1k_rows.py, see docs/mir1k.rst.
SETTINGS = {
    "crn": {"hidden_layer_sizes": (), "dual_path_sizes": ((24, 48), (24, 48))},
    "gru": {"hidden_layer_sizes": (192, 192, 192), "dropout": 0.4, "learning_rate_init": 0.002},
}


def make_separator(network, *, augmented=True, **given):
    """Return the strongest separator of a kind that two cores train within an hour.

    Parameters
    ----------
    network : {"crn", "gru"}
    augmented : bool, default=True
        Whether the sources are augmented.
    **given : dict
        Parameters to set differently; None keeps the default. Hidden layers of a "crn" replace its
        dual-path blocks.

    Returns
    -------
    CRNSeparator or GRUMaskSeparator
    """
    from sksvs.augmentation import Augmentation
    from sksvs.estimators import CRNSeparator, GRUMaskSeparator

    parameters = SETTINGS[network] | {"cache_size": 500}
    parameters |= {name: value for name, value in given.items() if value is not None}
    if network == "crn" and given.get("hidden_layer_sizes"):
        parameters["dual_path_sizes"] = ()
    if augmented:
        changes = Augmentation(gain_db=5.0, remix=0.5, shift=0.5, speed=(0.35, 0.1))
        parameters["augmentation"] = changes
    return {"crn": CRNSeparator, "gru": GRUMaskSeparator}[network](**parameters)


def choose_window(sample_rate, n_fft=None, hop_length=None):
    """Return ``(n_fft, hop_length)``: the given values, by default 64 ms and half a window.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    n_fft, hop_length : int, optional
        In samples.

    Examples
    --------
    >>> choose_window(16000), choose_window(44100), choose_window(44100, 4096)
    ((1024, 512), (2880, 1440), (4096, 2048))
    """
    from scipy.fft import next_fast_len

    if n_fft is None:
        n_fft = 2 * next_fast_len(round(WINDOW / 2 * sample_rate))
    return n_fft, hop_length or max(1, n_fft // 2)


def choose_epochs(network, hours_of_epoch, n_fft, hop_length, sample_rate, hours=None):
    """Return the number of epochs that amounts to some hours of audio.

    Parameters
    ----------
    network : {"crn", "gru"}
    hours_of_epoch : float
        Length of all tracks together.
    n_fft, hop_length : int
        In samples.
    sample_rate : float
        In Hz.
    hours : float, optional
        Of audio. The default is the amount that two cores process within an hour: work is
        proportional to the number of bins of the STFT, so it is less at a higher sample rate or
        with more overlap.

    Returns
    -------
    int
        1 or more.
    """
    if hours is None:
        bins = 3600 * sample_rate / hop_length * (n_fft / 2)  # of an hour of audio
        hours = HOURS[network] * BINS_OF_AN_HOUR / bins
    return min(MAX_EPOCHS, max(1, round(hours / hours_of_epoch)))


def plan_in_words(separator, n_freqs, n_tracks, hours_of_epoch):
    """Describe a fit in one line.

    Parameters
    ----------
    separator : CRNSeparator or GRUMaskSeparator
        Not fitted yet, with its final number of epochs.
    n_freqs, n_tracks : int
    hours_of_epoch : float

    Examples
    --------
    >>> plan_in_words(make_separator("crn", max_iter=5), 513, 132, 2.1)
    'Training a CRN of 270,000 parameters on 132 tracks (2.1 h): 5 epochs, 10.5 h of audio.'
    """
    kind = "CRN" if type(separator).__name__ == "CRNSeparator" else "GRU network"
    n_params = float(f"{separator.count_params(n_freqs=n_freqs):.2g}")
    n_epochs = separator.max_iter
    at_most = "at most " if separator.early_stopping else ""
    return (
        f"Training a {kind} of {n_params:,.0f} parameters on {_counted(n_tracks, 'track')} "
        f"({_duration(hours_of_epoch)}): {at_most}{_counted(n_epochs, 'epoch')}, "
        f"{_duration(n_epochs * hours_of_epoch)} of audio."
    )


def _counted(number, what):
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _duration(hours):
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{60 * hours:.2g} min" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"
