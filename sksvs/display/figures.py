"""Make the axes that displays draw on: the only place where matplotlib is imported."""


def import_pyplot():
    """Return `matplotlib.pyplot`; raise an ImportError with the remedy if it is not installed."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "Pictures need matplotlib, which is not installed: pip install 'sksvs[plot]'."
        ) from error
    return pyplot


def make_axes(ax, figsize):
    """Return the axes to draw on: `ax`, or those of a new figure that pyplot shows.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    figsize : tuple of float
        Of a new figure, in inches.

    Returns
    -------
    matplotlib.axes.Axes
    """
    if ax is not None:
        return ax
    return import_pyplot().subplots(figsize=figsize, layout="constrained")[1]


def figure_as_png(draw, figsize):
    """Return a picture that is drawn on axes of its own, without pyplot, as a PNG file.

    Parameters
    ----------
    draw : callable
        Takes the axes.
    figsize : tuple of float
        In inches.

    Returns
    -------
    bytes
    """
    from io import BytesIO

    import_pyplot()  # raises where there is no matplotlib
    from matplotlib.figure import Figure

    figure, content = Figure(figsize=figsize, layout="constrained"), BytesIO()
    draw(figure.add_subplot())
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
