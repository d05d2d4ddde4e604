"""The short-time Fourier transform: its settings, analysis and synthesis, lazy spectrograms."""

from sksvs.stft.spectrogram import Block, Spectrogram
from sksvs.stft.transform import STFTParams

__all__ = ["Block", "STFTParams", "Spectrogram"]
