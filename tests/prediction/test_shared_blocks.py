import gc
import weakref
from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sksvs.prediction.shared_blocks import masks_in_blocks, share


def test_what_networks_share_is_kept_until_all_have_had_it_and_no_longer():
    class Item:
        pass

    items, alive = (Item() for _ in range(5)), []
    one, other = share(items, 2)
    for _ in range(3):
        alive.append(weakref.ref(next(one)))
    gc.collect()
    assert all(item() is not None for item in alive)
    assert [next(other) is item() for item in alive] == [True] * 3
    gc.collect()
    assert [item() is None for item in alive] == [True] * 3
    assert (len(list(one)), len(list(other))) == (2, 2)


LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=6)


@given(first=LENGTHS, second=LENGTHS)
def test_masks_are_cut_as_blocks_are_however_they_come(first, second):
    n_frames = min(sum(first), sum(second))
    masks = np.random.default_rng(0).random((2, 3, n_frames))

    def cut(lengths):
        edges = np.unique(np.minimum(np.cumsum([0, *lengths]), n_frames))
        return [masks[..., a:b] for a, b in zip(edges, edges[1:])]

    blocks = [SimpleNamespace(frames=piece[0]) for piece in cut(first)]
    found = list(masks_in_blocks(blocks, [(None, piece) for piece in cut(second)]))
    assert [block for block, _ in found] == blocks
    for (_, piece), expected in zip(found, cut(first)):
        np.testing.assert_array_equal(piece, expected)
        assert piece.base is None  # a new array, which may be changed in place
