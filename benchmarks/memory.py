"""What a process needs of memory, as Linux counts it."""

from pathlib import Path


def memory(field):
    """Return a figure of this process in MB: "VmHWM" is its peak, "VmRSS" what it has now.

    Unlike what getrusage says, the peak does not count the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(field))
    return int(kilobytes) * 1024 / 1e6


def reset_peak():
    """Let the peak begin again at what the process has now."""
    Path("/proc/self/clear_refs").write_text("5")
