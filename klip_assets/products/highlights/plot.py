"""The score curve of a video as a picture: small, because Dagster stores it in its event database."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa

from klip_assets.products.highlights.tables import Signals, score_curve
from klip_assets.products.highlights.weights import WeightSet


def score_plot(signals: Signals, highlights: pa.Table, weights: WeightSet) -> bytes | None:
    """Draw the score curve of a video with its highlights shaded.

    Args:
        signals: The signals the highlights were made from.
        highlights: Rows of `highlights`.
        weights: The weight set.

    Returns:
        A PNG of 640 x 192 pixels; None if there is no curve.
    """
    if not signals.duration_s or signals.segments.num_rows == 0:
        return None
    score = score_curve(signals, weights).score
    if not np.isfinite(score).any():
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.4), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(np.arange(len(score)), score, color="#4c72b0", linewidth=1)
    for row in highlights.to_pylist():
        axes.axvspan(row["start_s"], row["end_s"], color="#dd8452", alpha=0.3, linewidth=0)
        axes.annotate(str(row["rank"]), (row["peak_s"], row["score"]), ha="center", va="bottom", fontsize=8)
    axes.set(ylabel="score", ylim=(0, 1.08), xlim=(0, max(signals.duration_s, 1.0)))
    axes.xaxis.set_major_formatter(lambda s, _: f"{int(s) // 3600}:{int(s) // 60 % 60:02d}:{int(s) % 60:02d}")
    axes.set_title(f"{signals.video_id}: score per second, highlights shaded", fontsize=9)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
