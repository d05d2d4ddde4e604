import numpy as np
import pytest

from sksvs.audio import ArrayWaveform, Sources
from sksvs.stft import Spectrogram, STFTParams
from sksvs.stft.tracks import (
    check_mixtures,
    check_sources,
    check_spectrograms,
    common_params,
    common_source_names,
    default_source_names,
)
from sksvs.transforms import IRMTarget

MONO = np.ones(100)
STEREO = np.ones((100, 2))
SPECTROGRAM = Spectrogram(ArrayWaveform(MONO), STFTParams(16, 8))


def at(rate, name, samples=MONO):
    return ArrayWaveform(samples, rate, name)


def test_waveforms_keep_their_names_and_arrays_get_one():
    named = at(8000, "/songs/a.wav")
    checked = check_mixtures([MONO, named])
    assert [w.name for w in checked] == ["X[0]", "/songs/a.wav"]
    assert checked[1] is named


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([], ValueError, "X is empty: at least one track is needed"),
        (None, TypeError, "X must be a list of waveforms.* got NoneType"),
        (
            MONO,
            TypeError,
            r"got an array of shape \(100,\)\. Put a single track into a list, \[x\]",
        ),
        ("song.wav", TypeError, "X must be a list of waveforms.* got str"),
        ([MONO, np.ones((1, 2, 3))], ValueError, r"X\[1\] must have shape .* got \(1, 2, 3\)"),
        ([MONO, np.zeros(0)], ValueError, r"X\[1\] is empty"),
        ([np.ones(5, int)], TypeError, r"X\[0\] must hold floating-point samples"),
        ([["a"]], TypeError, r"X\[0\] must be one waveform, an array or an AudioFile; got list"),
        (["a.wav"], TypeError, r"X\[0\] must be .*; got str. Open the file with .*AudioFile"),
        ([None], TypeError, r"X\[0\] must be .*; got NoneType"),
        ([(MONO, 44100)], TypeError, r"X\[0\] must be .*; got tuple"),
        ([np.ones(5, np.int32)], TypeError, r"got int32. Divide int32 .* by 2147483648"),
        ([np.ones((2, 900))], ValueError, r"X\[0\] .* got \(2, 900\), which is 900 channels"),
        ([Sources([at(1, "a")])], TypeError, r"X\[0\] must be one .* got the 1 sources"),
        ([SPECTROGRAM], TypeError, r"X\[0\] must be one .* got Spectrogram\. Put STFTTra"),
    ],
)
def test_mixtures_are_refused_by_track_and_reason(X, error, message):
    with pytest.raises(error, match=message):
        check_mixtures(X)


def test_sources_may_be_arrays_lists_or_lazy():
    mixtures = check_mixtures([MONO] * 3)
    lazy = Sources([at(None, "voice"), at(None, "music")])
    tracks = check_sources([np.ones((2, 100)), [MONO, MONO], lazy], mixtures)
    assert [len(track) for track in tracks] == [2, 2, 2]
    assert tracks[2][0].name == "voice"


def named(*names):
    return Sources([at(None, f"/{name}.wav") for name in names], names)


def test_names_of_sources_are_those_of_the_tracks_that_have_any():
    without = Sources([at(None, "a"), at(None, "b")])
    assert common_source_names([np.ones((2, 100)), without, [MONO, MONO]]) is None
    assert common_source_names([without, named("a", "b"), [MONO, MONO]]) == ("a", "b")
    assert common_source_names([named("a", "b"), named("a", "b")]) == ("a", "b")


@pytest.mark.parametrize("others", [("b", "a"), ("a", "c"), ("A", "b")])
def test_tracks_whose_sources_have_other_names_are_named(others):
    message = (
        rf"of y\[2\] \(/{others[0]}.wav\) are {', '.join(others)}, but those of "
        r"y\[1\] \(/a.wav\) are a, b\. Every"
    )
    with pytest.raises(ValueError, match=message):
        common_source_names([np.ones((2, 100)), named("a", "b"), named(*others)])


def test_names_that_cannot_be_those_of_files_are_refused():
    with pytest.raises(ValueError, match=r"of y\[0\] \(/a/b.wav\): source_names_ must be .* names"):
        common_source_names([named("a/b", "c")])


def test_sources_without_names_get_some():
    assert default_source_names(2) == ("vocals", "accompaniment")
    assert default_source_names(4) == ("vocals", "source_1", "source_2", "source_3")


