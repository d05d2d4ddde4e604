import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sksvs.audio import ArrayWaveform, Sources
from sksvs.augmentation import Augmentation, read_plan
from sksvs.masks import RatioMask, ideal_ratio_mask
from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Spectrogram, Target
from sksvs.training.measured_tracks import training_tracks
from sksvs.training.objective import Objective
from sksvs.training.readers import AugmentedReader, Segment, TrackReader
from sksvs.training.segments import SegmentBatches
from sksvs.transforms import MonoDownmix, STFTTransformer
from tests.strategies import SAMPLE_RATE, seeded_noise, tiny_tracks
from tests.tiny_separators import analysed

PARAMS = STFTParams(16, 8)
N_FREQS = PARAMS.n_freqs


def make_track(n_samples, seed, stereo=False, params=PARAMS):
    sources = seeded_noise((2, n_samples, 2) if stereo else (2, n_samples), seed)
    waveforms = [ArrayWaveform(s).to_mono() for s in sources]
    target = Target(tuple(Spectrogram(w, params) for w in waveforms), RatioMask())
    mixture = ArrayWaveform(sources.sum(axis=0), name=f"track {seed}").to_mono()
    return Spectrogram(mixture, params, target=target)


def make_batches(
    lengths,
    segment_frames,
    batch_size,
    seed,
    on_masks=True,
    cache=1e9,
    augmentation=None,
    stereo=False,
    params=PARAMS,
):
    tracks = [make_track(n, i, stereo, params) for i, n in enumerate(lengths)]
    loss = "mask_squared_error" if on_masks else "magnitude_squared_error"
    reader = TrackReader(tracks, Objective(loss, 2, 1), 1.0, cache, params)
    if augmentation is not None:
        reader = AugmentedReader(reader, augmentation, cache)
    rng = None if seed is None else np.random.RandomState(seed)
    mean, scale = np.zeros(N_FREQS, np.float32), np.ones(N_FREQS, np.float32)
    return SegmentBatches(reader, segment_frames, batch_size, mean, scale, rng)


lengths = st.lists(st.integers(1, 900), min_size=1, max_size=4)


@settings(max_examples=25)
@given(
    lengths=lengths,
    segment_frames=st.integers(1, 40),
    batch_size=st.integers(1, 9),
    seed=st.sampled_from([None, 0]),
    on_masks=st.booleans(),
)
def test_batches_have_one_shape_and_about_all_frames(
    lengths, segment_frames, batch_size, seed, on_masks
):
    batches = make_batches(lengths, segment_frames, batch_size, seed, on_masks)
    n_frames = batches.reader.n_frames
    epoch = list(batches)
    assert len({inputs.shape for inputs, *_ in epoch}) == 1
    for inputs, targets, weights, _ in epoch:
        assert inputs.dtype == targets.dtype == weights.dtype == np.float32
        assert targets.shape == (*inputs.shape[:2], N_FREQS * (1 if on_masks else 3))
        assert weights.shape == inputs.shape[:2]
        real = np.flatnonzero(weights[:, 0])
        np.testing.assert_array_equal(real, np.arange(len(real)))
        for values in (inputs, targets):
            assert not values[real][weights[real] == 0].any()
            # A last batch is filled up by segments of its own, without weight.
            for i in range(len(real), len(values)):
                np.testing.assert_array_equal(values[i], values[i % len(real)])
    weighed = sum(weights.sum() for _, _, weights, _ in epoch)
    segment = batches.segment_frames
    assert weighed >= sum(n_frames) or weighed >= sum(min(segment, n) for n in n_frames)
    assert weighed < sum(n_frames) + segment * len(lengths)


