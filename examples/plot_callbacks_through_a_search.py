"""
Watch every epoch of a search
=============================

A search over separators fits many networks, and each of them for many epochs. Two callbacks of
scikit-learn show what happens meanwhile: `ProgressBar` how far the whole search is, down to the
epochs of each candidate, and `ScoringMonitor` the SDR after every epoch. They need scikit-learn
1.9, where callbacks are experimental, and the package rich.
"""

# %%
# The callbacks are set, not passed
# ---------------------------------
# `set_callbacks` is scikit-learn's method, for callbacks of scikit-learn; the parameter `callbacks`
# takes those of Keras. A progress bar belongs to the outermost estimator, here the search, and
# follows all estimators in it. The monitor belongs to the network, whose clones all report to it.
import matplotlib.pyplot as plt
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sksvs.datasets import make_singing_mixtures
from sksvs.estimators import GRUMaskSeparator
from sksvs.metrics import bss_eval_scorer
from sksvs.transforms import STFTTransformer

X, y = make_singing_mixtures(n_tracks=4, duration=4.0, sample_rate=8000, random_state=0)
monitor = ScoringMonitor(scoring=bss_eval_scorer)
gru = GRUMaskSeparator(
    (16,), max_iter=6, segment_frames=32, learning_rate_init=0.01, random_state=0
)
pipeline = Pipeline([("stft", STFTTransformer(512, 256)), ("gru", gru.set_callbacks(monitor))])
losses = ["segment_error_ratio", "magnitude_squared_error"]
search = GridSearchCV(pipeline, {"gru__loss": losses}, cv=2)
search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)

# %%
# The SDR by epoch
# ----------------
# A row of the log has the numbers of the tasks that lead to it: the fit, the search, the candidate
# and fold, the step of the pipeline, and the epoch. The scores are those of the training songs.
rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
curves = {}
for row in rows:
    _, what, fit, *_ = row["task_id_path"]
    if what == 0:  # the search; 1 is the fit of the best candidate on all songs
        curves.setdefault((losses[fit // 2], fit % 2), []).append(row["sdr"])
print("SDR of the voice after every epoch, dB")
for (loss, fold), curve in curves.items():
    print(f"({loss}, fold {fold})".ljust(40), *(f"{sdr:6.2f}" for sdr in curve))

# %%
# The picture
# -----------
figure, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
for (loss, fold), curve in curves.items():
    colour = f"C{losses.index(loss)}"
    axis.plot(range(1, 1 + len(curve)), curve, colour, label=f"{loss}, fold {fold}")
axis.set(xlabel="epoch", ylabel="SDR of the voice, dB")
axis.legend()
plt.show()