def test_sources_with_channels_are_averaged_for_a_mono_mixture():
    sources = np.arange(400.0).reshape(2, 100, 2)
    (track,) = check_sources([sources], check_mixtures([MONO]))
    np.testing.assert_array_equal(track[1][:], sources[1].mean(axis=1))


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([MONO], None, "y is needed"),
        ([MONO], [], "y is empty"),
        ([MONO, MONO], [np.ones((2, 100))], "got 2 mixtures and 1 sets of sources"),
        (
            [MONO],
            [np.ones((2, 90))],
            r"y\[0\] must have shape \(n_sources, 100\) or .* to match X\[0\]; got \(2, 90\)",
        ),
        ([MONO], [np.ones((1, 100))], r"y\[0\] must hold two sources or more, .* \(1, 100\)"),
        ([MONO], [np.ones((65, 100))], r"y\[0\] must hold up to 64 sources; got 65"),
        ([MONO], [MONO], r"y\[0\] must hold two sources or more, .* got an array of shape \(100,"),
        (
            [MONO, MONO],
            [np.ones((2, 100)), np.ones((3, 100))],
            r"y\[1\] has 3 sources, but y\[0\] has 2",
        ),
        (
            [STEREO],
            [np.ones((2, 100))],
            r"X\[0\] has \(100, 2\): a mixture with channels needs sources with the same channels",
        ),
        (
            [at(8000, "/a.wav")],
            [[at(8000, "/v.wav"), at(16000, "/m.wav")]],
            "/m.wav has a sample rate of 16000 Hz, but /a.wav has 8000 Hz",
        ),
        (
            [at(None, "/a.wav")],
            [[at(None, "/v.wav"), at(None, "/m.wav", np.ones(9))]],
            r"y\[0\] \(/m.wav\) must have shape .* to match X\[0\] \(/a.wav\)",
        ),
    ],
)
def test_sources_are_refused_by_track_and_reason(X, y, message):
    with pytest.raises(ValueError, match=message):
        check_sources(y, check_mixtures(X))


@pytest.mark.parametrize("sources", [None, {"voice": MONO}, at(8000, "a"), "a.wav"])
def test_what_is_no_set_of_sources_is_refused_without_reading_it(sources):
    with pytest.raises(TypeError, match=r"y\[0\] must be the sources .* Write \[voice, accompan"):
        check_sources([sources], check_mixtures([MONO]))


def test_two_known_rates_are_refused_wherever_they_stand():
    spectrograms = [
        Spectrogram(at(rate, str(rate)), STFTParams(64, 32, sample_rate=rate))
        for rate in (None, 16000, 44100)
    ]
    with pytest.raises(ValueError, match="44100 has a sample rate of 44100 Hz, but 16000 has"):
        check_spectrograms(spectrograms, None)
    y = [[at(rate, f"{rate} {i}") for i in (0, 1)] for rate in (16000, 44100)]
    with pytest.raises(ValueError, match="44100 0 has a sample rate of 44100 Hz, but 16000 0 has"):
        check_sources(y, check_mixtures([MONO, MONO]))


def test_spectrograms_of_different_analyses_are_refused():
    def spectrogram(n_fft, rate=None):
        return Spectrogram(at(rate, f"n_fft {n_fft}"), STFTParams(n_fft, 32, sample_rate=rate))

    assert len(check_spectrograms([spectrogram(64), spectrogram(64, 8000)], None)) == 2
    with pytest.raises(ValueError, match="n_fft 128 was analysed with n_fft=128 instead of 64"):
        check_spectrograms([spectrogram(64), spectrogram(128)], None)
    with pytest.raises(TypeError, match=r"X\[0\] must be a Spectrogram; got ndarray. Put STFT"):
        check_spectrograms([MONO], IRMTarget())


def test_tracks_of_several_known_rates_are_analysed_alike_if_windows_last_as_long():
    params = STFTParams(64, 32, sample_rate=16000)
    X = [Spectrogram(at(r, str(r)), params.at_rate(r)) for r in (44100, 16000, 48000)]
    assert check_spectrograms(X, None) == X
    assert common_params(X) == params
    y = [[at(x.params.sample_rate, f"{i}{j}") for j in (0, 1)] for i, x in enumerate(X)]
    mixtures = [x.waveform for x in X]
    assert [[s.name for s in track] for track in check_sources(y, mixtures)][2] == ["20", "21"]
    with pytest.raises(ValueError, match="20 has a sample rate of 48000 Hz, but 44100 has 44100"):
        check_sources([y[2], *y[1:]], mixtures)
    other = Spectrogram(at(16000, "other"), STFTParams(64, 16, sample_rate=16000))
    with pytest.raises(ValueError, match="other was analysed with .*hop_length=16 instead of 88"):
        check_spectrograms([X[0], other], None)
