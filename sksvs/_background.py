"""Use the cores: stages of a computation that run at the same time, each in its own thread.

NumPy, its FFT and products, and libsndfile let other threads run while they work.
"""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits

MOST_THREADS = 4

_END = object()


def usable_cores():
    """Return the number of cores that this process may use.

    joblib tells its workers their share through OMP_NUM_THREADS, which NumPy's products heed too.
    """
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(allowed)) if allowed.isdigit() else len(os.sched_getaffinity(0))


def in_background(items, depth=2):
    """Yield what `items` yields, computed up to `depth` items ahead in another thread.

    Where the process has one core, nothing runs ahead. An exception is raised where its item
    would be.

    Parameters
    ----------
    items : generator
        Closed when this one is.
    depth : int, default=2
    """
    if usable_cores() == 1:
        yield from items
        return
    pool = ThreadPoolExecutor(1)
    try:
        ahead = deque(pool.submit(next, items, _END) for _ in range(depth))
        while (item := ahead.popleft().result()) is not _END:
            ahead.append(pool.submit(next, items, _END))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
        items.close()


def map_on_all_cores(function, items):
    """Yield ``function(item)`` in order, as many at a time as there are cores, up to four.

    Every item that is worked on takes memory, so that there are never more, however many cores.

    Parameters
    ----------
    function : callable
    items : generator
        Taken from in the calling thread; closed when this one is.
    """
    n_threads = min(usable_cores(), MOST_THREADS)
    if n_threads == 1:
        yield from map(function, items)
        return
    pool, ahead = ThreadPoolExecutor(n_threads), deque()
    try:
        for item in items:
            ahead.append(pool.submit(function, item))
            if len(ahead) > n_threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        items.close()


_blas_lock, _blas_users, _blas_limits = Lock(), 0, None


@contextmanager
def one_thread_per_product():
    """Keep every matrix product to the thread that asks for it, until the last user leaves.

    The threads of OpenBLAS wait for the next product by spinning, on the cores that the other
    stages want, and gain nothing on the small products of a recurrent network.
    """
    global _blas_users, _blas_limits
    with _blas_lock:
        if _blas_users == 0:
            _blas_limits = threadpool_limits(1, "blas")
        _blas_users += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_users -= 1
            if _blas_users == 0:
                _blas_limits.restore_original_limits()
