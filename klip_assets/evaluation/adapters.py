"""Adapters for public data sets in their published form; none of them is part of Klip.

Sources, all on GitHub: evzhu/ai-prac-esports-highlights (human labels for each 5 s of League of Legends finals, with
log-mel features), shunhuaiyao/Twitch-Highlight-Kappa (Twitch chats with ranges marked by hand), and
cardiffnlp/tweeteval (tweets with their sentiment, Barbieri et al., 2020).
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from klip_assets.contracts import SENTIMENTS
from klip_assets.errors import InputError
from klip_assets.evaluation.binned import BinnedSet, bins_of
from klip_assets.evaluation.tweets import TweetSet
from klip_assets.signals.chat.readers import read_chat

MEL_BANDS = 64
#: Maximum folders between the given one and a file of a set.
DEEPEST = 4
#: Length of the bins in which a chat is judged, in seconds.
CHAT_BIN_S = 10

_CHAT_LINE = re.compile(r"(\d{9,11}) ([^:]{0,500}): ?(.*)")


def adapted_sets(root: Path, *, chat_lag_s: float) -> Iterator[BinnedSet]:
    """Yield the known public sets below a folder, in the order of their paths.

    Args:
        root: A folder that contains sets, or is one.
        chat_lag_s: Seconds that chats without audio are assumed to lag behind.

    Raises:
        InputError: A set can't be read.
    """
    for path in _below(root, "annotations.csv"):
        if (path.parents[1] / "features").is_dir():
            yield from _of_esports(path)
    for path in _below(root, "*highlight*.txt"):
        if _ranges(path):
            yield from _of_twitch(path, chat_lag_s)


def tweet_sets(root: Path) -> Iterator[TweetSet]:
    """Yield the sentiment sets of TweetEval below a folder: of each, the split that no model of Klip was trained on.

    Raises:
        InputError: A set can't be read.
    """
    for path in _below(root, "val_text.txt"):
        mapping = path.with_name("mapping.txt")
        names = mapping.read_text("utf-8").split()[1::2] if mapping.exists() else []
        if tuple(names) != SENTIMENTS:
            continue
        texts = path.read_text("utf-8").splitlines()
        try:
            labels = np.array(path.with_name("val_labels.txt").read_text("utf-8").split(), np.int64)
        except (OSError, ValueError) as error:
            raise InputError(f"{path.with_name('val_labels.txt')}: {error}") from error
        if not len(labels) == len(texts) > 0 or labels.min() < 0 or labels.max() >= len(SENTIMENTS):
            raise InputError(f"{path}: {len(texts)} tweets, but {len(labels)} labels, or invalid labels")
        yield TweetSet(f"tweeteval-{path.parent.name}-val", tuple(map(unescaped, texts)), labels)


def unescaped(text: str) -> str:
    """Return a tweet as it was written: the organizers escaped some characters and doubled quotes."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.removeprefix('"').removesuffix('"').replace('""', '"') if text.startswith('"') else text


def _below(root: Path, pattern: str) -> list[Path]:
    # Limited depth: the folder may have a million files.
    return sorted(path for depth in range(DEEPEST + 1) for path in root.glob("*/" * depth + pattern))


def _of_esports(annotations: Path) -> Iterator[BinnedSet]:
    labels: dict[str, dict[int, str]] = {}
    with annotations.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                labels.setdefault(row["vod_id"], {})[int(float(row["start_sec"]))] = row["label"] or ""
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"{annotations}, line {number}: {type(error).__name__}: {error}") from error
    for name, by_start in sorted(labels.items()):
        path = annotations.parents[1] / "features" / f"{name}.npz"
        if not path.exists() or not any(_is_highlight(label) for label in by_start.values()):
            continue
        with np.load(path) as features:
            starts, ends = features["start_sec"].astype(int), features["end_sec"].astype(int)
            level = features["X_audio"][:, :MEL_BANDS].mean(axis=1).astype(np.float64)
        bin_s = int(ends[0] - starts[0])
        second = np.arange(int(ends[-1]))
        marked = np.array([_is_highlight(by_start.get(int(start), "")) for start in starts])
        yield BinnedSet(
            name=f"lol-worlds2025/{name}",
            duration_s=float(ends[-1]),
            bin_s=bin_s,
            labels=marked,
            judged=np.array([bool(by_start.get(int(start), "").strip()) for start in starts]),
            moments=int(np.sum(np.diff(marked.astype(int), prepend=0) == 1)),
            loudness=level[np.clip(np.searchsorted(starts, second, "right") - 1, 0, len(level) - 1)],
        )


def _is_highlight(label: str) -> bool:
    # "Near-Highlight" and "Non-Highlight", however they are spelled, are not highlights.
    return re.sub("[^a-z]", "", label.casefold()).startswith("high")


def _of_twitch(path: Path, chat_lag_s: float) -> Iterator[BinnedSet]:
    ranges = _ranges(path)
    for log in sorted(path.parent.glob("VoD_*.txt")):
        with log.open(encoding="utf-8", errors="replace") as file:
            lines = [found.groups() for line in file if (found := _CHAT_LINE.fullmatch(line.rstrip("\n")))]
        if not lines or not int(lines[0][0]) <= ranges[0][0] <= int(lines[-1][0]):
            continue
        began, ended = int(lines[0][0]), int(lines[-1][0])
        if len(ranges) != sum(began <= start <= ended for start, _ in ranges):
            raise InputError(f"{path}: some ranges are outside the chat {log.name}")
        duration_s = float(ended - began + 1)
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "chat.jsonl"
            with plain.open("w", encoding="utf-8") as file:
                for at, author, text in lines:
                    file.write(json.dumps({"offset_s": int(at) - began, "author": author, "text": text}) + "\n")
            chat = read_chat(plain, log.stem).messages
        marked = [(float(start - began), float(end - began)) for start, end in ranges]
        labels = bins_of(marked, duration_s, CHAT_BIN_S)
        yield BinnedSet(
            name=f"twitch-godtone/{log.stem}",
            duration_s=duration_s,
            bin_s=CHAT_BIN_S,
            labels=labels,
            judged=np.ones(len(labels), bool),
            moments=len(ranges),
            chat=chat,
            chat_lag_s=chat_lag_s,
        )


def _ranges(path: Path) -> list[tuple[int, int]]:
    """Return start and end of each line, in unix seconds; [] if the file has another format."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.strip():
            numbers = line.split()
            if len(numbers) != 2 or not all(re.fullmatch(r"\d{9,11}", number) for number in numbers):
                return []
            found.append((int(numbers[0]), int(numbers[1])))
    return found
