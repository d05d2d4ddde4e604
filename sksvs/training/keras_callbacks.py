"""Check which Keras callbacks can be used in a fit; TensorFlow is not imported for it."""

# Of keras.callbacks, by name: what to use in place of those that need Keras's own loop over
# batches, or the files of a keras.Model, which a separator cannot load.
IN_PLACE_OF = {
    "BackupAndRestore": "checkpoint_dir, which resumes an interrupted fit",
    "ModelCheckpoint": "checkpoint_dir, or sksvs.save after the fit",
    "OrbaxCheckpoint": "checkpoint_dir, or sksvs.save after the fit",
    "ProgbarLogger": "verbose=True, or sklearn.callback.ProgressBar and set_callbacks",
    "SwapEMAWeights": "ema_momentum, whose averages are validated and predict",
    "TerminateOnNaN": "none: a loss that is not finite is an error that names the tracks",
}
SETS_RATE = {"LearningRateScheduler", "ReduceLROnPlateau"}
BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


def check_callbacks(separator):
    """Raise an error for a callback of a separator that would have no effect, or a wrong one.

    Parameters
    ----------
    separator : BaseNetworkSeparator

    Raises
    ------
    TypeError
        For what is no Keras callback, such as one of scikit-learn's.
    ValueError
        For a callback that works on batches, does what a parameter does, or sets the learning rate
        where a schedule sets it, too.
    """
    for callback in separator.callbacks or ():
        kinds = type(callback).__mro__
        stock = [kind for kind in kinds if kind.__module__.partition(".")[0] == "keras"]
        names = [kind.__name__ for kind in stock]
        where = f"{type(separator).__name__}: callbacks holds {kinds[0].__name__}"
        if "Callback" not in names:
            raise TypeError(
                f"{where}, which is no instance of keras.callbacks.Callback. Callbacks of "
                "scikit-learn go to the method set_callbacks."
            )
        for name in IN_PLACE_OF.keys() & set(names):
            raise ValueError(f"{where}, which has no use here. Take {IN_PLACE_OF[name]}.")
        if SETS_RATE & set(names) and separator.learning_rate != "constant":
            raise ValueError(
                f"{where}, but learning_rate={separator.learning_rate!r} sets the learning rate, "
                "too. Take learning_rate='constant'."
            )
        if "EarlyStopping" in names and callback.restore_best_weights:
            raise ValueError(
                f"{where} with restore_best_weights. Take early_stopping=True, a parameter of the "
                "separator, which keeps the best weights."
            )
        for name in BATCH_HOOKS:
            hook = getattr(callback, name)
            if getattr(hook, "__func__", hook) is not getattr(stock[0], name):
                raise ValueError(
                    f"{where} with {name}, but callbacks are called at the beginning and end of "
                    "training and of epochs alone. Use on_epoch_end."
                )
