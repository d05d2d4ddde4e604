"""Give several separators the blocks of a track that is read once."""

from collections import deque
from itertools import islice

import numpy as np


def share(items, count):
    """Return `count` generators of the same items; an item is dropped when all have yielded it.

    `itertools.tee` would keep up to 57 items more, which here are megabytes each.
    """
    queues = [deque() for _ in range(count)]

    def read(queue):
        while True:
            if not queue:
                new = list(islice(items, 1))
                if not new:
                    return
                for each in queues:
                    each.extend(new)
                del new
            yield queue.popleft()

    return [read(queue) for queue in queues]


def masks_in_blocks(blocks, mask_blocks):
    """Cut masks in time as blocks are.

    Parameters
    ----------
    blocks : iterable of Block
        Of a track, from the first frame on.
    mask_blocks : iterable of (Block, array)
        Masks of the same track from the first frame on, (n_sources, n_freqs, n) each, cut in any
        other way.

    Yields
    ------
    block : Block
    masks : array, shape (n_sources, n_freqs, n)
        A new array, for the frames of the block.
    """
    masks, waiting, n_waiting = (masks for _, masks in mask_blocks), [], 0
    for block in blocks:
        n_frames = block.frames.shape[-1]
        while n_waiting < n_frames:
            waiting.append(next(masks))
            n_waiting += waiting[-1].shape[-1]
        joined = np.concatenate(waiting, axis=-1)
        waiting, n_waiting = [joined[..., n_frames:]], n_waiting - n_frames
        yield block, joined[..., :n_frames].copy()
