"""The command line: separate songs, fit and score models, say what is installed.

Exit codes: 0 where all went well, 1 where something failed (said in a line on stderr), 2 for
wrong arguments, 130 for Ctrl-C.
"""

import errno
import os
import sys

import click

import sksvs
from sksvs.cli.fit import fit
from sksvs.cli.info import info
from sksvs.cli.output import one_line
from sksvs.cli.score import score
from sksvs.cli.separate import separate

# What may go wrong with data, disk, memory or a worker; what else is raised is a mistake of sksvs.
FAILURES = (ValueError, TypeError, OSError, RuntimeError, MemoryError, ArithmeticError)


class _Commands(click.Group):
    """Commands whose errors are said in one line, and not as a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise  # the first two are RuntimeErrors
        except Exception as error:
            if getattr(error, "errno", None) == errno.EPIPE:
                raise  # whoever read has had enough; click leaves quietly
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
    """Run a command and leave the process with its exit code.

    Parameters
    ----------
    arguments : list of str, optional
        The default is those of the process.
    """
    _open_standard_files()
    # TensorFlow's own setting: its libraries write errors, and neither information nor warnings.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        code = cli.main(arguments, prog_name="sksvs", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:  # Ctrl-C
        code = 130
    sys.exit(code)


def _open_standard_files():
    """Open the null device where standard input, output or error are closed.

    Otherwise the next file that is opened, a stem or a model, gets the number of standard error,
    and what C libraries write there goes into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(opened, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
