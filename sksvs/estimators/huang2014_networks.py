"""The five networks of Huang et al. 2014, by the names in their tables."""

from typing import Any

from sksvs.estimators.drnn_separator import DRNNSeparator

HUANG2014_NETWORKS = {  # name: recurrent_layers
    "DNN": (),
    "DRNN-1": (1,),
    "DRNN-2": (2,),
    "DRNN-3": (3,),
    "sRNN": "all",
}


def huang2014_network(name: str, **parameters: Any) -> DRNNSeparator:
    """Return a separator with a network of Huang et al., ISMIR 2014, section 4.

    Three hidden layers of 1000 ReLU units that see 3 frames, a joint mask layer, and squared errors
    of magnitudes with γ = 0.05; ``discriminative=0.0`` gives the rows of their tables without it.
    They used them at 16 kHz after ``STFTTransformer(1024, 512, "cosine")``, shifted one source
    against the other (``Augmentation(shift=...)``), and minimised by L-BFGS, where this is Adam.
    The sRNN diverges on MIR-1K at Adam's learning rate of 0.001; 0.0001 is safe.

    Parameters
    ----------
    name : {"DNN", "DRNN-1", "DRNN-2", "DRNN-3", "sRNN"}
        Which hidden layer is recurrent: none, the first, second or third, or all.
    **parameters
        Parameters of DRNNSeparator to set differently.

    Returns
    -------
    DRNNSeparator

    Raises
    ------
    ValueError
        If there is no network of that name.

    Examples
    --------
    >>> huang2014_network("sRNN", random_state=0).recurrent_layers
    'all'
    """
    if name not in HUANG2014_NETWORKS:
        names = ", ".join(map(repr, HUANG2014_NETWORKS))
        raise ValueError(f"The networks of Huang et al. 2014 are {names}; got {name!r}.")
    return DRNNSeparator(**{"recurrent_layers": HUANG2014_NETWORKS[name], **parameters})
