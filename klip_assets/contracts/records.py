"""What Klip records about its own work: stages, provenance, refusals, calls, verdicts and figures."""

from __future__ import annotations

import pyarrow as pa

from klip_assets.contracts.table import (
    BIGINT,
    DOUBLE,
    STRING,
    column,
    count_column,
    declare,
    flag_column,
    text_column,
    time_column,
)
from klip_assets.contracts.vocabulary import (
    END_S,
    RUN_ID,
    START_S,
    VIDEO_ID,
    WEIGHTS_VERSION,
)

STAGE_STATUS = declare(
    "stage_status",
    "One row per stage of a video or day: the outcome of its last run.",
    [
        text_column("partition", "Video id or day."),
        text_column("table_name", "Table that the stage writes."),
        text_column("status", "ok, failed, or reused (inputs unchanged, nothing computed)."),
        text_column("error", "Why it failed."),
        RUN_ID,
        time_column("started_at", "When the stage started.", volatile=True),
        column("seconds", DOUBLE, "How long the computation took.", unit="s", low=0, volatile=True),
        count_column("rows", "Rows it wrote.", BIGINT),
    ],
    key=("partition", "table_name"),
    partition="partition",
)

LLM_CALLS = declare(
    "llm_calls",
    "One row per call to a language model.",
    [
        text_column("call_id", "Id of the call."),
        time_column("called_at", "When it was made."),
        text_column("run_id", "Dagster run that made it."),
        text_column("table_name", "Table it was made for."),
        text_column("partition", "Video id or day."),
        text_column("endpoint", "Base URL of the API."),
        text_column("model", "Model asked."),
        text_column("prompt_version", "Version of the prompt."),
        text_column("input_sha256", "SHA-256 of everything the model was given."),
        text_column("status", "ok, repaired or failed."),
        text_column("error", "Why it failed, and what of its cost is an estimate."),
        count_column("attempts", "HTTP requests it took."),
        column("latency_ms", DOUBLE, "Time until the answer.", unit="ms", low=0),
        count_column("prompt_tokens", "Tokens sent.", BIGINT),
        count_column("completion_tokens", "Tokens received.", BIGINT),
        column(
            "cost_usd",
            DOUBLE,
            "Price of all its requests; `error` says where that is an estimate or an upper bound.",
            unit="USD",
            low=0,
        ),
        flag_column("cached", "Whether the answer came from the cache."),
    ],
    key=("call_id",),
    partition=None,
)

PROVENANCE = declare(
    "provenance",
    "One row per published partition of a table: where its rows come from.",
    [
        text_column("table_name", "Table."),
        text_column("partition", "Video id, day, source file, or '' for an unpartitioned table."),
        text_column("run_id", "Dagster run that wrote it."),
        text_column("code_version", "Version of the code that made it."),
        text_column("data_version", "Hash of its rows, volatile columns aside."),
        column(
            "input_versions",
            pa.list_(pa.struct([("input", STRING), ("version", STRING)])),
            "What it was made from.",
        ),
        count_column("rows", "Rows.", BIGINT),
        count_column("failed_rows", "Rows with status failed.", BIGINT),
        time_column("written_at", "When it was written."),
    ],
    key=("table_name", "partition"),
    partition=None,
)

QUARANTINE = declare(
    "quarantine",
    "One row per refused input: a whole file, or one row of it.",
    [
        text_column("source_file", "File or folder, relative to the inbox; '.' for the inbox itself."),
        text_column("table_name", "Table it was meant for; inbox or tweet_inbox for what is not read at all."),
        text_column(
            "position", "Line or row; 'file' for the whole file or folder; a column where only values of it are NULL."
        ),
        text_column("reason", "Why, in a few words."),
        text_column("detail", "What exactly was found."),
        time_column("seen_at", "When it was refused.", volatile=True),
    ],
    key=("source_file", "table_name", "position"),
    partition="source_file",
)

FEEDBACK = declare(
    "feedback",
    "One row per editor's verdict on a highlight.",
    [
        text_column("feedback_id", "Id of the verdict."),
        VIDEO_ID,
        text_column("highlight_id", "The highlight."),
        START_S,
        END_S,
        text_column("verdict", "good or bad."),
        WEIGHTS_VERSION,
        time_column("given_at", "When it was given."),
    ],
    key=("feedback_id",),
    partition="feedback_id",
)

EVALUATIONS = declare(
    "evaluations",
    "One row per figure measured on a golden set.",
    [
        text_column("run_id", "Id of the evaluation."),
        text_column("golden_set", "Set it was measured on."),
        text_column("metric", "What was measured."),
        text_column("system", "klip, or the baseline it is compared with."),
        column("value", DOUBLE, "The figure."),
        column("low", DOUBLE, "Lower end of its 95 % interval; NULL where unknown."),
        column("high", DOUBLE, "Upper end of its 95 % interval; NULL where unknown."),
        count_column("n", "Number of cases behind it."),
        WEIGHTS_VERSION,
        text_column("code_version", "Version of Klip."),
        time_column("evaluated_at", "When it was measured."),
    ],
    key=("run_id", "golden_set", "metric", "system"),
    partition="run_id",
)
