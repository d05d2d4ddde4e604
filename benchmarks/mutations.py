"""Mutate the bytes of files at random, for `fuzz.py`."""

import re

import numpy as np

NUMBERS = (0, 1, 0x7FFFFFFF, 0xFFFFFFFF)
NUMBER_BYTES = (2, 4, 4, 4, 8)  # of a field in a header
FIRST_BYTES = 200  # of a file, in which most of the mutations are
MAX_RUN = 64  # bytes that are overwritten, inserted or deleted at a time
MAX_CHUNK = 4096  # bytes that are duplicated

OGG_POLYNOMIAL = 0x04C11DB7


def mutate(data, rng):
    """Return the bytes of a file with one to eight mutations, half of the files with one.

    Parameters
    ----------
    data : bytes
    rng : numpy.random.Generator
    """
    data = bytearray(data)
    for _ in range(min(8, rng.geometric(0.5))):
        if data:
            MUTATIONS[rng.integers(len(MUTATIONS))](data, rng)
    return bytes(data)


def _place(data, rng):
    """Return a position: six of ten times in the first 200 bytes, two in the first 4096."""
    ends = (FIRST_BYTES, FIRST_BYTES, FIRST_BYTES, MAX_CHUNK, len(data))
    return int(rng.integers(min(len(data), ends[rng.integers(len(ends))])))


def _flip_bits(data, rng):
    at = _place(data, rng)
    for i in range(at, min(len(data), at + int(rng.integers(1, 5)))):
        data[i] ^= 1 << int(rng.integers(8))


def _overwrite(data, rng):
    at, length = _place(data, rng), int(rng.integers(1, MAX_RUN))
    filling = (bytes(length), b"\xff" * length, rng.bytes(length))[rng.integers(3)]
    data[at : at + length] = filling[: len(data) - at]


def _insert(data, rng):
    at = _place(data, rng)
    data[at:at] = rng.bytes(int(rng.integers(1, MAX_RUN)))


def _delete(data, rng):
    at = _place(data, rng)
    del data[at : at + int(rng.integers(1, MAX_RUN))]


def _truncate(data, rng):
    del data[int(rng.integers(len(data))) :]


def _duplicate(data, rng):
    start, at = _place(data, rng), _place(data, rng)
    data[at:at] = data[start : start + int(rng.integers(1, MAX_CHUNK))]


def _set_number(data, rng):
    length = NUMBER_BYTES[rng.integers(len(NUMBER_BYTES))]
    at = _place(data, rng)
    at -= at % 2
    number = NUMBERS[rng.integers(len(NUMBERS))] & ((1 << 8 * length) - 1)
    order = ("little", "big")[rng.integers(2)]
    data[at : at + length] = number.to_bytes(length, order)[: len(data) - at]


MUTATIONS = (
    _flip_bits,
    _overwrite,
    _insert,
    _delete,
    _truncate,
    _duplicate,
    _set_number,
    _set_number,
)


def mutate_ogg(data, rng):
    """Return the bytes of an Ogg file with mutations; in half of the files checksums are repaired.

    Decoders skip a page whose checksum is wrong, so without repair its content is not decoded.
    """
    data = mutate(data, rng)
    return with_checksums(data) if rng.integers(2) else data


def with_checksums(data, serial=None):
    """Return an Ogg file with correct checksums and, optionally, another serial number.

    Parameters
    ----------
    data : bytes
    serial : bytes, optional
        The default is that of each page.
    """
    data = bytearray(data)
    for found in list(re.finditer(b"OggS", data)):
        at = found.start()
        if at + 27 > len(data):
            break
        table = data[at + 27 : at + 27 + data[at + 26]]
        stop = at + 27 + len(table) + sum(table)
        if serial is not None:
            data[at + 14 : at + 18] = serial
        data[at + 22 : at + 26] = bytes(4)
        data[at + 22 : at + 26] = _ogg_checksum(data[at:stop]).to_bytes(4, "little")
    return bytes(data)


def _ogg_checksum(page):
    checksum = 0
    for byte in page:
        checksum = (checksum << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[checksum >> 24 ^ byte]
    return checksum


def _ogg_row(byte):
    row = byte << 24
    for _ in range(8):
        row = row << 1 ^ (OGG_POLYNOMIAL if row & 0x80000000 else 0)
    return row & 0xFFFFFFFF


_OGG_TABLE = [_ogg_row(byte) for byte in range(256)]


def mutate_model(data, rng):
    """Return the bytes of a model file with mutations.

    A quarter of the files is mutated anywhere; in the second quarter the header is mutated and its
    length corrected; in the third a number or a letter of the header is changed; in the last the
    arrays are mutated.
    """
    kind = rng.integers(4)
    if kind == 0:
        return mutate(data, rng)
    stop = 8 + int.from_bytes(data[:8], "little")
    text, arrays = data[8:stop], data[stop:]
    if kind == 3 and arrays:
        changed = mutate(arrays, rng)[: len(arrays)]
        return data[:stop] + changed + arrays[len(changed) :]
    for _ in range(min(4, rng.geometric(0.6))):
        text = _mutate_text(text, rng) if kind == 1 else mutate(text, rng)
    return len(text).to_bytes(8, "little") + text + arrays


def _mutate_text(text, rng):
    if rng.integers(4) == 0:  # a letter, of a name or a value
        at = int(rng.integers(len(text)))
        return text[:at] + bytes([int(rng.integers(32, 127))]) + text[at + 1 :]
    numbers = list(re.finditer(rb"\d+", text))
    found = numbers[rng.integers(len(numbers))]
    number = (*NUMBERS, -1, 2, int(found[0]) * 2, 1e-30, 1e30)[rng.integers(9)]
    return text[: found.start()] + str(number).encode() + text[found.end() :]


def header_of(data, rng):
    """Return a model file in which only the header is mutated."""
    stop = 8 + int.from_bytes(data[:8], "little")
    return mutate_model(data[:stop], rng) + data[stop:]


def generator(seed, kind, number):
    """Return the random generator of one file.

    Parameters
    ----------
    seed : int
    kind : str
    number : int
    """
    return np.random.default_rng([seed, number, *kind.encode()])
