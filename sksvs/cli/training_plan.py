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
AUGMENTATION = {"gain_db": 5.0, "remix": 0.5, "shift": 0.5}
SPEEDS = 0.35, 0.1  # of the first source, the voice, and of every other
OF_DRY_VOICES = {"effects": 0.5, "drop": (0.03, 0.05)}  # which records hardly have
FINE_TUNING_RATE = 0.0003  # of a network that has been trained before
KINDS = {"CRNSeparator": "CRN", "DRNNSeparator": "DRNN", "GRUMaskSeparator": "GRU network"}
ERROR_FLOOR = 0.015  # where voices rest as long as between files


def make_separator(network, *, n_sources=2, augmented=True, dry_voices=False, pairs=True, **given):
    """Return the strongest separator of a kind that two cores train within an hour.

    Parameters
    ----------
    network : {"crn", "gru"}
    n_sources : int, default=2
    augmented : bool, default=True
        Whether the sources are augmented.
    dry_voices : bool, default=False
        Whether there are voices and accompaniments that do not belong together: the voices get
        effects, either is silent at times, the loss rewards silence less, and four of five segments
        are mixed of different tracks.
    pairs : bool, default=True
        Whether there are voices that belong to their accompaniments. Without them, all segments are
        mixed of different tracks.
    **given : dict
        Parameters to set differently; None keeps the default. Hidden layers of a "crn" replace its
        dual-path blocks.

    Returns
    -------
    CRNSeparator or GRUMaskSeparator
    """
    from sksvs.estimators import CRNSeparator, GRUMaskSeparator

    parameters = SETTINGS[network] | {"cache_size": 500}
    parameters |= {name: value for name, value in given.items() if value is not None}
    if network == "crn" and given.get("hidden_layer_sizes"):
        parameters["dual_path_sizes"] = ()
    if augmented:
        parameters["augmentation"] = choose_augmentation(n_sources, dry_voices, pairs)
    if dry_voices:
        parameters.setdefault("error_floor", ERROR_FLOOR)
    return {"crn": CRNSeparator, "gru": GRUMaskSeparator}[network](**parameters)


def choose_augmentation(n_sources, dry_voices, pairs):
    """Return the augmentation for a kind of training data, see `make_separator`."""
    from sksvs.augmentation import Augmentation

    voice, other = SPEEDS
    changes = AUGMENTATION | {"speed": (voice, *[other] * (n_sources - 1))}
    if dry_voices:
        changes |= OF_DRY_VOICES | {"remix": 0.8 if pairs else 1.0}
    return Augmentation(**changes)


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


def choose_hours(network, n_fft, hop_length, sample_rate):
    """Return the hours of audio that two cores process within an hour.

    Work is proportional to the number of bins of the STFT, so it is less audio at a higher sample
    rate or with more overlap.

    Parameters
    ----------
    network : {"crn", "gru"}
    n_fft, hop_length : int
        In samples.
    sample_rate : float
        In Hz.

    Examples
    --------
    >>> choose_hours("crn", 1024, 512, 16000), choose_hours("crn", 1024, 256, 16000)
    (20.0, 10.0)
    """
    bins = 3600 * sample_rate / hop_length * (n_fft / 2)  # of an hour of audio
    return HOURS[network] * BINS_OF_AN_HOUR / bins


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
        Of audio. The default is what :func:`choose_hours` returns.

    Returns
    -------
    int
        1 or more.
    """
    if hours is None:
        hours = choose_hours(network, n_fft, hop_length, sample_rate)
    return min(MAX_EPOCHS, max(1, round(hours / hours_of_epoch)))


def plan_in_words(separator, n_freqs, n_tracks, hours_of_epoch, n_times=None, given=None):
    """Describe a fit in one line.

    Parameters
    ----------
    separator : CRNSeparator, DRNNSeparator or GRUMaskSeparator
        With its final number of epochs.
    n_freqs, n_tracks : int
    hours_of_epoch : float
    n_times : int, optional
        Tracks of an epoch where some of them come several times.
    given : (int, float), optional
        How many tracks there are, and their hours, where not all of them are used.

    Examples
    --------
    >>> plan_in_words(make_separator("crn", max_iter=5), 513, 132, 2.1)
    'Training a CRN of 270,000 parameters on 132 tracks (2.1 h): 5 epochs, 10.5 h of audio.'
    >>> print(plan_in_words(make_separator("crn", max_iter=1), 1441, 206, 7.0, given=(412, 14.0)))
    Training a CRN of 270,000 parameters on 206 tracks (7.0 h): 1 epoch, 7.0 h of audio. \
Of 412 tracks (14.0 h) 206 are used.
    """
    kind = KINDS[type(separator).__name__]
    n_params = float(f"{separator.count_params(n_freqs=n_freqs):.2g}")
    n_epochs = separator.max_iter
    at_most = "at most " if separator.early_stopping else ""
    repeated = ", some of them several times" if (n_times or 0) > n_tracks else ""
    words = (
        f"Training a {kind} of {n_params:,.0f} parameters on {_counted(n_tracks, 'track')} "
        f"({_duration(hours_of_epoch)}{repeated}): {at_most}{_counted(n_epochs, 'epoch')}, "
        f"{_duration(n_epochs * hours_of_epoch)} of audio."
    )
    if given is not None and given[0] > n_tracks:
        used = f"{n_tracks:,} {'is' if n_tracks == 1 else 'are'} used"
        words += f" Of {_counted(given[0], 'track')} ({_duration(given[1])}) {used}."
    return words


def _counted(number, what):
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _duration(hours):
    if hours >= 1:
        return f"{hours:.1f} h"
    return f"{60 * hours:.2g} min" if hours >= 1 / 60 else f"{3600 * hours:.1f} s"
