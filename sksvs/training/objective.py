"""What a fit minimises, as plain facts that need no TensorFlow."""

from typing import NamedTuple

from sksvs.parameters import MAGNITUDE_LOSSES, MASK_LOSSES


class Objective(NamedTuple):
    """A loss and what it compares.

    Attributes
    ----------
    loss : str
        "magnitude_absolute_error" or the like.
    n_sources : int
    n_masks : int
        Masks that the network gives: 1, the first source's, for two sources, else one a source.
    discriminative : float
        The γ of Huang et al. 2014, eq. 9: how much an estimate's likeness to the other sources
        counts against it.
    """

    loss: str
    n_sources: int
    n_masks: int
    discriminative: float = 0.0

    @property
    def target(self):
        """What the network's output is compared with: "masks", "magnitudes" or "spectra"."""
        if self.loss in MASK_LOSSES:
            return "masks"
        return "magnitudes" if self.loss in MAGNITUDE_LOSSES else "spectra"

    @property
    def n_compared(self):
        """Sources that the loss looks at, from the first on.

        With one mask the spectra of two sources that add up to the mixture have the same error:
        what one has too much is what the other lacks. Where they do not, the first one counts.
        """
        return 1 if self.target == "spectra" and self.n_masks == 1 else self.n_sources

    @property
    def n_parts(self):
        """Arrays of n_freqs values that a frame's target consists of."""
        if self.target == "masks":
            return self.n_masks
        return 1 + self.n_compared * (1 if self.target == "magnitudes" else 2)


def count_masks(n_sources, joint_mask):
    """Return how many masks a network gives: M₀ alone for two sources, unless they are joint."""
    return 1 if n_sources == 2 and not joint_mask else n_sources
