import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline

from sksvs.audio import ArrayWaveform, AudioFile, Sources, read, write
from sksvs.estimators import (
    GRUMaskSeparator,
    MixtureBaseline,
    StreamingSeparator,
    VotingSeparator,
)
from sksvs.estimators.base import BaseMaskSeparator
from sksvs.model_files import load, save
from sksvs.separation import separate_file
from sksvs.stft import Spectrogram
from sksvs.transforms import IRMTarget, STFTTransformer
from tests.strategies import tiny_tracks
from tests.tiny_separators import analysed, three_sources, tiny_crn, tiny_drnn, tiny_separator


def members():
    """Return networks that read both ways, forwards, and frames of context: their blocks differ."""
    return [
        ("both_ways", tiny_separator(max_iter=1)),
        ("forwards", tiny_separator(max_iter=1, bidirectional=False, random_state=1)),
        ("drnn", tiny_drnn(max_iter=1)),
        ("crn", tiny_crn(max_iter=1)),
    ]


@pytest.fixture(scope="module")
def voting(tracks):
    return VotingSeparator(members()).fit(*analysed(*tracks))


def test_the_masks_are_the_mean_of_those_of_the_members(voting, tracks):
    X = analysed(tracks[0])
    masks = [member.predict_mask(X) for member in voting.estimators_]
    for i, mean in enumerate(voting.predict_mask(X)):
        expected = np.mean([of_member[i] for of_member in masks], axis=0)
        np.testing.assert_allclose(mean, expected, atol=1e-6)
        np.testing.assert_allclose(mean.sum(axis=0), 1, atol=1e-6)
    assert np.ptp([of_member[0] for of_member in masks], axis=0).max() > 0.01


def test_sources_keep_their_names(tracks):
    X, y = tracks
    names = ("voice", "rest")
    named = [Sources(map(ArrayWaveform, sources), names) for sources in y]
    pair = [(name, tiny_separator(max_iter=1)) for name in ("a", "b")]
    voting = VotingSeparator(pair).fit(*analysed(X, named))
    assert voting.source_names_ == names
    assert [member.source_names_ for member in voting.estimators_] == [names] * 2
    assert voting.fit(*analysed(X, y)).source_names_ == ("vocals", "accompaniment")


def test_songs_of_many_blocks_have_the_mean_of_their_members_masks(voting):
    X = analysed(tiny_tracks(1, duration=8.0)[0])
    assert X[0].n_frames > 1200
    expected = np.mean([member.predict_mask(X)[0] for member in voting.estimators_], axis=0)
    np.testing.assert_allclose(voting.predict_mask(X)[0], expected, atol=1e-6)
    blocks = np.concatenate(list(voting.iter_blocks(X)), axis=1)
    np.testing.assert_array_equal(blocks, voting.predict(X)[0])
    np.testing.assert_allclose(blocks.sum(axis=0), X[0].waveform[:], atol=1e-5)


def test_members_learn_what_they_would_learn_alone(voting, tracks):
    X, y = analysed(*tracks)
    for (name, estimator), member in zip(members(), voting.estimators_):
        alone = clone(estimator).fit(X, y)
        for key, weights in alone.weights_.items():
            np.testing.assert_allclose(member.weights_[key], weights, atol=1e-6)
        assert voting.named_estimators_[name] is member
    assert voting.count_params() == sum(x.count_params() for x in voting.estimators_)
    assert not hasattr(voting.estimators[0][1], "weights_")


def test_weights_are_counted_by_member_and_layer(voting):
    counts = voting.count_params(by_layer=True)
    assert sum(counts.values()) == voting.count_params()
    for name, member in voting.named_estimators_.items():
        of_member = {k: n for k, n in counts.items() if k.startswith(f"{name}/")}
        expected = member.count_params(by_layer=True)
        assert of_member == {f"{name}/{layer}": n for layer, n in expected.items()}
    n_freqs = voting.stft_params_.n_freqs
    unfitted = VotingSeparator(members())
    assert unfitted.count_params(by_layer=True, n_freqs=n_freqs) == counts
    assert unfitted.count_params(n_freqs=n_freqs) == sum(counts.values())
    with pytest.raises(NotFittedError):
        unfitted.count_params()


