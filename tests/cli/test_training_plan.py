import pytest

from sksvs.augmentation import Augmentation
from sksvs.cli.training_plan import (
    HOURS,
    MAX_EPOCHS,
    choose_epochs,
    choose_hours,
    choose_window,
    make_separator,
    plan_in_words,
)
from sksvs.estimators import CRNSeparator, GRUMaskSeparator

VARIED = Augmentation(gain_db=5.0, remix=0.5, shift=0.5, speed=(0.35, 0.1))


def test_the_convolutional_network_has_dual_paths_unless_it_is_given_hidden_layers():
    separator = make_separator("crn", dropout=0.1, batch_size=None)
    assert type(separator) is CRNSeparator
    assert (separator.hidden_layer_sizes, separator.dropout, separator.batch_size) == ((), 0.1, 8)
    assert separator.dual_path_sizes == ((24, 48), (24, 48))
    assert (separator.loss, separator.learning_rate) == ("segment_error_ratio", "cosine")
    other = make_separator("crn", hidden_layer_sizes=(64,))
    assert (other.hidden_layer_sizes, other.dual_path_sizes) == ((64,), ())


@pytest.mark.parametrize("network", ["crn", "gru"])
def test_sources_are_varied_unless_it_is_switched_off(network):
    assert make_separator(network).augmentation.get_params() == VARIED.get_params()
    assert make_separator(network, augmented=False).augmentation is None


@pytest.mark.parametrize(("pairs", "remix"), [(True, 0.8), (False, 1.0)])
def test_dry_voices_get_effects_and_other_accompaniments(pairs, remix):
    separator = make_separator("crn", dry_voices=True, pairs=pairs)
    of_voices = {"remix": remix, "effects": 0.5, "drop": (0.03, 0.05)}
    assert separator.augmentation.get_params() == VARIED.get_params() | of_voices
    assert separator.error_floor > make_separator("crn").error_floor
    assert make_separator("crn", dry_voices=True, augmented=False).augmentation is None


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_a_window_lasts_about_64_ms_at_any_rate(rate):
    n_fft, hop_length = choose_window(rate)
    assert n_fft == 2 * hop_length
    assert 0.064 <= n_fft / rate < 0.068


def test_what_is_given_of_the_window_is_kept():
    assert choose_window(44100, 512) == (512, 256)
    assert choose_window(16000, None, 100) == (1024, 100)
    assert choose_window(16000, 3, 2) == (3, 2)
    assert choose_window(16000, 2) == (2, 1)


@pytest.mark.parametrize(
    ("hours", "hours_of_epoch", "expected"),
    [(10, 2.5, 4), (1, 2.5, 1), (0.01, 1, 1), (3, 2, 2), (1000, 0.001, MAX_EPOCHS)],
)
def test_epochs_follow_from_hours(hours, hours_of_epoch, expected):
    assert choose_epochs("crn", hours_of_epoch, 1024, 512, 16000, hours) == expected


@pytest.mark.parametrize("network", HOURS)
def test_an_hour_of_work_is_less_audio_where_an_hour_of_audio_is_more_bins(network):
    def hours(*analysis):
        return choose_epochs(network, 0.01, *analysis) / 100

    assert hours(1024, 512, 16000) == HOURS[network]
    assert hours(1024, 256, 16000) == HOURS[network] / 2
    assert hours(2880, 1440, 44100) == pytest.approx(HOURS[network] * 16 / 44.1, abs=0.01)
    assert hours(1024, 512, 44100) == hours(2880, 1440, 44100)
    assert choose_hours(network, 1024, 256, 16000) == HOURS[network] / 2


@pytest.mark.parametrize(
    ("separator", "n_tracks", "hours", "words"),
    [
        (
            make_separator("gru", max_iter=1),
            1,
            0.5,
            "a GRU network of 2,300,000 parameters on 1 track (30 min): 1 epoch, 30 min of audio.",
        ),
        (
            make_separator("crn", max_iter=1200, early_stopping=True),
            2,
            1e-3,
            "a CRN of 270,000 parameters on 2 tracks (3.6 s): at most 1,200 epochs, 1.2 h of "
            "audio.",
        ),
    ],
)
def test_a_plan_is_said_in_one_line(separator, n_tracks, hours, words):
    assert isinstance(separator, (CRNSeparator, GRUMaskSeparator))
    assert plan_in_words(separator, 513, n_tracks, hours) == f"Training {words}"


@pytest.mark.parametrize(
    ("n_times", "given", "words"),
    [
        (10, (10, 2.0), "on 10 tracks (2.0 h): 3 epochs, 6.0 h of audio."),
        (
            19,
            (10, 1.0),
            "on 10 tracks (2.0 h, some of them several times): 3 epochs, 6.0 h of audio.",
        ),
        (
            10,
            (4000, 400.0),
            "on 10 tracks (2.0 h): 3 epochs, 6.0 h of audio. Of 4,000 tracks (400.0 h) 10 are "
            "used.",
        ),
    ],
)
def test_it_is_said_which_tracks_are_used(n_times, given, words):
    separator = make_separator("crn", max_iter=3)
    assert plan_in_words(separator, 513, 10, 2.0, n_times, given).endswith(words)
