"""Refuse to continue the fit of a network with another network, analysis or optimiser."""


def require_same_network(separator, layers, params):
    """Raise a ValueError if the last fit had another network, input or analysis."""
    if layers != separator.layers_ or separator.input_power != separator.input_power_:
        raise ValueError(
            "warm_start and partial_fit continue the last fit, but the network has other layers or "
            "another input_power now. Keep them and the number of sources, or fit anew."
        )
    difference = params.differs_from(separator.stft_params_)
    if difference:
        raise ValueError(
            "warm_start and partial_fit continue the last fit, but now the tracks were analysed "
            f"with {difference}."
        )


def require_same_solver(separator, solver):
    """Raise a ValueError if the optimiser's state is that of another solver."""
    if separator.solver != solver:
        raise ValueError(
            f"partial_fit continues the last fit, whose solver was {solver!r}, but solver is "
            f"{separator.solver!r} now. Set it back, or fit with warm_start=True, which continues "
            "from the weights alone."
        )
