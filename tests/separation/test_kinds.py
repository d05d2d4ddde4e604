"""One file of every kind that people have is read whole, and gives stems of every format."""

import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from sksvs.audio import AudioFile
from sksvs.separation import separate_file

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import kinds_of_files  # noqa: E402

sys.path.pop(0)

ODD = {"cut.wav", "cut.flac", "cut.ogg", "cut.mp3", "no_end_flag.ogg"}
# What ffmpeg decodes otherwise: codecs that it takes for others, or by another decoder.
DECODED_OTHERWISE = {"g721.wav", "nms_adpcm.wav", "big_endian.wav"}
ENCODER_DELAY = 2048  # samples
MAX_DIFFERENCES = {"ima_adpcm.wav": 1e-2, "a.opus": 1e-2}

COMMON = {  # these are tried in every run of the tests, the others where slow tests run
    *("pcm_16.wav", "float.wav", "length_0.wav", "length_7fffffff.wav", "cut.wav", "g721.wav"),
    *("a.flac", "cut.flac", "a.ogg", "no_end_flag.ogg", "a.opus", "cbr.mp3", "vbr_no_header.mp3"),
    *("two_joined.mp3", "a.m4a", "a.wma", "film.mp4"),
}

needs_programs = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("sox")),
    reason="needs the programs ffmpeg and sox to make files",
)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    path = tmp_path_factory.mktemp("kinds") / "song.wav"
    kinds_of_files.make_song(path)
    return path


def read_quietly(path):
    """Return a file, its samples, and whether there was a warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        file = AudioFile(path)
        return file, file[:], bool(caught)


@needs_programs
@pytest.mark.parametrize(
    "name",
    [
        name if name in COMMON else pytest.param(name, marks=pytest.mark.slow)
        for name in kinds_of_files.KINDS
        if name != "silent_film.mp4"
    ],
)
def test_a_file_of_every_kind_is_read_and_gives_stems_of_every_format(
    song, tmp_path, pipeline, name
):
    path = tmp_path / name
    kinds_of_files.KINDS[name](song, path)
    file, samples, warned = read_quietly(path)
    assert warned == (name in ODD)
    theirs = kinds_of_files.decoded_by_ffmpeg(path, file.n_channels)
    if name not in DECODED_OTHERWISE:
        # Later FFmpegs leave out the padding of the last frame.
        assert abs(len(samples) - len(theirs)) <= ENCODER_DELAY
        atol, n = MAX_DIFFERENCES.get(name, 1e-4), min(len(samples), len(theirs))
        ours = samples.reshape(len(samples), -1)
        np.testing.assert_allclose(ours[:n], theirs[:n], atol=atol)
    middle = len(samples) // 2
    np.testing.assert_allclose(file[middle - 99 : middle], samples[middle - 99 : middle], atol=1e-6)
    for audio_format in kinds_of_files.FORMATS:
        if audio_format == "mp3" and file.n_channels > 2:
            continue
        out = tmp_path / f"{audio_format}"
        stems = separate_file(pipeline, file, out, audio_format=audio_format)
        assert len(stems) == 2
        for stem in stems:
            written = AudioFile(stem)
            seconds = len(samples) / file.sample_rate
            assert written.n_channels == file.n_channels
            assert len(written) / written.sample_rate == pytest.approx(seconds, abs=1e-3)


@needs_programs
def test_a_video_without_sound_is_named_as_such(song, tmp_path):
    kinds_of_files.KINDS["silent_film.mp4"](song, tmp_path / "film.mp4")
    with pytest.raises(ValueError, match=r"film\.mp4 holds no audio: FFmpeg finds no audio str"):
        AudioFile(tmp_path / "film.mp4")


@pytest.mark.slow
@needs_programs
def test_the_table_of_kinds_is_printed():
    command = [sys.executable, kinds_of_files.__file__, "--only", "zeros"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head, line = done.stdout.splitlines()
    assert head.split()[:2] == ["file", "samples,"]
    assert line.split() == ["zeros_in_front.mp3", "89856,", "+0,", "0e+00", *["yes"] * 6]
