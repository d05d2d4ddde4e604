"""The command line: separate songs, fit and score models, describe the installation.

Exit codes: 0 for success, 1 for a failure, which is one line on standard error, 2 for wrong
arguments, 130 for Ctrl-C.
"""

import os
import sys

import click

import sksvs
from sksvs.cli.fit import fit
from sksvs.cli.info import info
from sksvs.cli.output import one_line
from sksvs.cli.score import score
from sksvs.cli.separate import separate

# Errors of data, disk, memory or a worker process. Any other error is a mistake of sksvs.
FAILURES = (ValueError, TypeError, OSError, RuntimeError, MemoryError, ArithmeticError)


class _Commands(click.Group):
    """Commands whose failures are one line on standard error instead of a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, BrokenPipeError):
            raise  # click handles them; at a broken pipe it exits silently
        except KeyboardInterrupt:
            click.echo(err=True)
            ctx.exit(130)
        except Exception as error:
            of_tensorflow = type(error).__module__.partition(".")[0] == "tensorflow"
            if not isinstance(error, FAILURES) and not of_tensorflow:
                raise
            raise click.ClickException(one_line(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(sksvs.__version__, prog_name="sksvs")
def cli():
    """Take the singing voice out of songs."""


for _command in (separate, fit, score, info):
    cli.add_command(_command)


def main(arguments=None):
    """Run a command and exit the process with its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.
    """
    _open_standard_files()
    # A setting of TensorFlow: log errors, but no information and no warnings.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        cli.main(arguments, prog_name="sksvs")
    finally:
        _drop_unwritten()


def _drop_unwritten():
    """Drop what standard error could not take: Python would try again, and exit with 120 for it."""
    try:
        sys.stderr.flush()
    except OSError:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (it is used until the end)


def _open_standard_files():
    """Open the null device in place of closed standard streams.

    Otherwise the next file to be opened, a stem or a model, could get the descriptor of standard
    error, and the messages of C libraries would be written into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, this one
            os.set_inheritable(opened, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
