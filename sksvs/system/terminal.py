"""Whether somebody watches: progress bars are for terminals."""


def is_terminal(stream):
    """Return whether a stream is a terminal; None and a closed one are not."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # None, closed
        return False
