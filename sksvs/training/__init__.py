"""How a network is trained: targets, batches, losses, the loop, schedules, checkpoints."""
