"""Keep Python's global random generator as it is while code of other packages runs."""

import random
from contextlib import contextmanager


@contextmanager
def kept_generator():
    """Restore the state of the `random` module at the end of a with statement.

    Keras draws seeds of initial values from it, which every fit replaces, and so do imports.

    Examples
    --------
    >>> before = random.getstate()
    >>> with kept_generator():
    ...     number = random.random()
    >>> random.getstate() == before
    True
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
