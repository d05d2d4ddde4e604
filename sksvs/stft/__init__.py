"""The short-time Fourier transform: its settings, analysis and synthesis, lazy spectrograms."""

from sksvs.stft.settings import STFTParams
from sksvs.stft.spectrogram import Block, Spectrogram

__all__ = ["Block", "STFTParams", "Spectrogram"]
