"""Draw the loss of a fitted separator, and scores, by epoch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksvs.display.figures import make_axes
from sksvs.metrics.scores import last_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class TrainingDisplay:
    """How a separator was trained: its loss and, on request, scores by epoch.

    Make it with :meth:`from_estimator`.

    Parameters
    ----------
    losses : dict of str to sequence of float
        By the name of a curve: a value for each epoch.
    scores : dict of str to sequence of float, optional
        Likewise, in dB, drawn on an axis of their own.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Of the losses, after :meth:`plot`.
    score_ax_ : matplotlib.axes.Axes or None
        Of the scores.
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> display = TrainingDisplay({"training": [0.9, 0.7]}, {"SDR": [1.0, 3.0]})
    >>> display.plot().ax_.get_xlabel()    # doctest: +SKIP
    'epoch'
    """

    def __init__(
        self,
        losses: Mapping[str, Sequence[float]],
        scores: Mapping[str, Sequence[float]] | None = None,
    ):
        self.losses = losses
        self.scores = scores

    @classmethod
    def from_estimator(
        cls,
        separator: BaseEstimator,
        scores: Sequence[float] | dict[str, Sequence[float]] | None = None,
    ) -> Self:
        """Take the curves of a fitted separator.

        Parameters
        ----------
        separator : fitted separator, Pipeline that ends in one, or search over either
            With a network. The curves of a VotingSeparator are those of its networks.
        scores : sequence of float or dict of str to sequence of float, optional
            A score for each epoch in dB, such as the SDR that a callback or a loop over
            ``partial_fit`` has measured.

        Returns
        -------
        TrainingDisplay

        Raises
        ------
        NotFittedError
            Before `fit`.
        TypeError
            If the separator has no network, so that nothing was trained.
        ValueError
            If there are more scores than epochs.
        """
        separator = last_step(separator)
        check_is_fitted(separator, "n_sources_")
        members = getattr(separator, "named_estimators_", {"": separator})
        losses = {}
        for name, member in members.items():
            if not hasattr(member, "loss_curve_"):
                continue
            losses[f"{name} training".strip()] = member.loss_curve_
            if member.validation_loss_curve_:
                losses[f"{name} validation".strip()] = member.validation_loss_curve_
        if not losses:
            raise TypeError(
                f"{type(separator).__name__} has no loss_curve_: nothing of it was trained. Take a "
                "separator with a network."
            )
        if scores is not None and not isinstance(scores, dict):
            scores = {"SDR": scores}
        n_epochs = max(map(len, losses.values()))
        for name, values in (scores or {}).items():
            if len(values) > n_epochs:
                raise ValueError(
                    f"scores has {len(values)} values of {name}, but the separator was trained for "
                    f"{n_epochs} epochs. Give a score for each epoch."
                )
        return cls(losses, scores)

    def plot(self, ax: "Axes | None" = None) -> Self:
        """Draw the losses and, on a second axis at the right, the scores.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            By default those of a new figure.

        Returns
        -------
        TrainingDisplay
            This one, with `ax_`, `score_ax_` and `figure_`.
        """
        self.ax_ = make_axes(ax, (6.4, 4.0))
        self.figure_, self.score_ax_ = self.ax_.figure, None
        lines = []
        for i, (name, values) in enumerate(self.losses.items()):
            lines += self._draw(self.ax_, name, values, f"C{i}", "-")
        self.ax_.set(xlabel="epoch", ylabel="loss")
        self.ax_.xaxis.get_major_locator().set_params(integer=True)
        if self.scores:
            self.score_ax_ = self.ax_.twinx()
            self.score_ax_.set_ylabel("score, dB")
            for i, (name, values) in enumerate(self.scores.items(), len(self.losses)):
                lines += self._draw(self.score_ax_, name, values, f"C{i}", "--")
        self.ax_.legend(handles=lines)
        return self

    def _draw(self, ax, name, values, colour, style):
        epochs = range(1, len(values) + 1)
        return ax.plot(epochs, values, color=colour, linestyle=style, marker=".", label=name)
