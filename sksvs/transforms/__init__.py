"""Transformers from waveforms to spectrograms, for a stock Pipeline."""

from sksvs.masks import ideal_binary_mask, ideal_ratio_mask
from sksvs.transforms.irm_target import IRMTarget
from sksvs.transforms.mono_downmix import MonoDownmix
from sksvs.transforms.stft_transformer import STFTTransformer

__all__ = ["IRMTarget", "MonoDownmix", "STFTTransformer", "ideal_binary_mask", "ideal_ratio_mask"]
