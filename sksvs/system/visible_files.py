"""Tell a user's files and folders from those that operating systems and tools create."""

SYSTEM_NAMES = {  # in lower case: of macOS archives, network drives, file systems and Windows
    *("__macosx", "@eadir", "#recycle", "#snapshot", "@recycle", "lost+found"),
    *("system volume information", "$recycle.bin", "desktop.ini", "thumbs.db"),
}


def is_visible(name):
    """Return whether a file or folder is a user's own, by its name.

    Hidden ones, whose names start with a dot (".ipynb_checkpoints", ".@__thumb", "._song.wav"),
    and those of operating systems and tools ("__MACOSX", "@eaDir", "Thumbs.db") are not.

    Parameters
    ----------
    name : str
        The last part of a path.

    Examples
    --------
    >>> [is_visible(name) for name in ("song.wav", "._song.wav", "__MACOSX")]
    [True, False, False]
    """
    return not name.startswith(".") and name.lower() not in SYSTEM_NAMES
