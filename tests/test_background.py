import threading

import pytest

from sksvs import _background as background
from sksvs._background import in_background, usable_cores


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
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert usable_cores() >= 1
