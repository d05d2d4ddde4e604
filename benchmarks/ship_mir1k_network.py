"""Score the network that mir1k.py has trained, and put it into the package with its card.

    python benchmarks/mir1k.py --root <MIR-1K> --subset dev --rows "the shipped network"
    python benchmarks/ship_mir1k_network.py --root <MIR-1K> --dsd100 <DSD100, or an excerpt of it>

`--packaged` scores the network in the package again. It has the weight of the accompaniment that
is best on songs (benchmarks/songs.py); the clips of MIR-1K are scored with that of mir1k_rows.py,
which is best on its singers.

Writes models/voice-mir1k.safetensors, with weights of 16 bits, and prints the card.
"""

import argparse
import datetime
import json
from pathlib import Path

import numpy as np
from mir1k_rows import OTHERS_WEIGHT, ROWS, STRONGEST
from ship_networks import LISTS, MODELS, with_16_bits, write_list

import sksvs
from sksvs.datasets import load_dsd100, load_mir1k
from sksvs.metrics import evaluate

MODEL = MODELS / "voice-mir1k.safetensors"
FOR_SONGS = 1.0  # weight of the accompaniment
FITTED = "the_shipped_network_train.safetensors"  # its name in the folder of mir1k.py


def main():
    """Score the network, write it with its card, and print the card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True, help="folder of MIR-1K")
    parser.add_argument("--dsd100", required=True, help="folder of DSD100")
    parser.add_argument("--keep", default="mir1k_kept", help="folder of mir1k.py's models")
    parser.add_argument("--packaged", action="store_true", help="take the package's own network")
    arguments = parser.parse_args()

    fitted = MODEL if arguments.packaged else Path(arguments.keep) / FITTED
    pipeline = sksvs.load(fitted)
    pipeline[-1].set_params(**{**ROWS[STRONGEST].prediction, "others_weight": FOR_SONGS})
    pipeline = with_16_bits(pipeline)
    members = pipeline[-1].estimators_
    card = {
        "name": "voice-mir1k",
        "separates": "singing voice and accompaniment, in this order",
        "licence": "research only",
        "sources": [
            {
                "name": "MIR-1K, 171 training clips",
                "terms": "given out for research",
                "hours": 0.38,
            },
            {
                "name": "synthesised voices over the same accompaniments",
                "terms": "made by sksvs itself",
                "hours": 1.5,
            },
        ],
        "training": f"benchmarks/mir1k.py --subset dev --rows {STRONGEST!r}: the mean of the "
        f"masks of {' and '.join(f'a {type(m).__name__} ({m.n_iter_} epochs)' for m in members)}; "
        "voices and accompaniments of different clips are mixed at random gains, the voices at "
        "random speeds, and for the first network the accompaniments too",
        "date": datetime.date.today().isoformat(),
        "parameters": int(pipeline[-1].count_params()),
        "macs_per_second": round(pipeline[-1].count_macs()),
        "limits": "The training data have two real singers, a woman (amy) and a man (abjones), "
        "and Chinese pop in Mandarin, as karaoke: other voices, languages and instruments are "
        "separated less well. Above 8 kHz the mask is extrapolated: it is the mean over 4 to 8 "
        "kHz.",
        "scores": {
            "MIR-1K dev, 4 clips of the same singers, 0 dB, BSS Eval version 3, weighted by "
            f"length, others_weight={OTHERS_WEIGHT}": _huang2014(pipeline, arguments.root),
            "DSD100 excerpt, mean of the channels, BSS Eval version 3": _songs(
                pipeline, arguments.dsd100
            ),
        },
    }
    sksvs.save(pipeline, MODEL, dtype="float16", card=card)
    print(json.dumps(card, indent=2))
    write_list(LISTS / "voice-mir1k.txt", load_mir1k(arguments.root, "train").names)
    print(f"Wrote {MODEL}: {MODEL.stat().st_size / 1e6:.2f} MB.")


def _huang2014(pipeline, root):
    pipeline[-1].set_params(others_weight=OTHERS_WEIGHT)
    found = evaluate(pipeline, *load_mir1k(root, "dev", return_X_y=True), protocol="huang2014")
    pipeline[-1].set_params(others_weight=FOR_SONGS)
    row = found.summary
    of_source = {
        source: {f"G{m.upper()}": round(row[f"{m}_{column}"], 2) for m in ("nsdr", "sir", "sar")}
        for source, column in (("voice", "vocals"), ("accompaniment", "accompaniment"))
    }
    unweighted = float(np.mean([track["nsdr_vocals"] for track in found.rows]))
    return {**of_source, "voice, unweighted mean NSDR": round(unweighted, 2)}


def _songs(pipeline, root):
    scores = {}
    for subset in ("dev", "test"):
        songs = load_dsd100(root, subset)
        found = evaluate(pipeline, songs.X, songs.y, mixture=True, names=songs.names)
        for row in found.rows:
            of_voice = {m.upper(): round(row[f"{m}_vocals"], 2) for m in ("sdr", "sir", "sar")}
            scores[row["track"]] = {**of_voice, "mixture SDR": round(row["mixture_sdr_vocals"], 2)}
    return scores


if __name__ == "__main__":
    main()