def test_every_segment_is_what_the_track_has_there():
    batches = make_batches([800], 10, 4, seed=0, on_masks=False)
    (track,) = batches.reader.spectrograms
    level = np.sqrt(np.mean(track.waveform[:] ** 2))
    expected = np.abs(track.stft).T / level
    voice = np.abs(track.target.sources[0].stft).T / level
    for inputs, targets, weights, _ in batches:
        for segment, target in zip(inputs[weights[:, 0] > 0], targets[weights[:, 0] > 0]):
            distance = np.abs(expected[:, np.newaxis] - segment[0]).max(axis=(1, 2))
            start = int(np.argmin(distance))
            np.testing.assert_allclose(segment, expected[start : start + 10], atol=1e-4)
            np.testing.assert_allclose(target[:, :N_FREQS], segment, atol=1e-4)
            found = target[:, N_FREQS : 2 * N_FREQS]
            np.testing.assert_allclose(found, voice[start : start + 10], atol=1e-4)


@pytest.mark.parametrize("segment_frames", [10, 40])
def test_the_silence_after_a_short_track_is_standardised_as_silence_in_a_track_is(segment_frames):
    batches = make_batches([900, 20], segment_frames, 3, seed=0)
    rng = np.random.default_rng(0)
    mean, scale = (rng.uniform(0.5, 2.0, N_FREQS).astype(np.float32) for _ in range(2))
    batches.mean, batches.scale = mean, scale
    n_padded = 0
    for inputs, _, weights, _ in batches:
        padding = inputs[: np.count_nonzero(weights[:, 0])][weights[weights[:, 0] > 0] == 0]
        np.testing.assert_allclose(
            padding, np.broadcast_to(-mean / scale, padding.shape), rtol=1e-6
        )
        n_padded += len(padding)
    assert n_padded > 0


