import os
import subprocess
import sys

import pytest

from sksvs.cli import main

# What is open when a command runs, and what is the first number that a file then gets.
REPORT = """
import os, sys
from sksvs import cli

def report(*args, **kwargs):
    opened = os.open(os.devnull, os.O_RDONLY)
    os.close(opened)
    null = os.stat(os.devnull)
    is_null = [os.path.samestat(os.fstat(number), null) for number in range(3)]
    streams = [sys.stdin, sys.stdout, sys.stderr]
    with open(sys.argv[1], "w") as file:
        print(opened > 2, is_null, [s.fileno() for s in streams], file=file)
    os.write(2, b"words of a C library")
    return 0

cli.cli.main = report
cli.main()
"""


@pytest.mark.parametrize("closed", [[], [0], [1], [2], [0, 1, 2]])
def test_no_file_gets_the_number_of_a_closed_standard_stream(tmp_path, closed):
    redirections = " ".join(f"{number}{'<>'[number > 0]}&-" for number in closed)
    command = ["sh", "-c", f'exec "$0" -c "$1" "$2" {redirections}']
    report = tmp_path / "report"
    done = subprocess.run(
        [*command, sys.executable, REPORT, report],
        stdin=subprocess.PIPE,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    is_null = [number in closed for number in range(3)]
    assert report.read_text() == f"True {is_null} [0, 1, 2]\n"
    assert done.stderr == (b"" if 2 in closed else b"words of a C library")


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_works_where_standard_streams_are_closed(model, redirection):
    command = f'exec "$0" -m sksvs.cli info "$1" {redirection}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, model], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (str(model) in done.stdout) == (" >&-" not in f" {redirection}")


def test_the_log_of_tensorflow_can_still_be_asked_for(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with pytest.raises(SystemExit):
        main(["--version"])
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    with pytest.raises(SystemExit):
        main(["--version"])
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"


def test_the_exit_code_is_that_of_the_work_where_standard_error_is_full(tmp_path):
    # As on most machines: with this variable, Python keeps nothing that it could not write.
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = f"'{sys.executable}' -m sksvs.cli info nowhere 2>/dev/full"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, env=buffered)
    assert (done.returncode, done.stdout) == (1, b"")
