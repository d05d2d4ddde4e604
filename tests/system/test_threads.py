import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sksvs.system import threads
from sksvs.system.threads import (
    n_threads,
    prefetch,
    single_threaded_blas,
    thread_map,
)


@pytest.fixture(params=[1, 2])
def cores(request, monkeypatch):
    monkeypatch.setattr(threads, "n_threads", lambda: request.param)
    return request.param


def test_items_come_in_order(cores):
    assert list(prefetch(prefetch(i * i for i in range(50)))) == [i * i for i in range(50)]
    assert list(prefetch(x for x in ())) == []


def test_an_exception_comes_in_place_of_its_item(cores):
    items = prefetch(1 // (3 - i) for i in range(9))
    assert [next(items) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(items)
    assert list(items) == []


def test_closing_closes_what_it_takes_from_and_ends_the_thread(cores):
    closed = []

    def numbers():
        try:
            yield from range(100)
        finally:
            closed.append(True)

    threads = threading.active_count()
    items = prefetch(numbers())
    assert next(items) == 0
    items.close()
    assert closed == [True]
    assert threading.active_count() == threads


def test_no_more_than_one_item_is_computed_ahead(cores):
    computed = []
    items = prefetch(computed.append(i) or i for i in range(20))
    for expected in range(10):
        assert next(items) == expected
        assert len(computed) <= expected + 2
    items.close()


def test_a_worker_keeps_to_its_share(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert n_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "0")
    assert n_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert n_threads() == 4


def test_other_processes_have_the_cores_that_joblib_counts(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    for nothing in ("", "many", "-1"):
        monkeypatch.setenv("OMP_NUM_THREADS", nothing)
        assert n_threads() == 1


def test_cores_are_counted_on_systems_without_affinity(monkeypatch):  # macOS, Windows
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert n_threads() >= 1


def test_results_come_in_order_whatever_takes_longest(cores):
    waits = [threading.Event() for _ in range(9)]
    for event in waits[1:]:
        event.set()

    def work(i):
        if i == 1:
            waits[0].set()
        return i if cores == 1 or waits[i].wait(10) else None

    assert list(thread_map(work, (i for i in range(9)))) == list(range(9))


def test_an_exception_of_a_function_is_raised_and_ends_the_threads(cores):
    threads = threading.active_count()
    results = thread_map(lambda i: 1 // (3 - i), (i for i in range(20)))
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert threading.active_count() == threads


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


@pytest.fixture
def two_blas_threads():
    """Let products have two threads, whatever the machine and the environment say."""
    with threadpool_limits(2, "blas"):
        yield
        assert set(blas_threads()) == {2}


def test_products_get_their_threads_back_when_the_last_user_leaves(two_blas_threads):
    first, second = single_threaded_blas(), single_threaded_blas()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert set(blas_threads()) == {2}


def test_any_thread_can_be_the_last_user(two_blas_threads):
    first, second = single_threaded_blas(), single_threaded_blas()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        assert set(blas_threads()) == {1}
        one.submit(first.__exit__, None, None, None).result()
        other.submit(second.__exit__, None, None, None).result()
        assert set(blas_threads()) == {2}


def test_products_have_one_thread_where_items_are_computed_and_nowhere_else(
    cores, two_blas_threads
):
    seen = []

    def items():
        for i in range(5):
            seen.append(blas_threads())
            yield i

    def look(item):
        seen.append(blas_threads())
        return item

    for results in (prefetch(items()), thread_map(look, items())):
        for _ in results:
            pass
        assert set(blas_threads()) == {2}
    assert {number for threads in seen for number in threads} == {1}


def test_who_holds_an_iterator_has_all_threads(cores, two_blas_threads):
    for results in (prefetch(i for i in range(9)), thread_map(abs, (i for i in range(9)))):
        assert next(results) == 0
        deadline = time.monotonic() + 10  # what runs ahead comes to an end
        while set(blas_threads()) != {2} and time.monotonic() < deadline:
            time.sleep(0.01)
        assert set(blas_threads()) == {2}
        results.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_process_forked_while_another_thread_works_has_its_threads_and_its_lock():
    code = """if True:
        import os, threading
        import numpy as np
        from threadpoolctl import threadpool_info, threadpool_limits
        from sksvs.system.threads import prefetch, single_threaded_blas

        def blas_threads():
            return {x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"}

        threadpool_limits(2, "blas")
        inside, done = threading.Event(), threading.Event()

        def work():
            with single_threaded_blas():
                inside.set()
                done.wait(30)

        thread = threading.Thread(target=work)
        thread.start()
        inside.wait(30)
        assert blas_threads() == {1}
        with single_threaded_blas():
            child = os.fork()
        if child == 0:
            assert blas_threads() == {2}
            assert list(prefetch(i for i in range(9))) == list(range(9))
            with single_threaded_blas():
                assert blas_threads() == {1}
            assert blas_threads() == {2}
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert blas_threads() == {1}
        done.set()
        thread.join()
        assert blas_threads() == {2}
        print("the child returned", code)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("the child returned 0\n", "")
