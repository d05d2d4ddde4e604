import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sksvs.audio import ArrayWaveform, Sources, write
from sksvs.audio.files import AudioFile
from sksvs.display import SeparationDisplay
from sksvs.estimators import MixtureBaseline
from sksvs.metrics import PROTOCOLS, bss_eval_images
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.display.conftest import Elements
from tests.strategies import SAMPLE_RATE, seeded_noise, tiny_tracks
from tests.tiny_separators import analysed

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def stereo_track():
    X, y = tiny_tracks(1, n_channels=2)
    names = ("voice", "rest")
    return [ArrayWaveform(X[0], SAMPLE_RATE, "song.wav")], [
        Sources(map(ArrayWaveform, y[0]), names)
    ]


def test_what_is_shown_is_what_the_separator_predicts(trained, tracks):
    X = analysed(tracks[0])[:1]
    display = SeparationDisplay.from_estimator(trained, X, sample_rate=SAMPLE_RATE, duration=None)
    np.testing.assert_array_equal(display.estimates, trained.predict(X)[0])
    np.testing.assert_array_equal(display.mixture, tracks[0][0])
    assert display.source_names == trained.source_names_
    assert (display.sources, display.windows_) == (None, [])


@pytest.mark.parametrize("mono", [False, True])
def test_a_pipeline_of_one_channel_shows_the_downmix_of_everything(mono):
    X, y = stereo_track()
    steps = [MonoDownmix()] * mono, [STFTTransformer(n_fft=64, hop_length=32), MixtureBaseline()]
    pipeline = make_pipeline(*steps[0], *steps[1]).fit(X, y)
    display = SeparationDisplay.from_estimator(pipeline, X, y)
    channels = () if mono else (2,)
    assert display.mixture.shape[1:] == channels
    assert display.estimates.shape == display.sources.shape == (2, *display.mixture.shape)
    assert (display.name, display.source_names) == ("song.wav", ("voice", "rest"))
    assert display.sample_rate == SAMPLE_RATE


def test_scores_are_those_of_the_protocol_in_the_excerpt(make_display):
    display = make_display(seconds=6, start=1.0, duration=3.5)
    assert display.start == 1.0
    assert display.windows_ == [(0, 1), (1, 2), (2, 3)]
    expected = bss_eval_images(
        display.sources,
        display.estimates,
        window=SAMPLE_RATE,
        hop=SAMPLE_RATE,
        framewise_filters=PROTOCOLS["musdb18"].variant.framewise_filters,
    )
    np.testing.assert_allclose(display.scores_, expected.sdr, atol=1e-6)
    display = make_display(with_sources=False)
    assert (display.windows_, display.scores_.shape) == ([], (2, 0))


def test_a_silent_source_has_no_scores_and_is_shown(make_display):
    display = make_display(1)
    silent = np.stack([np.zeros_like(display.mixture), display.mixture])
    display = SeparationDisplay.from_estimates(
        display.mixture, silent, sources=silent, sample_rate=SAMPLE_RATE
    )
    assert display.scores_.shape == (2, 2) and np.isnan(display.scores_).all()
    assert "median undefined" in display._repr_html_()
    assert "undefined" in display.plot().axes_["scores 0"].get_title()


def test_files_are_shown_by_their_excerpts(tmp_path, make_display):
    whole = make_display(seconds=4, duration=None)
    paths = [tmp_path / f"{name}.wav" for name in ("mixture", "voice", "rest")]
    for path, samples in zip(paths, [whole.mixture, *whole.estimates]):
        write(path, samples, SAMPLE_RATE, "FLOAT")
    mixture, *estimates = map(AudioFile, paths)
    display = SeparationDisplay.from_estimates(mixture, estimates, start=1.5, duration=2.0)
    part = slice(3 * SAMPLE_RATE // 2, 7 * SAMPLE_RATE // 2)
    np.testing.assert_array_equal(display.mixture, whole.mixture[part])
    np.testing.assert_array_equal(display.estimates, whole.estimates[:, part])
    assert display.name == str(paths[0])


def test_the_player_has_a_row_for_every_signal_and_the_estimates_sound(make_display):
    page = Elements(make_display(source_names=("voice", "band"))._repr_html_())
    rows = [row["data-name"] for row in page.of_class("sksvs-stem")]
    assert rows == ["mixture", "voice", "band", "voice, true", "band, true"]
    muted = [button["aria-pressed"] for button in page.of_class("sksvs-mute")]
    assert muted == ["true", "false", "false", "true", "true"]
    page = Elements(make_display(with_sources=False, alternatives=True)._repr_html_())
    assert len(page.of_class("sksvs-stem")) == 3
    muted = [button["aria-pressed"] for button in page.of_class("sksvs-mute")]
    assert muted == ["true", "false", "true"]


def test_all_spectrograms_have_one_scale_and_all_masks_another(make_display):
    display = make_display()
    assert display.plot() is display
    shown = {key: ax.images[0].get_clim() for key, ax in display.axes_.items() if ax.images}
    masks = [key for key in shown if key.startswith("mask")]
    assert masks == ["mask 0", "mask 1"]
    assert {shown.pop(key) for key in masks} == {(0, 1)}
    assert set(shown) == {"mixture", "estimate 0", "estimate 1", "source 0", "source 1"}
    ((low, high),) = set(shown.values())
    assert high - low == pytest.approx(80)
    limits = {ax.get_xlim() for ax in display.axes_.values()}
    assert limits == {(0, 2)}
    assert display.axes_["estimate 0"].get_title() == "vocals"
    display.figure_.canvas.draw()


def test_it_draws_in_the_place_of_given_axes(make_display):
    figure, (left, right) = pyplot.subplots(1, 2)
    display = make_display(with_sources=False).plot(ax=right)
    assert display.figure_ is figure
    assert "source 0" not in display.axes_ and "scores 0" not in display.axes_
    assert all(ax.get_position().x0 > 0.4 for ax in display.axes_.values())
    assert left.has_data() is False


def test_one_estimate_alone_can_be_shown(make_display):
    both = make_display()
    one = SeparationDisplay.from_estimates(
        both.mixture, both.estimates[:1], sources=both.sources[:1], sample_rate=SAMPLE_RATE
    )
    assert one.source_names == ("vocals",)
    assert one.scores_.shape == (1, 2)
    assert "mask 0" in one.plot().axes_


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_rate": None}, "has no known sample rate. Give sample_rate="),
        ({"estimates": np.zeros((2, 99))}, r"estimates\[0\] must have the shape of the mixture"),
        ({"sources": np.zeros((3, 100))}, "sources must have one for each of the 2 estimates"),
        ({"sources": np.zeros((2, 99))}, r"sources\[0\] must have the shape of the mixture, \(100"),
        ({"source_names": ("a",)}, "source_names must have a name for each of the 2 estimates"),
        ({"start": 1.0}, "start must be a time of"),
    ],
)
def test_what_does_not_match_is_an_error(change, message):
    x = seeded_noise((2, 100), 0)
    facts = {"estimates": x, "sample_rate": SAMPLE_RATE, **change}
    with pytest.raises(ValueError, match=message):
        SeparationDisplay.from_estimates(x[0], facts.pop("estimates"), **facts)


def test_more_than_one_track_is_an_error(trained, tracks):
    X = analysed(tracks[0])
    with pytest.raises(ValueError, match=r"X must hold one track, which is shown; got 3. Pass"):
        SeparationDisplay.from_estimator(trained, X)
