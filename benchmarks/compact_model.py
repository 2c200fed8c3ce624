"""Quality of the compact model, compared with a linear model trained on the same texts, and the lexicons.

Needs the extra `train`, and a folder with the sets of docs/training.md; only the linear model is trained here.

    python benchmarks/compact_model.py DATA_FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from record import keep

from klip_assets.signals.text.bert.compact import SHIPPED, CompactModel, name_of
from klip_assets.training.measure import as_markdown, measure
from klip_assets.training.texts import measured_set, read_sets, training_set


def main() -> None:
    """Print the two main figures of each system, F1 of each emotion, the size, and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with txt-goemotions, tw-semeval2017 and tw-tweeteval")
    args = parser.parse_args()
    sets = read_sets(args.data)
    rows, name = training_set(sets), name_of(SHIPPED)
    figures = measure(measured_set(sets), {name: CompactModel()}, rows)
    print(as_markdown(figures))
    every = [figure for found in figures.values() for figure in found]
    ours = {figure.metric: round(figure.value, 1) for figure in every if figure.system == name}
    print("; ".join(f"{metric} {value}" for metric, value in ours.items()))
    size = sum((SHIPPED / file).stat().st_size for file in ("model.onnx", "tokenizer.json"))
    print(f"{rows.num_rows:,} training texts; model and tokenizer {size / 1e6:.1f} MB")
    keep("compact_model", model=name, megabytes=round(size / 1e6, 1), **ours)


if __name__ == "__main__":
    main()
