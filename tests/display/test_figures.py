import subprocess
import sys

from sksvs.display.figures import figure_as_png


def test_a_picture_is_drawn_without_pyplot_keeping_it():
    import matplotlib.pyplot as pyplot

    before = pyplot.get_fignums()
    content = figure_as_png(lambda ax: ax.plot([1, 2]), (2, 1))
    assert content.startswith(b"\x89PNG")
    assert pyplot.get_fignums() == before


def test_without_matplotlib_the_player_works_and_a_picture_says_what_is_missing():
    code = (
        "import sys, numpy; sys.modules['matplotlib'] = None\n"
        "from sksvs.display import SeparationDisplay\n"
        "x = numpy.random.default_rng(0).normal(size=(2, 4000)) / 9\n"
        "display = SeparationDisplay.from_estimates(x[0], x, sample_rate=8000)\n"
        "assert 'sksvs-player' in display._repr_html_()\n"
        "try: display.plot()\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "Pictures need matplotlib, which is not installed: pip install 'sksvs[plot]'.\n"
    )
