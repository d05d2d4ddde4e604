"""Find out whether an audio file is shorter than it says: libsndfile would read what is left."""

import os
import struct

STREAMED = (0, 0xFFFFFFFF)  # lengths of a writer that could not go back and fill them in


def missing_bytes(path, size):
    """Return how many bytes a file lacks of what its own header promises; 0 where it is whole.

    Knows WAV in its three kinds (RIFF, RIFX, RF64) and AIFF by the length of their sample data. An
    Ogg file has no length; it is whole if its last page says that it is the last, and else 1 byte
    is reported. Other formats are not looked at: FLAC ends early when it is decoded.

    Parameters
    ----------
    path : str
    size : int
        Of the file, in bytes.
    """
    with open(path, "rb") as file:
        start = file.read(12).ljust(12, b"\0")
        kind = start[:4], start[8:]
        if kind in ((b"RIFF", b"WAVE"), (b"RF64", b"WAVE")):
            return _missing_from_chunk(file, size, "<", b"data")
        if kind == (b"RIFX", b"WAVE"):
            return _missing_from_chunk(file, size, ">", b"data")
        if kind in ((b"FORM", b"AIFF"), (b"FORM", b"AIFC")):
            return _missing_from_chunk(file, size, ">", b"SSND")
        if kind[0] == b"OggS":
            return 0 if _ends_with_last_page(file, size) else 1
    return 0


def _missing_from_chunk(file, size, order, wanted):
    """Walk through chunks ``(name, length, content)`` to that of the samples."""
    long_length = None
    while len(head := file.read(8)) == 8:
        name, length = head[:4], struct.unpack(f"{order}I", head[4:])[0]
        if name == b"ds64":  # RF64: lengths in 64 bits; the file's own, then that of the data
            content = file.read(length)
            long_length = struct.unpack("<QQ", content[:16])[1]
            continue
        if name == wanted:
            if length == 0xFFFFFFFF and long_length is not None:
                length = long_length
            return 0 if length in STREAMED else max(0, file.tell() + length - size)
        file.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _ends_with_last_page(file, size):
    """Look for the last page of an Ogg file, at most 64 KiB long, and for its end flag."""
    file.seek(max(0, size - 70_000))
    tail = file.read()
    at = tail.rfind(b"OggS")
    return at >= 0 and len(tail) > at + 5 and bool(tail[at + 5] & 4)
