"""Read, write and resample audio; samples are read only when they are sliced."""

from sksvs.audio.files import AudioFile, read
from sksvs.audio.resampling import resample
from sksvs.audio.sndfile import libsndfile_version
from sksvs.audio.sources import Sources
from sksvs.audio.waveform import ArrayWaveform, Waveform, to_mono
from sksvs.audio.writing import write

__all__ = [
    "ArrayWaveform",
    "AudioFile",
    "Sources",
    "Waveform",
    "libsndfile_version",
    "read",
    "resample",
    "to_mono",
    "write",
]
