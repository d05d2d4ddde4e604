"""Find the audio files in a folder."""

import os

from sksvs.system.visible_files import is_visible

# Endings of audio files and videos.
AUDIO_ENDINGS = {
    *("wav", "wave", "w64", "rf64", "bwf", "flac", "aif", "aiff", "aifc", "caf", "au", "snd"),
    *("mp3", "mp2", "mpga", "ogg", "oga", "opus", "spx", "m4a", "m4b", "m4r", "aac", "ac3", "eac3"),
    *("dts", "wma", "asf", "ape", "wv", "tta", "tak", "mpc", "mka", "amr", "gsm", "ra", "voc"),
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "flv", "wmv", "mpg", "mpeg", "ts", "3gp", "ogv"),
}


def find_audio_files(root, skip=None):
    """Return the audio files in a folder at any depth, by their endings, in the order of names.

    Hidden and system files and folders are passed over.

    Parameters
    ----------
    root : str or path-like
    skip : str or path-like, optional
        A folder that is passed over if it lies in `root`.

    Returns
    -------
    paths : list of str
        Absolute.
    errors : list of OSError
        One for each folder that cannot be read.
    """
    paths, errors = [], []
    skipped = None if skip is None else real_path(skip)
    for folder, subfolders, files in os.walk(root, onerror=errors.append):
        subfolders[:] = sorted(
            name
            for name in subfolders
            if is_visible(name) and real_path(os.path.join(folder, name)) != skipped
        )
        paths += [
            os.path.abspath(os.path.join(folder, name))
            for name in sorted(files)
            if is_visible(name) and name.rpartition(".")[2].lower() in AUDIO_ENDINGS
        ]
    return paths, errors


def real_path(path):
    """Return a path without links, and in one case where the system ignores case."""
    return os.path.normcase(os.path.realpath(path))
