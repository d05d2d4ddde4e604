"""The three networks of the course report, by name."""

from typing import Any

from sksvs.estimators.gru_mask_separator import GRUMaskSeparator

_SHARED = {
    "bidirectional": False,
    "output_activation": "relu",
    "dropout": 0.25,
    "loss": "binary_crossentropy",
    "solver": "adam",
    "learning_rate": "constant",
    "clip_norm": None,
    "batch_size": 16,
    "max_iter": 50,
}

REPORT_NETWORKS = {
    "a": {**_SHARED, "hidden_layer_sizes": (16, 16, 16), "dense_layer_sizes": (513, 100)},
    "b": {**_SHARED, "hidden_layer_sizes": (16, 16), "dense_layer_sizes": (513, 100)},
    "c": {**_SHARED, "hidden_layer_sizes": (16, 16, 16), "dense_layer_sizes": (513, 70)},
}


def report_network(name: str, **parameters: Any) -> GRUMaskSeparator:
    """Return a separator with the network of the course report (SGN-24007, Tampere).

    GRU layers of 16 with dropout 0.25, linear layers of 513 and 100 or 70, one ReLU mask; Adam,
    binary cross-entropy, 50 epochs. With ``n_fft=1024`` it has the report's parameter counts:
    140,542 (a), 138,958 (b) and 109,732 (c). The report used it after
    ``STFTTransformer(1024, 512, "hamming")`` and ``IRMTarget(p=0.7)``.

    Parameters
    ----------
    name : {"a", "b", "c"}
        a has three GRU layers and a dense layer of 100; b two GRU layers; c a dense layer of 70.
    **parameters
        Parameters of GRUMaskSeparator to set differently.

    Returns
    -------
    GRUMaskSeparator

    Examples
    --------
    >>> report_network("b", random_state=0).hidden_layer_sizes
    (16, 16)
    """
    if name not in REPORT_NETWORKS:
        raise ValueError(f"The report's networks are 'a', 'b' and 'c'; got {name!r}.")
    return GRUMaskSeparator(**{**REPORT_NETWORKS[name], **parameters})