@pytest.mark.slow
def test_members_fitted_in_processes_are_those_fitted_in_turn(tracks):
    (X, y), networks = analysed(*tracks), members()[:2]
    in_turn, at_once = (VotingSeparator(networks, n_jobs=n).fit(X, y) for n in (None, 2))
    for one, other in zip(in_turn.estimators_, at_once.estimators_):
        for key, weights in one.weights_.items():
            np.testing.assert_allclose(other.weights_[key], weights, atol=1e-5)
    assert list(at_once.named_estimators_) == ["both_ways", "forwards"]
    for wrong in (0, 1.5, "all"):
        with pytest.raises(ValueError, match="n_jobs must be an integer other than 0, or None"):
            clone(at_once).set_params(n_jobs=wrong).fit(X, y)


def test_others_weight_acts_on_the_mean(voting, tracks):
    X = analysed(tracks[0])
    mean, weighted = (
        copy.deepcopy(voting).set_params(others_weight=w).predict_mask(X)[0] for w in (1, 3)
    )
    np.testing.assert_allclose(weighted[0], mean[0] / (mean[0] + 3 * mean[1]), atol=1e-6)
    with pytest.raises(ValueError, match="others_weight must be from 1e-6 to 1e6; got 0"):
        copy.deepcopy(voting).set_params(others_weight=0).predict(X)


def test_parameters_of_members_are_reached_by_name():
    voting = VotingSeparator(members())
    voting.set_params(both_ways__dropout=0.1, others_weight=2.0)
    copied = clone(voting)
    assert copied.get_params()["both_ways__dropout"] == 0.1
    assert copied.get_params(deep=False).keys() == {
        "estimators",
        "transpositions",
        "weights",
        "others_weight",
        "side_weight",
        "n_jobs",
    }
    copied.set_params(drnn=tiny_separator(max_iter=7))
    assert dict(copied.estimators)["drnn"].max_iter == 7
    assert dict(voting.estimators)["drnn"].max_iter == 1


