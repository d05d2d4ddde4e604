"""Separate audio files into audio files, in constant memory, one or many."""

from sksvs.separation.many_files import (
    SeparatedFile,
    copy_pipe,
    plan_songs,
    separate_files,
    separate_song,
    separate_songs,
)
from sksvs.separation.one_file import separate_file
from sksvs.separation.songs import Song, find_songs

__all__ = [
    "SeparatedFile",
    "Song",
    "copy_pipe",
    "find_songs",
    "plan_songs",
    "separate_file",
    "separate_files",
    "separate_song",
    "separate_songs",
]
