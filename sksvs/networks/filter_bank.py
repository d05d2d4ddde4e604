"""Describe a fixed filter bank over frequencies: fine bands below, coarse bands above."""

from dataclasses import dataclass

import numpy as np

from sksvs.networks.spec import LayerFacts


@dataclass(frozen=True)
class FilterBankLayer(LayerFacts):
    """A fixed filter bank over frequencies, or the way back from its bands.

    The first `n_fine` bins are a band each. Triangular bands, whose centres have equal distances on
    a logarithmic scale, share the bins above: at every bin, the weights of all bands sum to one.
    "to_bands" takes the weighted mean of the bins of a band, "from_bands" interpolates between
    bands, for every mask.
    """

    name: str
    kind: str  # "to_bands" or "from_bands"
    n_freqs: int
    n_fine: int
    n_coarse: int
    n_masks: int = 1

    parameter_shapes = {}

    @property
    def n_bands(self):
        """Number of bands."""
        return self.n_fine + self.n_coarse

    @property
    def n_inputs(self):
        """Number of input features of every frame."""
        return self.n_freqs if self.kind == "to_bands" else self.n_masks * self.n_bands

    @property
    def units(self):
        """Number of output features of every frame."""
        return self.n_bands if self.kind == "to_bands" else self.n_masks * self.n_freqs

    @property
    def n_macs(self):
        """Multiply-accumulate operations of the products of a frame."""
        n_products = 1 if self.kind == "to_bands" else self.n_masks
        return n_products * self.n_freqs * self.n_bands

    @property
    def matrix(self):
        """What the features of a frame are multiplied by: an array of float32."""
        weights = band_weights(self.n_freqs, self.n_fine, self.n_coarse)
        return weights / weights.sum(axis=0) if self.kind == "to_bands" else weights.T


def band_weights(n_freqs, n_fine, n_coarse):
    """Return the weight of every band at every bin, see :class:`FilterBankLayer`.

    Parameters
    ----------
    n_freqs, n_fine, n_coarse : int
        With ``n_fine >= 1`` and ``n_fine + n_coarse <= n_freqs``.

    Returns
    -------
    array of float32, shape (n_freqs, n_fine + n_coarse)
        In [0, 1]; they sum to one over the bands. Every band has a bin of weight one.

    Examples
    --------
    >>> np.round(band_weights(9, 2, 2)[2:, 2].astype(float), 2).tolist()
    [0.33, 0.67, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    # Whole bins that rise by one at least, up to the last bin.
    coarse = np.geomspace(n_fine, n_freqs - 1, n_coarse + 1).round()[1:] if n_coarse else []
    steps = np.arange(n_fine + n_coarse)
    centres = np.maximum.accumulate([*range(n_fine), *coarse] - steps) + steps
    centres = np.minimum(centres, n_freqs - len(steps) + steps)
    weights = [np.interp(np.arange(n_freqs), centres, band) for band in np.eye(len(steps))]
    return np.stack(weights, axis=1).astype(np.float32)
