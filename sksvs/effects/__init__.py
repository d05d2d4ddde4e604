"""Process a dry voice as voices on records are: equalised, compressed, doubled, with echoes."""

from sksvs.effects.chain import vary_voice
from sksvs.effects.dynamics import compress, limiter_gain, rms
from sksvs.effects.echoes import delay, doubling, reverb
from sksvs.effects.equaliser import biquad, equalise

__all__ = [
    "biquad",
    "compress",
    "delay",
    "doubling",
    "equalise",
    "limiter_gain",
    "reverb",
    "rms",
    "vary_voice",
]
