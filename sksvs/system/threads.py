"""Use several cores: prefetch items in a thread, map in threads, limit the threads of BLAS.

NumPy and libsndfile release the GIL while they work.
"""

import os
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import repeat
from threading import Lock

import joblib
from threadpoolctl import ThreadpoolController

MAX_THREADS = 4

_END = object()


def thread_limit():
    """Return the number of threads that OMP_NUM_THREADS allows, or None if it sets no limit.

    joblib sets it in its workers to their share of the cores. If it is a list, with a number for
    each level of nesting, the first counts.
    """
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, int(first)) if first.isdecimal() else None


def n_threads():
    """Return the number of threads to use: OMP_NUM_THREADS, else the number of cores."""
    return thread_limit() or joblib.cpu_count()


def prefetch(items):
    """Yield what `items` yields, computed one item ahead in another thread.

    If the process has one core, nothing is computed ahead. An exception is raised where its item
    would be. BLAS uses one thread while an item is computed.

    Parameters
    ----------
    items : generator
        Closed when this one is.
    """
    n_ahead = 1 if n_threads() > 1 else 0
    return _in_order(repeat(partial(_next, items)), 1, n_ahead, items)


def thread_map(function, items):
    """Yield ``function(item)`` in order, computed in a thread for each core, up to four.

    Every item in work takes memory, hence the limit. BLAS uses one thread while an item or its
    result is computed.

    Parameters
    ----------
    function : callable
    items : generator
        Advanced in the calling thread; closed when this one is.
    """

    def run(item):
        with single_threaded_blas():
            return function(item)

    n_workers = min(n_threads(), MAX_THREADS)
    calls = (partial(run, item) for item in iter(partial(_next, items), _END))
    return _in_order(calls, n_workers, n_workers if n_workers > 1 else 0, items)


def _in_order(calls, n_workers, n_ahead, items):
    """Yield what `calls` return, in order, until `_END`; at most `n_ahead` of them run ahead."""
    pool, ahead = ThreadPoolExecutor(n_workers), deque()
    try:
        for call in calls:
            ahead.append(pool.submit(call))
            if len(ahead) > n_ahead:
                result = ahead.popleft().result()
                if result is _END:
                    return
                yield result
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        items.close()


def _next(items):
    with single_threaded_blas():
        return next(items, _END)


_lock, _n_users, _limits = Lock(), 0, None
_libraries, _n_modules = None, 0


@contextmanager
def single_threaded_blas():
    """Limit BLAS to one thread in the whole process, until the last user of the limit leaves.

    Idle threads of OpenBLAS spin on cores that other stages need, and are of no use for the small
    products of a recurrent network. The limit is never held across a ``yield``, where it would slow
    down the caller's own products. Entering takes some 20 µs.
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
    """Yield the controller of the BLAS libraries, which any thread may use in the body.

    In threadpoolctl 3.8 only the thread that first set a limit of OpenBLAS can set others, and a
    call in another thread has no effect; but the last user may be in another thread than the first.
    """
    global _libraries, _n_modules
    if _libraries is None or len(sys.modules) != _n_modules:  # another library may be loaded
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
    """Undo the limits in a forked process, which has none of the threads that set them."""
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
