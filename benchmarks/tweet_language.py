"""Quality of language identification of short texts: `python benchmarks/tweet_language.py DATA_FOLDER`.

DATA_FOLDER contains tw-twarc-v2 (tweets with X's language), tw-airline, tw-tweeteval and txt-goemotions (all English).
What matters: English mistaken for another language is not read, and another language mistaken for English, or not
identified, is read as English.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from klip_assets.signals.text.language import detect, detector_name, language_of_code

Said = list[tuple[str, str]]


def main(data: Path) -> None:
    """Print the table."""
    detect("The first call loads the model of the detector.")
    print(f"{detector_name()}\n\n| set | texts | English lost | others found | others right | detected | per second |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, texts in sets(data).items():
        start = time.perf_counter()
        found = [detect(text) for text, _ in texts]
        rate = len(texts) / (time.perf_counter() - start)
        said = [language for _, language in texts]
        english = [guess for guess, language in zip(found, said, strict=True) if language == "en"]
        others = [(guess, language) for guess, language in zip(found, said, strict=True) if language != "en"]
        lost = share(guess not in ("en", None) for guess in english)
        foreign = share(guess not in ("en", None) for guess, _ in others)
        right = share(guess == language for guess, language in others)
        told = share(guess is not None for guess in found)
        print(f"| {name} | {len(texts):,} | {lost} | {foreign} | {right} | {told} | {rate:,.0f} |")


def sets(data: Path) -> dict[str, Said]:
    """Return (text, language) by set."""
    tweets: dict[str, tuple[str, str]] = {}
    for path in sorted((data / "tw-twarc-v2" / "test-data").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            # Two of the files are deliberately broken.
            for tweet in tweets_in(json.loads(line) if line.startswith(("{", "[")) else None):
                if language := language_of_code(tweet["lang"]):
                    tweets[tweet["id"]] = (tweet["text"], language)
    airline = (data / "tw-airline" / "Tweets.csv").read_text("utf-8").splitlines(keepends=True)
    evaluation = (data / "tw-tweeteval" / "datasets" / "sentiment" / "val_text.txt").read_text("utf-8").splitlines()
    comments = (data / "txt-goemotions" / "data" / "original" / "dev.tsv").read_text("utf-8").splitlines()
    return {
        "tweets, as X says": list(tweets.values()),
        "tweets to airlines": [(row["text"], "en") for row in csv.DictReader(airline)],
        "TweetEval sentiment val": [(text, "en") for text in evaluation],
        "GoEmotions dev": [(line.split("\t")[0], "en") for line in comments],
    }


def tweets_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every tweet inside a JSON value that has an id, a text and a language."""
    if isinstance(value, dict):
        if {"id", "text", "lang"} <= value.keys():
            yield value
        for inner in value.values():
            yield from tweets_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from tweets_in(inner)


def share(marks: Iterator[bool]) -> str:
    """Return a share as a percentage."""
    found = list(marks)
    return f"{100 * sum(found) / len(found):.2f} %" if found else "-"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
