"""Every stage, in the order of the data flow; assets, jobs, checks and records follow from these lists."""

from __future__ import annotations

from klip_assets.contracts import Kind
from klip_assets.work.stages.chat import CHAT_STAGES
from klip_assets.work.stages.highlights import HIGHLIGHT_STAGES
from klip_assets.work.stages.recordings import RECORDING_STAGES
from klip_assets.work.stages.segments import SEGMENT_STAGES
from klip_assets.work.stages.stage import Columns, StageSpec
from klip_assets.work.stages.tweets import TWEET_STAGES

#: The stages of a video, and those of a day of tweets.
STAGES_OF: dict[Kind, tuple[StageSpec, ...]] = {
    "video_id": (*RECORDING_STAGES, *CHAT_STAGES, *SEGMENT_STAGES, *HIGHLIGHT_STAGES),
    "day": TWEET_STAGES,
}

STAGES: dict[str, StageSpec] = {spec.name: spec for specs in STAGES_OF.values() for spec in specs}

#: Tables of which a stage reads only some columns.
COLUMN_SOURCES = frozenset(up.name for spec in STAGES.values() for up in spec.upstream if isinstance(up, Columns))


def downstream(names: set[str]) -> set[str]:
    """Return the names of all stages downstream of these tables, directly or indirectly, without the tables."""
    found: set[str] = set()
    for spec in STAGES.values():  # In the order of the data: one pass is enough.
        if (names | found) & set(spec.upstream_names):
            found.add(spec.name)
    return found - names
