"""Group `highlights`: the moments worth watching, the ones that lost, and the strongest of each emotion."""

import dagster as dg
import pyarrow as pa

from klip_assets import __version__
from klip_assets.contracts import (
    AUDIO_FEATURES,
    CHAT_ACTIVITY,
    EMOTION_MOMENTS,
    HIGHLIGHT_CANDIDATES,
    HIGHLIGHTS,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
    WEIGHTS,
)
from klip_assets.defs.assets.declare import versions_of, video_stage
from klip_assets.defs.assets.plots import score_plot
from klip_assets.defs.assets.stage import OWNERS, Output, Stage, describe, result_of
from klip_assets.defs.resources import Installation
from klip_assets.products.highlights.tables import Signals, describe_highlights, find_candidates, find_emotion_moments
from klip_assets.products.highlights.weights import weight_set, weights_table
from klip_assets.store.lake.provenance import Provenance

GROUP = "highlights"


@dg.asset(
    name=WEIGHTS.name,
    group_name=GROUP,
    description=f"{WEIGHTS.description}\n\nRead from `klip_assets/products/highlights/weights.toml`.",
    owners=OWNERS,
    kinds={"parquet", "toml"},
    code_version="1",
    metadata=describe(WEIGHTS),
)
def weights(context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult:
    """Every weight set that comes with Klip and the one in use, so that scores can be recomputed in SQL."""
    record = Provenance(context.run.run_id, f"{__version__}/1")
    table = weights_table(weight_set(installation.settings.weights))
    return result_of(WEIGHTS, {"": installation.lake.write(WEIGHTS, "", table, record)})


def _signal_versions(stage: Stage) -> dict[str, str]:
    return {
        **versions_of(TRANSCRIPT_WORDS, AUDIO_FEATURES, CHAT_ACTIVITY, SEGMENTS, SEGMENT_SENTIMENT)(stage),
        "recording": stage.files["recording"],
        "weights": weight_set(stage.settings.weights).fingerprint,
    }


#: The weights are an input too, but no dependency in the graph: they have no partitions, and with such a one among
#: the assets of a video Dagster makes two runs of each video of a backfill.
SIGNALS = [VIDEOS, TRANSCRIPT_WORDS, AUDIO_FEATURES, CHAT_ACTIVITY, SEGMENTS, SEGMENT_SENTIMENT]


@video_stage(
    HIGHLIGHT_CANDIDATES, group=GROUP, upstream=SIGNALS, inputs=_signal_versions, code_version="2", kinds={"numpy"}
)
def highlight_candidates(stage: Stage) -> pa.Table:
    """Peaks of a curve of one score a second: adaptive threshold, non-maximum suppression, sentence edges."""
    return find_candidates(_signals(stage), weight_set(stage.settings.weights))


@video_stage(
    HIGHLIGHTS,
    group=GROUP,
    upstream=[*SIGNALS, HIGHLIGHT_CANDIDATES],
    inputs=lambda stage: {**_signal_versions(stage), **versions_of(HIGHLIGHT_CANDIDATES)(stage)},
    code_version="2",
    kinds={"numpy"},
)
def highlights(stage: Stage) -> Output:
    """The kept candidates by score, with every term in a column and the reason in words."""
    signals = _signals(stage)
    rows = describe_highlights(stage.read(HIGHLIGHT_CANDIDATES), signals, weight_set(stage.settings.weights))
    plot = score_plot(signals, rows, weight_set(stage.settings.weights))
    return Output(
        rows, {"weights": weight_set(stage.settings.weights).version}, metadata={"plot": plot} if plot else {}
    )


@video_stage(
    EMOTION_MOMENTS,
    group=GROUP,
    upstream=[SEGMENTS, SEGMENT_SENTIMENT],
    inputs=versions_of(SEGMENTS, SEGMENT_SENTIMENT),
    code_version="1",
    kinds={"numpy"},
)
def emotion_moments(stage: Stage) -> pa.Table:
    """The five strongest segments of each emotion; empty while no tier gives emotions."""
    return find_emotion_moments(stage.read(SEGMENTS), stage.read(SEGMENT_SENTIMENT))


def _signals(stage: Stage) -> Signals:
    return Signals(
        video_id=stage.key,
        duration_s=stage.video["duration_s"],
        transcript_words=stage.read(TRANSCRIPT_WORDS),
        audio_features=stage.read(AUDIO_FEATURES),
        chat_activity=stage.read(CHAT_ACTIVITY),
        segments=stage.read(SEGMENTS),
        segment_sentiment=stage.read(SEGMENT_SENTIMENT),
    )
