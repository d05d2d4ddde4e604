"""Read the memory of this process from Linux."""

from pathlib import Path


def memory(field):
    """Return the memory of this process in MB: "VmHWM" is its peak, "VmRSS" its current size.

    Unlike that of getrusage, this peak does not include the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(field))
    return int(kilobytes) * 1024 / 1e6


def reset_peak():
    """Reset the peak to the current size."""
    Path("/proc/self/clear_refs").write_text("5")