def test_epochs_differ_and_validation_does_not():
    shuffled, fixed = (make_batches([900, 700], 10, 4, seed) for seed in (0, None))
    first, second = (np.concatenate([b[0] for b in shuffled]) for _ in range(2))
    assert not np.array_equal(first, second)
    first, second = (np.concatenate([b[0] for b in fixed]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_segments_of_all_tracks_are_mixed():
    batches = make_batches([4000, 4000], 10, 200, seed=0)
    drawn = [segment.track for segment in batches._draw()]
    changes = np.count_nonzero(np.diff(drawn))
    assert len(drawn) == 102
    assert changes > 30


def test_what_is_not_kept_is_computed_again_and_equal():
    # The budget of the third reader is enough for the first track alone.
    readers = [make_batches([900, 700], 10, 4, 0, cache=c).reader for c in (1e9, 0, 9000)]
    for track in (0, 1):
        values = [reader.read(Segment(track, 5, 50)) for reader in readers]
        for other in values[1:]:
            np.testing.assert_allclose(other[0], values[0][0], atol=1e-5)
            np.testing.assert_allclose(other[1], values[0][1], atol=1e-4)
    assert [len(reader._cache) for reader in readers] == [2, 0, 1]


def test_a_track_that_is_too_long_to_be_kept_leaves_the_others_kept():
    class Counted(ArrayWaveform):
        def _read(self, start, stop):
            n_read[self.name] = n_read.get(self.name, 0) + stop - start
            return super()._read(start, stop)

    def make_counted(n_samples, name):
        track = make_track(n_samples, 0)
        return Spectrogram(Counted(track.waveform[:], name=name), PARAMS, target=track.target)

    n_read = {}
    tracks = [make_counted(6000, "long"), make_counted(200, "short"), make_counted(200, "other")]
    reader = TrackReader(tracks, Objective("mask_squared_error", 2, 1), 1.0, 4e3, PARAMS)

    def read_all():
        n_read.clear()
        for track, n_frames in enumerate(reader.n_frames):
            reader.read(Segment(track, 0, n_frames))
        return set(n_read)

    assert read_all() == {"long", "short", "other"}
    assert read_all() == {"long"}


def test_statistics_are_those_of_all_frames():
    batches = make_batches([900, 5], 10, 4, 0)
    inputs = [batches.reader.read(Segment(i, 0, batches.reader.n_frames[i]))[0] for i in (0, 1)]
    mean, scale = batches.reader.input_statistics()
    frames = np.concatenate(inputs)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(scale, frames.std(axis=0), rtol=1e-4)


def test_the_number_of_workers_makes_no_difference(monkeypatch):
    epochs = []
    for n_threads in ("1", "2", "5"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        for augmentation in (None, Augmentation(6.0, 0.5, 0.5, 0.1)):
            batches = make_batches([900, 700, 20], 10, 4, seed=0, augmentation=augmentation)
            epochs.append([batch for _ in range(2) for batch in batches])
    for i in (0, 1):
        for other in epochs[i + 2 :: 2]:
            for a, b in zip(epochs[i], other, strict=True):
                assert a.tracks == b.tracks
                for one, two in zip(a[:3], b[:3]):
                    np.testing.assert_array_equal(one, two)


@settings(max_examples=15)
@given(
    lengths=lengths,
    kept=st.booleans(),
    on_masks=st.booleans(),
    channel=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 9),
)
def test_an_augmented_mixture_is_the_sum_of_its_sources(lengths, kept, on_masks, channel, seed):
    augmentation = Augmentation(6.0, 0.5, 0.5, 0.1, channel)
    batches = make_batches(
        lengths, 12, 3, seed, on_masks, 1e9 if kept else 0, augmentation, stereo=True
    )
    reader = batches.reader
    assert {w.n_channels for track in reader.sources for w in track} == {2 if channel else 1}
    for segment in batches._draw():
        inputs, target = reader.read(segment)
        sources = read_plan(segment[1], reader.sources, (len(inputs) - 1) * 8 + 16)
        whole = Spectrogram(ArrayWaveform(sources.sum(axis=0)), PARAMS)
        parts = [Spectrogram(ArrayWaveform(s), PARAMS) for s in sources]
        first = -PARAMS.first_sample(0) // 8  # frames that see the silence before a waveform
        inside = slice(first, first + len(inputs))
        mixture, *magnitudes = (np.abs(x.stft[:, inside]).T for x in (whole, *parts))
        # One over the level; a track of one sample is a constant, which is no sound.
        gain = np.linalg.norm(inputs) / max(np.linalg.norm(mixture), 1e-30)
        np.testing.assert_allclose(inputs, gain * mixture, atol=1e-4)
        if on_masks:
            expected = ideal_ratio_mask(np.stack(magnitudes))[0]
            np.testing.assert_allclose(target, expected, atol=1e-3)
        else:
            expected = gain * np.concatenate([mixture, *magnitudes], axis=1)
            np.testing.assert_allclose(target, expected, atol=1e-4)


def test_without_variation_an_augmented_segment_is_the_segment():
    plain = make_batches([900, 700], 10, 4, seed=0, on_masks=False)
    augmented = make_batches([900, 700], 10, 4, seed=0, on_masks=False, augmentation=Augmentation())
    track, start = 1, 20
    inputs, target = plain.reader.read(Segment(track, start, start + 10))
    segment = augmented.reader.draw(track, start, 10, np.random.RandomState(0))
    varied_inputs, varied_target = augmented.reader.read(segment)
    gain = np.linalg.norm(varied_inputs) / np.linalg.norm(inputs)
    assert gain == pytest.approx(1, abs=0.1)  # the sources' levels add up as if uncorrelated
    np.testing.assert_allclose(varied_inputs, gain * inputs, atol=1e-4)
    np.testing.assert_allclose(varied_target, gain * target, atol=1e-4)


@pytest.mark.parametrize("cache", [0, 1e9])
@pytest.mark.parametrize("steps", [[], [MonoDownmix()]])
def test_where_channels_are_chosen_a_panned_voice_gets_louder_or_goes(steps, cache):
    voice, music = seeded_noise((2, 4000), seed=0)
    voice, music = voice - voice.mean(), music - music.mean()
    sources = [np.stack([voice, 0 * voice], axis=1), np.stack([music, music], axis=1)]
    X = [sum(sources)]
    for step in (*steps, STFTTransformer(16, 8, PARAMS.window)):
        X = step.fit_transform(X)
    X = training_tracks(X, [sources], None)
    objective = Objective("magnitude_squared_error", 2, 1)
    plain = TrackReader([x.to_mono() for x in X], objective, 1.0, 0, PARAMS)
    spectra = plain.read(Segment(0, 20, 50))[1][:, N_FREQS:] * plain.levels[0]
    reader = AugmentedReader(plain, Augmentation(channel=0.5), cache)
    rng, gains = np.random.RandomState(0), set()
    for _ in range(30):
        segment = reader.draw(0, 20, 30, rng)
        gain = {None: 1.0, 0: 2.0, 1: 0.0}[segment[1][0].channel]  # against the mean
        level = np.sqrt(np.mean((gain * voice / 2) ** 2) + np.mean(music**2))
        expected = spectra * np.repeat([gain, 1.0], N_FREQS) / level
        np.testing.assert_allclose(reader.read(segment)[1][:, N_FREQS:], expected, atol=1e-4)
        gains.add(gain)
    assert gains == {0.0, 1.0, 2.0}


@pytest.mark.parametrize(("channel", "n_kept"), [(0.0, 2), (0.5, 1)])
def test_channels_are_kept_only_where_they_are_chosen_and_count_in_the_budget(channel, n_kept):
    one_track = 4 * 2 * 2 * 900  # bytes: two sources of two channels, or two tracks of means
    augmentation = Augmentation(channel=channel)
    batches = make_batches([900, 900], 10, 4, 0, True, one_track, augmentation, stereo=True)
    dtypes = [track[0][:1].dtype for track in batches.reader.sources]
    assert dtypes.count(np.float32) == n_kept  # what is not kept has the float64 of the arrays


AT_8_KHZ = STFTParams(16, 8, sample_rate=8000)


@pytest.mark.parametrize("dropped", [0, 1])
def test_where_a_source_is_dropped_the_segment_is_the_other_at_its_own_level(dropped):
    drop = tuple(float(j == dropped) for j in range(2))
    kept = 1 - dropped
    plain = make_batches([900, 700], 10, 4, seed=0, on_masks=False)
    reader = make_batches([900, 700], 10, 4, 0, False, augmentation=Augmentation(drop=drop)).reader
    inputs, target = reader.read(reader.draw(1, 20, 10, np.random.RandomState(0)))
    mixture, *sources = np.split(target, 3, axis=1)
    assert not sources[dropped].any()
    np.testing.assert_allclose(sources[kept], mixture, atol=1e-6)
    np.testing.assert_allclose(inputs, mixture, atol=1e-6)
    alone = plain.reader.spectrograms[1].target.sources[kept]
    expected = np.abs(alone.stft[:, 20:30]).T / alone.waveform.level
    np.testing.assert_allclose(mixture, expected, atol=1e-4)


def test_effects_are_those_of_the_voice_alone_and_in_the_mixture_and_its_target():
    augmentation = Augmentation(effects=1.0)
    batches = make_batches([30_000], 300, 2, 0, False, augmentation=augmentation, params=AT_8_KHZ)
    reader, n_processed = batches.reader, 0
    for segment in batches._draw():
        n_frames, plan = segment
        dry = n_frames, tuple(crop._replace(effects=None) for crop in plan)
        (_, target), (_, dry_target) = reader.read(segment), reader.read(dry)
        mixture, voice, music = np.split(target, 3, axis=1)
        _, dry_voice, dry_music = np.split(dry_target, 3, axis=1)
        np.testing.assert_array_equal(music, dry_music)
        assert np.all(mixture <= voice + music + 1e-5)
        assert np.sum(voice**2) == pytest.approx(np.sum(dry_voice**2), rel=0.1)
        n_processed += np.abs(voice - dry_voice).max() > 0.05
    assert n_processed > 0.8 * len(batches._draw())


def test_effects_do_not_depend_on_threads_or_on_what_is_in_memory(monkeypatch):
    augmentation, epochs = Augmentation(6.0, 0.5, effects=0.7, drop=0.2), []
    for limit, cache in (("1", 1e9), ("4", 1e9), ("4", 0)):
        monkeypatch.setenv("OMP_NUM_THREADS", limit)
        batches = make_batches(
            [3000, 2000], 40, 2, 0, augmentation=augmentation, cache=cache, params=AT_8_KHZ
        )
        epochs.append(list(batches))
    for one, *others in zip(*epochs):
        for other in others:
            np.testing.assert_allclose(one.inputs, other.inputs, atol=1e-5)
            np.testing.assert_allclose(one.targets, other.targets, atol=1e-5)


def test_effects_need_a_sample_rate():
    message = "track 0 has no sample rate, but the effects .* ArrayWaveform"
    with pytest.raises(ValueError, match=message):
        make_batches([900], 10, 4, 0, augmentation=Augmentation(effects=0.1))


def test_an_epoch_counts_its_frames_and_names_its_tracks():
    for augmentation in (None, Augmentation(remix=1.0)):
        batches = make_batches([400, 90], 10, 4, seed=0, augmentation=augmentation)
        n_segments = sum(np.count_nonzero(b.frame_weights[:, 0]) for b in batches)
        assert n_segments * batches.segment_frames == batches.n_frames
        assert {name for batch in batches for name in batch.tracks} == {"track 0", "track 1"}


class CountedWaveform(ArrayWaveform):
    """A waveform that counts how many of its samples are read."""

    n_read = 0

    def _read(self, start, stop):
        self.n_read += stop - start
        return super()._read(start, stop)


@pytest.mark.parametrize("augmented", [False, True])
def test_a_track_that_comes_several_times_is_measured_and_kept_once(augmented):
    X, y = tiny_tracks(3, n_channels=2)
    order = [0, 1, 0, 2, 0]
    X = [CountedWaveform(x, SAMPLE_RATE) for x in X]
    y = [Sources([CountedWaveform(s, SAMPLE_RATE) for s in sources]) for sources in y]
    everything = [*X, *(source for sources in y for source in sources)]
    n_samples = len(X[0])
    downmixes = MonoDownmix().transform([X[i] for i in order])
    tracks = training_tracks(*analysed(downmixes, [y[i] for i in order]), None)
    assert [tracks.index(x) for x in tracks] == [0, 1, 0, 3, 0]
    settings = Objective("magnitude_squared_error", 2, 1), 1.0, 0 if augmented else 1e9
    reader = TrackReader(tracks, *settings, tracks[0].params)
    assert [waveform.n_read for waveform in everything] == [n_samples] * 9

    actual = reader.input_statistics()[0]
    assert X[0].n_read < 3 * n_samples  # measured and analysed, with frames that overlap
    alone = [TrackReader(tracks[i : i + 1], *settings, tracks[0].params) for i in (0, 1, 3)]
    means = [one.input_statistics()[0] for one in alone]
    mean = (3 * means[0] + means[1] + means[2]) / 5  # of tracks of one length
    np.testing.assert_allclose(actual, mean, rtol=1e-4)

    for waveform in everything:
        waveform.n_read = 0
    if augmented:
        reader = AugmentedReader(reader, Augmentation(remix=1.0), 1e9)
        assert [waveform.n_read for waveform in everything[3:]] == [n_samples] * 6
        assert reader.spare_bytes == 1e9 - 4 * 6 * n_samples
        assert reader.sources[0] is reader.sources[2] is reader.sources[4]
    else:
        first, *others = (reader.read(Segment(track, 2, 9))[1] for track in (0, 2, 4))
        for other in others:
            np.testing.assert_array_equal(other, first)
        assert X[0].n_read == 0