def test_it_ends_a_pipeline_that_is_saved_pickled_and_scored(tracks, tmp_path):
    voting = VotingSeparator(members()[:2], (1.0, 1.1), others_weight=1.5)
    steps = [("stft", STFTTransformer(64, 32)), ("voting", voting)]
    pipeline = Pipeline(steps).fit(*tracks)
    expected = pipeline.predict(tracks[0])
    save(pipeline, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    for again in (loaded, pickle.loads(pickle.dumps(pipeline))):
        np.testing.assert_array_equal(again.predict(tracks[0])[0], expected[0])
        assert again.score(*tracks) == pipeline.score(*tracks)
        assert str(again[-1].get_params()) == str(pipeline[-1].get_params())
        assert str(clone(again).get_params()) == str(clone(pipeline).get_params())
    assert loaded[-1].count_params() == pipeline[-1].count_params()


def test_the_fitted_members_are_saved_whatever_has_been_set_since(tracks, tmp_path):
    steps = [("stft", STFTTransformer(64, 32))]
    pipeline = Pipeline([*steps, ("voting", VotingSeparator(members()[:2]))]).fit(*tracks)
    expected = pipeline.predict(tracks[0])[0]
    pipeline[-1].set_params(estimators=pipeline[-1].estimators[1:], n_jobs=2)
    save(pipeline, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert list(loaded[-1].named_estimators_) == ["both_ways", "forwards"]
    assert loaded[-1].n_jobs is None
    np.testing.assert_array_equal(loaded.predict(tracks[0])[0], expected)
    pipeline[-1].set_params(others_weight=np.inf)
    with pytest.raises(ValueError, match="Step 'voting' has others_weight=inf, but a number must"):
        save(pipeline, tmp_path / "model.safetensors")


def test_a_name_like_that_of_what_is_learnt_keeps_statistics_exact(tracks, tmp_path):
    voting = VotingSeparator([("weights_", tiny_separator(max_iter=1))])
    pipeline = make_pipeline(STFTTransformer(64, 32), voting).fit(*tracks)
    save(pipeline, tmp_path / "model.safetensors", dtype="float16")
    loaded = load(tmp_path / "model.safetensors")[-1].estimators_[0]
    np.testing.assert_array_equal(loaded.input_mean_, pipeline[-1].estimators_[0].input_mean_)
    assert (loaded.weights_["mask/bias"] != pipeline[-1].estimators_[0].weights_["mask/bias"]).any()


@pytest.mark.slow
def test_a_search_sets_the_parameters_of_members(tracks):
    voting = VotingSeparator([("one", tiny_separator(max_iter=1))])
    pipeline = Pipeline([("stft", STFTTransformer(64, 32)), ("v", voting)])
    grid = {"v__one__max_iter": [1, 2], "v__one": [tiny_separator(), tiny_drnn()]}
    search = GridSearchCV(pipeline, grid, cv=KFold(2), error_score="raise").fit(*tracks)
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    best = search.best_estimator_[-1].estimators_[0]
    assert best.n_iter_ == search.best_params_["v__one__max_iter"]


def test_files_are_separated_and_read_twice_however_many_members(voting, tmp_path):
    samples = tiny_tracks(1, duration=2.0)[0][0]
    write(tmp_path / "song.wav", samples, 16000, subtype="FLOAT")
    pipeline = Pipeline([("stft", STFTTransformer(64, 32)), ("voting", voting)])
    stems = separate_file(pipeline, tmp_path / "song.wav", tmp_path / "out")
    expected = pipeline.predict([AudioFile(tmp_path / "song.wav")])[0]
    for stem, estimate in zip(stems, expected):
        np.testing.assert_allclose(read(stem)[0], estimate, atol=1e-6)

    class Counted(ArrayWaveform):
        n_read = 0

        def __getitem__(self, key):
            got = super().__getitem__(key)
            Counted.n_read += len(got)
            return got

    alike = VotingSeparator(members()[:1] * 3)
    alike._set_members("abc", voting.estimators_[:1] * 3)
    alike.predict([Spectrogram(Counted(samples), voting.stft_params_)])
    assert Counted.n_read < 2.2 * len(samples)


def test_a_stream_takes_no_vote(voting):
    with pytest.raises(TypeError, match="A stream needs a separator with one.*got VotingSeparator"):
        StreamingSeparator(voting)


def test_three_sources_groups_and_tracks_to_validate(tracks):
    X, y = tracks
    voting = VotingSeparator([("one", tiny_separator(max_iter=1, early_stopping=True))])
    voting.fit(*analysed(X, three_sources(y)), groups=[0, 1, 1])
    assert voting.predict_mask(analysed(X))[0].shape[0] == 3
    alone = tiny_separator(max_iter=1, early_stopping=True)
    alone.fit(*analysed(X, y), groups=[0, 1, 1])
    assert voting.estimators_[0].held_out_.tolist() == alone.held_out_.tolist()
    assert alone.held_out_[1] == alone.held_out_[2]
    voting.fit(*analysed(X, y), validation_tracks=[False, True, False])
    assert voting.estimators_[0].held_out_.tolist() == [False, True, False]
    with pytest.raises(ValueError, match="y is needed: the sources of every track"):
        voting.fit(analysed(X))


@pytest.mark.slow
def test_exponents_count_where_one_member_sees_them_and_are_named_where_none_does(tracks):
    X, y = analysed(*tracks)
    chosen = IRMTarget(p=2.0).fit_transform(X)
    sees, blind = (
        tiny_separator(loss=x, max_iter=1) for x in ("mask_squared_error", "segment_error_ratio")
    )
    voting = VotingSeparator([("sees", sees), ("blind", blind)])
    plain, changed = (clone(voting).fit(of, y).estimators_ for of in (X, chosen))
    for one, other, same in zip(plain, changed, (False, True)):
        assert np.array_equal(one.weights_["mask/kernel"], other.weights_["mask/kernel"]) == same
    with pytest.warns(UserWarning, match=r"RatioMask\(p=2\.0, v=1\.0\), but loss=") as caught:
        VotingSeparator([("one", blind), ("two", clone(blind))]).fit(chosen, y)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("estimators", "message"),
    [
        ([], r"estimators must be a list of 1 to 16 \(name, separator\).*got \[\]"),
        (tiny_separator(), "estimators must be a list"),
        ([tiny_separator()], "estimators must be a list"),
        ((("a", tiny_separator()),), "estimators must be a list"),
        ([(str(i), tiny_separator()) for i in range(17)], "estimators must be a list of 1 to 16"),
        (
            [("mixture", MixtureBaseline())],
            "each with masks that sum to one",
        ),
        ([("a", tiny_separator()), ("a", tiny_separator())], "must be another text .* got 'a'"),
        ([("a__b", tiny_separator())], "without '__' and '/', .* got 'a__b'"),
        ([("a/b", tiny_separator())], "without '__' and '/', .* got 'a/b'"),
        ([("vote", VotingSeparator(members()))], "and no vote of others"),
        ([("", tiny_separator())], "of 1 to 100 characters"),
        ([("n_jobs", tiny_separator())], "and no parameter; got 'n_jobs'"),
        (
            [("a", tiny_separator()), ("b", tiny_separator(dropout=2))],
            "estimator 'b': GRUMaskSeparator: dropout must be at least 0 and below 1; got 2",
        ),
    ],
)
def test_what_is_no_list_of_networks_is_refused_before_anything_is_fitted(
    tracks, monkeypatch, estimators, message
):
    monkeypatch.setattr(GRUMaskSeparator, "_fit_tracks", None)
    with pytest.raises(ValueError, match=message):
        VotingSeparator(estimators).fit(*analysed(*tracks))


def test_it_cannot_predict_or_count_before_fit(tracks):
    with pytest.raises(NotFittedError):
        VotingSeparator(members()).predict(analysed(tracks[0]))
    with pytest.raises(NotFittedError):
        VotingSeparator(members()).count_params()


@pytest.mark.parametrize("weights", [(1, 3.0, 0, 0.5), [0, 0, 2, 0]])
def test_members_are_weighed(voting, tracks, weights):
    X = analysed(tracks[0])
    weighted = copy.copy(voting).set_params(weights=weights)
    masks = [member.predict_mask(X)[0] for member in voting.estimators_]
    expected = np.average(masks, axis=0, weights=weights)
    np.testing.assert_allclose(weighted.predict_mask(X)[0], expected, atol=1e-6)
    assert voting.weights is None


@pytest.mark.parametrize("weights", [(1, 1), (1, 1, 1, -1), (0, 0, 0, 0), "1111", (1, 1, 1, None)])
def test_weights_are_a_number_for_each_member(voting, tracks, weights):
    words = "VotingSeparator: weights must be (4 numbers, one for each|1 to 16 numbers, 0 or more)"
    with pytest.raises(ValueError, match=words):
        VotingSeparator(members(), weights=weights).fit(*analysed(*tracks))
    with pytest.raises(ValueError, match=words):
        copy.copy(voting).set_params(weights=weights).predict(analysed(tracks[0]))


def test_weights_are_saved(voting, tracks, tmp_path):
    pipeline = make_pipeline(STFTTransformer(64, 32), copy.copy(voting))
    pipeline[-1].set_params(weights=(1.0, 2.0, 0.5, 0.0))
    save(pipeline, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again[-1].weights == (1.0, 2.0, 0.5, 0.0)
    expected = pipeline.predict(tracks[0])[0]
    np.testing.assert_allclose(again.predict(tracks[0])[0], expected, atol=1e-6)


class BandOfVoices(BaseMaskSeparator):
    """A separator without a network: the voice is what lies in a band of frequencies."""

    def __init__(self, lowest=3, highest=9):
        self.lowest = lowest
        self.highest = highest

    def fit(self, X, y=None):
        self.n_sources_, self.source_names_ = len(y[0]), ("vocals", "accompaniment")
        self.stft_params_ = X[0].params
        return self

    def _mask_blocks(self, spectrogram):
        for start, stop in spectrogram.block_ranges(7):
            voice = np.zeros((spectrogram.n_freqs, stop - start), np.float32)
            voice[self.lowest : self.highest] = 1
            yield spectrogram.read_block(start, stop), np.stack([voice, 1 - voice])


def test_any_separator_with_masks_has_a_vote(tracks):
    X, y = analysed(*tracks)
    pairs = [("band", BandOfVoices()), ("gru", tiny_separator(max_iter=1))]
    voting = VotingSeparator(pairs, transpositions=(1.0, 1.1)).fit(X, y)
    band, gru = voting.estimators_
    alone = VotingSeparator(pairs[1:], transpositions=(1.0, 1.1)).fit(X, y)
    expected = (band.predict_mask(X)[0] + alone.predict_mask(X)[0]) / 2
    np.testing.assert_allclose(voting.predict_mask(X)[0], expected, atol=1e-6)
    assert voting.count_params() == gru.count_params()
    assert voting.get_params()["band__highest"] == 9
    with pytest.raises(TypeError, match="'band' is a BandOfVoices, which has no partial_fit"):
        voting.partial_fit(X, y)


@pytest.mark.slow
def test_an_epoch_more_is_an_epoch_more_of_every_network(tracks):
    X, y = analysed(*tracks)
    voting = VotingSeparator(members()[:2])
    for n in (1, 2):
        voting.partial_fit(X, y)
        assert [member.n_iter_ for member in voting.estimators_] == [n, n]
    for (_, estimator), member in zip(members(), voting.estimators_):
        alone = estimator.partial_fit(X, y).partial_fit(X, y)
        for key, weights in alone.weights_.items():
            np.testing.assert_allclose(member.weights_[key], weights, atol=1e-6)
    assert voting.source_names_ == ("vocals", "accompaniment")
    masks = [member.predict_mask(X)[0] for member in voting.estimators_]
    np.testing.assert_allclose(voting.predict_mask(X)[0], np.mean(masks, axis=0), atol=1e-6)
    fitted = VotingSeparator(members()[:2]).fit(X, y).partial_fit(X, y)
    assert [member.n_iter_ for member in fitted.estimators_] == [2, 2]


def test_networks_disagree_where_their_masks_differ_and_a_network_agrees_with_itself(tracks):
    X, y = analysed(*tracks)
    one, other = (tiny_separator(max_iter=1, random_state=seed) for seed in (0, 1))
    found = VotingSeparator([("a", one), ("b", other)]).fit(X, y)
    masks = [member.predict_mask(X)[0][0] for member in found.estimators_]
    frame = np.abs(masks[0] - masks[1]).max(axis=0).argmax()
    spread = found.disagreement(X)[0]
    assert spread.shape == (X[0].n_frames,)
    half = np.abs(masks[0] - masks[1])[:, frame] / 2  # the standard deviation of two numbers
    assert half.min() < spread[frame] < half.max()
    same = VotingSeparator([("a", one), ("b", one)]).fit(X, y)
    np.testing.assert_allclose(same.disagreement(X)[0], 0, atol=1e-6)
