"""Find out whether to show progress bars: only on terminals."""


def is_terminal(stream):
    """Return whether a stream is a terminal; False for None and a closed stream."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # None, closed
        return False
