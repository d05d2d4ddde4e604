import pytest

from sksvs.system.visible_files import is_visible


@pytest.mark.parametrize(
    "name",
    [
        ".@__thumb",
        ".ipynb_checkpoints",
        "._abjones_1_01.wav",
        ".DS_Store",
        ".",
        "__MACOSX",
        "@eaDir",
        "#recycle",
        "#snapshot",
        "@Recycle",
        "lost+found",
        "System Volume Information",
        "$RECYCLE.BIN",
        "desktop.ini",
        "Desktop.ini",
        "Thumbs.db",
        "thumbs.db",
    ],
)
def test_what_systems_and_tools_leave_is_not_visible(name):
    assert not is_visible(name)


@pytest.mark.parametrize(
    "name",
    ["song.wav", "Wavfile", "_song.wav", "@home.mp3", "#1 hit", "__init__", "Thumbs.db.wav"],
)
def test_other_names_are(name):
    assert is_visible(name)
