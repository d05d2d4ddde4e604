"""Use the cores: stages of a computation that run at the same time, each in its own thread.

NumPy, its FFT and products, and libsndfile let other threads run while they work.
"""

import os
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

import joblib
from threadpoolctl import ThreadpoolController

MAX_THREADS = 4

_END = object()


def thread_limit():
    """Return how many threads OMP_NUM_THREADS allows; None where it says nothing.

    joblib tells its workers their share there, and NumPy's products heed it. Of a list, which has
    a number for each level of nesting, the first counts.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, int(first)) if first.isdecimal() else None


def n_threads():
    """Return how many threads this process may use: OMP_NUM_THREADS, or its number of cores."""
    return thread_limit() or joblib.cpu_count()


def prefetch(items, depth=2):
    """Yield what `items` yields, computed up to `depth` items ahead in another thread.

    Where the process has one core, nothing runs ahead. An exception is raised where its item
    would be. Matrix products take one thread while an item is computed.

    Parameters
    ----------
    items : generator
        Closed when this one is.
    depth : int, default=2
    """
    if n_threads() == 1:
        try:
            while (item := _next(items)) is not _END:
                yield item
        finally:
            items.close()
        return
    pool = ThreadPoolExecutor(1)
    try:
        ahead = deque(pool.submit(_next, items) for _ in range(depth))
        while (item := ahead.popleft().result()) is not _END:
            ahead.append(pool.submit(_next, items))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
        items.close()


def thread_map(function, items):
    """Yield ``function(item)`` in order, as many at a time as there are cores, up to four.

    Every item that is worked on takes memory, so that there are never more, however many cores.
    Matrix products take one thread while an item or its result is computed.

    Parameters
    ----------
    function : callable
    items : generator
        Taken from in the calling thread; closed when this one is.
    """

    def run(item):
        with single_threaded_blas():
            return function(item)

    most = min(n_threads(), MAX_THREADS)
    pool, ahead = ThreadPoolExecutor(most) if most > 1 else None, deque()
    try:
        while (item := _next(items)) is not _END:
            if pool is None:
                yield run(item)
                continue
            ahead.append(pool.submit(run, item))
            if len(ahead) > most:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
        items.close()


def _next(items):
    with single_threaded_blas():
        return next(items, _END)


_lock, _n_users, _limits = Lock(), 0, None
_libraries, _n_modules = None, 0


@contextmanager
def single_threaded_blas():
    """Keep every matrix product to the thread that asks for it, until the last user leaves.

    The threads of OpenBLAS wait for the next product by spinning, on the cores that the other
    stages want, and gain nothing on the small products of a recurrent network. The limit is one of
    the whole process, so it is never held across a ``yield``: the caller's own products are not
    ours to slow down. Entering takes some 20 µs.
    """
    global _n_users, _limits
    lock = _lock
    with lock:
        if _n_users == 0:
            with _in_control() as libraries:
                _limits = libraries.limit(limits=1)
        _n_users += 1
    try:
        yield
    finally:
        if lock is _lock:  # still in the process in which it was entered
            with lock:
                _n_users -= 1
                if _n_users == 0:
                    _restore()


def _restore():
    with _in_control():
        _limits.restore_original_limits()


@contextmanager
def _in_control():
    """Yield what sets the limits of the BLAS libraries, from whatever thread it is called.

    threadpoolctl 3.8 lets the thread that first set a limit of OpenBLAS set others, and nothing
    happens where another thread does. But the last user may be another thread than the first.
    """
    global _libraries, _n_modules
    if _libraries is None or len(sys.modules) != _n_modules:  # made anew, in a millisecond
        _libraries = ThreadpoolController().select(user_api="blas")
        _n_modules = len(sys.modules)
    _let_any_thread_control()
    try:
        yield _libraries
    finally:
        _let_any_thread_control()


def _let_any_thread_control():
    for library in _libraries.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def _forget_other_threads():
    """Take the limits back in a forked process, which has none of the threads that set them."""
    global _lock, _n_users
    if _n_users > 0:
        _restore()
    _lock, _n_users = Lock(), 0


if hasattr(os, "register_at_fork"):
    # No thread forks while another one changes the limits.
    os.register_at_fork(
        before=lambda: _lock.acquire(),
        after_in_parent=lambda: _lock.release(),
        after_in_child=_forget_other_threads,
    )
