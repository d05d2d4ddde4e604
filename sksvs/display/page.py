"""Write a page of HTML part by part, whole or not at all."""

import os
from contextlib import contextmanager
from html import escape
from math import isnan
from pathlib import Path

import sksvs
from sksvs.display.player import read_asset
from sksvs.system.atomic import replacing


@contextmanager
def writing_page(path, title):
    """Open a page; it gets its name when the body ends without an exception.

    Parameters
    ----------
    path : str or path-like
        In a folder that exists.
    title : str

    Yields
    ------
    callable
        Writes a part of the page, given as HTML.
    """
    with (
        replacing(Path(os.path.abspath(path))) as temporary,
        # Names of files may hold bytes that are no text.
        open(temporary, "w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.write(
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(title)}</title>\n<style>{read_asset('report.css')}</style></head>\n"
            f"<body><h1>{escape(title)}</h1>\n"
        )
        yield file.write
        file.write(f'<p class="sksvs-made">sksvs {sksvs.__version__}</p></body></html>\n')


def paragraphs(texts, kind):
    """Return texts as paragraphs of a kind, "warning" or "error"."""
    return "".join(f'<p class="{kind}">{escape(text)}</p>\n' for text in texts)


def table(header, rows, last=None):
    """Return a table; numbers have two decimals, and NaN is a dash.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequence
        Of str, which is HTML, and float.
    last : sequence, optional
        A last row that sums up the others.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(map(_row, rows))
    foot = f"<tfoot>{_row(last)}</tfoot>" if last else ""
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>{foot}'
        "</table></div>\n"
    )


def _row(cells):
    texts = [
        cell if isinstance(cell, str) else "–" if isnan(cell) else f"{cell:.2f}" for cell in cells
    ]
    return f"<tr>{''.join(f'<td>{text}</td>' for text in texts)}</tr>\n"
