"""How a network is trained: targets, batches, losses, the loop, schedules, checkpoints."""

from sksvs.training.own_loss import SpectrumLoss, WaveformLoss

__all__ = ["SpectrumLoss", "WaveformLoss"]
