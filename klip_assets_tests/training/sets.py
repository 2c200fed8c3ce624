"""Public sets in small: files in their formats, with texts made here."""

from __future__ import annotations

import random
from pathlib import Path

GOEMOTIONS = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment "
    "disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness optimism "
    "pride realization relief remorse sadness surprise neutral"
)
SAID = {
    "anger": "i hate this awful map so angry",
    "joy": "happy day we win and i love it",
    "sadness": "sad we lose it is terrible",
    "amusement": "face with tears of joy so fun",
    "neutral": "the door is a door",
    "excitement": "oh what a wonderful boss win",
}
FEELING = {
    "negative": "bad terrible awful worst game",
    "neutral": "the map is a map",
    "positive": "great best wonderful song",
}


def write_sets(folder: Path, texts: int = 240) -> Path:
    """Write GoEmotions, SemEval and TweetEval in small."""
    order = random.Random(0)
    emotions = folder / "txt-goemotions" / "data" / "original"
    emotions.mkdir(parents=True)
    labels = GOEMOTIONS.split()
    (emotions / "labels.txt").write_text("\n".join(labels))
    for split in ("train", "dev"):
        lines = []
        for number in range(texts):
            name = order.choice(list(SAID))
            lines.append(f"{SAID[name]} {split} {_number(number)}\t{labels.index(name)}\tid{number}")
        (emotions / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    tweets = folder / "tw-semeval2017" / "dataset" / "Subtask_A" / "downloaded"
    tweets.mkdir(parents=True)
    for name in ("twitter-2016train-A.tsv", "twitter-2016dev-A.tsv"):
        lines = []
        for number in range(texts):
            label = order.choice(list(FEELING))
            lines.append(f"{number}\t{label}\t{FEELING[label]} {name[12:15]} {_number(number)}")
        (tweets / name).write_text("\n".join(lines) + "\n")
    evaluation = folder / "tw-tweeteval" / "datasets"
    for name in ("sentiment", "emotion"):
        (evaluation / name).mkdir(parents=True)
        chosen = [order.choice(list(FEELING)) for _ in range(60)]
        (evaluation / name / "val_text.txt").write_text(
            "".join(f"{FEELING[label]} {name} {_number(number)}\n" for number, label in enumerate(chosen))
        )
        labels_text = "".join(f"{list(FEELING).index(label)}\n" for label in chosen)
        (evaluation / name / "val_labels.txt").write_text(labels_text)
    return folder


def _number(value: int) -> str:
    return " ".join("abcdefghij"[int(digit)] for digit in str(value))
