"""Public labelled texts, and which of them a model may be trained on.

GoEmotions (Demszky et al., 2020; Apache-2.0) provides the nine emotions, SemEval-2017 task 4 A (Rosenthal et al., 2017;
CC BY 3.0) the sentiment of tweets. Near-copies of texts that are measured on are left out.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from klip_assets.contracts import EMOTIONS, SENTIMENTS
from klip_assets.errors import NotFoundError
from klip_assets.evaluation.adapters import unescaped
from klip_assets.signals.text.bert.plain import plain

#: Sets that are measured on, or held out to choose thresholds; none of their texts is trained on.
MEASURED = ("goemotions-dev", "tweeteval-sentiment-val")
HELD_OUT = ("semeval-dev", "sst2-dev", "tweeteval-other-val")

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("text", pa.string()),
        ("emotions", pa.list_(pa.bool_())),
        ("sentiment", pa.int8()),
    ]
)


@dataclass(frozen=True)
class Labelled:
    """One text with its labels.

    Attributes:
        source: Set it comes from.
        text: The original text.
        emotions: Whether each of the nine was marked, None if not labelled.
        sentiment: Index into `SENTIMENTS`, None if not labelled.
    """

    source: str
    text: str
    emotions: tuple[bool, ...] | None = None
    sentiment: int | None = None


def read_sets(data: Path) -> dict[str, list[Labelled]]:
    """Read all sets.

    Args:
        data: Folder with txt-goemotions, tw-semeval2017, tw-tweeteval and, optionally, txt-sst2.

    Raises:
        NotFoundError: A set is missing; the message names it.
    """
    emotions = data / "txt-goemotions" / "data" / "original"
    tweets = data / "tw-semeval2017" / "dataset" / "Subtask_A" / "downloaded"
    evaluation = data / "tw-tweeteval" / "datasets"
    for folder, name in ((emotions, "GoEmotions"), (tweets, "SemEval-2017 task 4 A"), (evaluation, "TweetEval")):
        if not folder.is_dir():
            raise NotFoundError(f"{name} is not in {data}", hint="docs/training.md says where the sets come from")
    semeval = {path.name: list(_semeval(path)) for path in sorted(tweets.glob("*.tsv"))}
    # The organizers' own development sets: free to train on, but used here to choose thresholds.
    held = {name for name in semeval if "dev" in name}
    return {
        "goemotions-train": list(_goemotions(emotions, "train")),
        "goemotions-dev": list(_goemotions(emotions, "dev")),
        "semeval-train": [text for name, texts in semeval.items() if name not in held for text in texts],
        "semeval-dev": [text for name in sorted(held) for text in semeval[name]],
        "tweeteval-sentiment-val": list(_tweeteval(evaluation / "sentiment")),
        "tweeteval-other-val": [
            Labelled("tweeteval-other-val", line)
            for folder in sorted(evaluation.iterdir())
            if folder.name != "sentiment" and (folder / "val_text.txt").exists()
            for line in (folder / "val_text.txt").read_text("utf-8").splitlines()
        ],
        "sst2-dev": list(_sst2(data / "txt-sst2" / "data" / "SST2" / "dev.tsv")),
    }


def training_set(sets: dict[str, list[Labelled]]) -> pa.Table:
    """Choose the texts to train on: no duplicates, and none whose normal form is in a measured or held-out set.

    Tweets that were labelled differently in two years are left out.

    Returns:
        Rows of source, text (as the model reads it), emotions and sentiment.
    """
    apart = {normal_form(text.text) for name in (*MEASURED, *HELD_OUT) for text in sets[name]}
    rows: dict[str, Labelled | None] = {}
    for text in (*sets["goemotions-train"], *sets["semeval-train"]):
        form = normal_form(text.text)
        if not form or form in apart:
            continue
        if form in rows:
            before = rows[form]
            if before is not None and (before.sentiment, before.emotions) != (text.sentiment, text.emotions):
                rows[form] = None
            continue
        rows[form] = text
    return _table(text for text in rows.values() if text is not None)


def measured_set(sets: dict[str, list[Labelled]]) -> pa.Table:
    """Return the texts that models are measured on, in the format of `training_set`."""
    return _table(text for name in MEASURED for text in sets[name])


def _table(texts: Iterable[Labelled]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "source": text.source,
                "text": plain(text.text),
                "emotions": list(text.emotions) if text.emotions else None,
                "sentiment": text.sentiment,
            }
            for text in texts
        ],
        schema=SCHEMA,
    )


def normal_form(text: str) -> str:
    """Return the normal form that copies of a text share: its letters and digits, without handles and links."""
    return "".join(re.findall(r"\w", plain(text).lower().replace("@user", "").replace("http", "")))


def _goemotions(folder: Path, split: str) -> Iterator[Labelled]:
    names = (folder / "labels.txt").read_text("utf-8").split()
    for row in _rows(folder / f"{split}.tsv"):
        marked = {names[int(label)] for label in row[1].split(",")}
        yield Labelled(f"goemotions-{split}", row[0], tuple(name in marked for name in EMOTIONS))


def _semeval(path: Path) -> Iterator[Labelled]:
    split = "dev" if "dev" in path.name else "train"
    for row in _rows(path):
        if len(row) >= 3 and row[1] in SENTIMENTS:
            yield Labelled(f"semeval-{split}", unescaped(row[2]), sentiment=SENTIMENTS.index(row[1]))


def _tweeteval(folder: Path) -> Iterator[Labelled]:
    texts = (folder / "val_text.txt").read_text("utf-8").splitlines()
    labels = (folder / "val_labels.txt").read_text("utf-8").split()
    for text, label in zip(texts, labels, strict=True):
        yield Labelled("tweeteval-sentiment-val", unescaped(text), sentiment=int(label))


def _sst2(path: Path) -> Iterator[Labelled]:
    if path.exists():
        yield from (Labelled("sst2-dev", row[0]) for row in _rows(path) if row and row[0] != "sentence")


def _rows(path: Path) -> Iterable[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
