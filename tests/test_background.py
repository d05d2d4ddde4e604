import threading

import pytest
from threadpoolctl import threadpool_info

from sksvs import _background as background
from sksvs._background import (
    in_background,
    map_on_all_cores,
    one_thread_per_product,
    usable_cores,
)


@pytest.fixture(params=[1, 2])
def cores(request, monkeypatch):
    monkeypatch.setattr(background, "usable_cores", lambda: request.param)
    return request.param


def test_items_come_in_order(cores):
    assert list(in_background(in_background(i * i for i in range(50)))) == [
        i * i for i in range(50)
    ]
    assert list(in_background(x for x in ())) == []


def test_an_exception_comes_in_place_of_its_item(cores):
    items = in_background(1 // (3 - i) for i in range(9))
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
    items = in_background(numbers())
    assert next(items) == 0
    items.close()
    assert closed == [True]
    assert threading.active_count() == threads


def test_no_more_is_computed_ahead_than_the_depth(cores):
    computed = []
    items = in_background((computed.append(i) or i for i in range(20)), depth=3)
    for expected in range(10):
        assert next(items) == expected
        assert len(computed) <= expected + 1 + 3
    items.close()


def test_a_worker_keeps_to_its_share(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert usable_cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "0")
    assert usable_cores() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert usable_cores() >= 1


def test_results_come_in_order_whatever_takes_longest(cores):
    waits = [threading.Event() for _ in range(9)]
    for event in waits[1:]:
        event.set()

    def work(i):
        if i == 1:
            waits[0].set()
        return i if cores == 1 or waits[i].wait(10) else None

    assert list(map_on_all_cores(work, (i for i in range(9)))) == list(range(9))


def test_an_exception_of_a_function_is_raised_and_ends_the_threads(cores):
    threads = threading.active_count()
    results = map_on_all_cores(lambda i: 1 // (3 - i), (i for i in range(20)))
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert threading.active_count() == threads


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_products_get_their_threads_back_when_the_last_user_leaves():
    before = blas_threads()
    first, second = one_thread_per_product(), one_thread_per_product()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas_threads()) == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == before
