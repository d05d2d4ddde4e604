"""Mark a function as a loss on spectra or on waveforms; TensorFlow is not imported for it."""

from collections.abc import Callable
from functools import partial


class OwnLoss:
    """A function that a fit minimises; a subclass says what it takes.

    Two are equal where they have the same function. A deep copy, as `clone` makes, has the same.
    """

    def __init__(self, function: Callable | str):
        if not callable(function) and not isinstance(function, str):
            raise TypeError(
                f"{type(self).__name__} takes a function{self.takes}; got {function!r}."
            )
        self.function = function

    @property
    def name(self) -> str:
        """The name of the function: what a model file holds of it."""
        function = self.function
        while isinstance(function, partial):
            function = function.func
        if isinstance(function, str):
            return function
        if not hasattr(function, "__qualname__"):
            function = type(function)
        return f"{function.__module__}.{function.__qualname__}"

    def __repr__(self):
        return f"{type(self).__name__}({self.name})"

    def __eq__(self, other):
        if type(other) is not type(self):
            return NotImplemented
        return self._key == other._key

    def __hash__(self):
        return hash(self._key)

    @property
    def _key(self):
        return self.function if isinstance(self.function, str) else id(self.function)

    def __deepcopy__(self, memo):
        return self


class SpectrumLoss(OwnLoss):
    """A loss of your own that compares complex spectra.

    Parameters
    ----------
    function : callable
        ``function(estimates, sources, mixture)`` of tensors of complex64: estimates and sources of
        shape (batch, n_sources, n_frames, n_freqs), mixture of shape (batch, n_frames, n_freqs),
        divided by the level (RMS) of the track. It returns real numbers, one a segment, (batch,),
        or one a frame, (batch, n_frames). It is made of functions of TensorFlow or `keras.ops`,
        takes batches of any size, and must not change between fits. From a model file, it is a
        name instead: to fit again, set the function again.

    Examples
    --------
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> def loudest_error(estimates, sources, mixture):
    ...     from keras import ops
    ...     return ops.max(ops.abs(estimates - sources), axis=(1, 2, 3))
    >>> gru = GRUMaskSeparator(loss=SpectrumLoss(loudest_error))
    """

    takes = " of estimates, sources and mixture"


class WaveformLoss(OwnLoss):
    """A loss of your own that compares waveforms.

    Parameters
    ----------
    function : callable
        ``function(estimates, sources)`` of tensors of float32, shape (batch, n_sources, n_samples):
        the inverse STFT of a segment of `segment_frames` frames, without the samples at its ends
        that other frames complete, so ``(segment_frames + 1) * hop_length - n_fft`` of them,
        divided by the level (RMS) of the track. It returns one number a segment, (batch,). Other
        than that, as of :class:`SpectrumLoss`.

    Examples
    --------
    >>> from sksvs.estimators import GRUMaskSeparator
    >>> def absolute_error(estimates, sources):
    ...     from keras import ops
    ...     return ops.mean(ops.abs(estimates - sources), axis=(1, 2))
    >>> gru = GRUMaskSeparator(loss=WaveformLoss(absolute_error))
    """

    takes = " of estimates and sources"
