"""The compact model: sentiment and the nine emotions, int8, with onnxruntime and tokenizers only.

It ships with the package, so that a fresh machine without a model hub has a BERT tier (see its MODEL_CARD.md for
training data and quality). Its emotions are scores, not probabilities: at 0.5 and above an emotion counts as present.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from klip_assets.errors import EngineUnavailableError
from klip_assets.signals.text.bert.batches import BUDGET_TOKENS, batches, processors, windows
from klip_assets.signals.text.bert.plain import plain
from klip_assets.signals.text.bert.session import open_session

Floats = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True)
class Scores:
    """Scores of the model for texts.

    Attributes:
        emotions: Scores 0..1 in the order of `CompactModel.emotions`, shape (texts, 9).
        sentiment: Probabilities of negative, neutral and positive, shape (texts, 3).
    """

    emotions: Floats
    sentiment: Floats


class CompactModel:
    """A compact model in a folder: model.onnx, tokenizer.json, model.json.

    Args:
        folder: The folder.

    Raises:
        EngineUnavailableError: There is no such model, or its files do not match.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        from tokenizers import Tokenizer

        try:
            about = json.loads((folder / "model.json").read_text("utf-8"))
            content = (folder / "model.onnx").read_bytes()
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except (OSError, ValueError) as error:
            raise EngineUnavailableError(f"no compact model in {folder}: {error}") from error
        self.sha256 = hashlib.sha256(content).hexdigest()
        if self.sha256 != about["model_sha256"]:
            raise EngineUnavailableError(f"{folder / 'model.onnx'} is not the file that model.json describes")
        self.emotions: tuple[str, ...] = tuple(about["emotions"])
        self._most_tokens = int(about["most_tokens"]) - 2
        self._session = open_session(content)
        self._first, self._last = (self._id_of(token) for token in ("[CLS]", "[SEP]"))

    @property
    def name(self) -> str:
        """Name with version: the start of the hash of its weights."""
        return _name(self.sha256)

    def _id_of(self, token: str) -> int:
        return int(self._tokenizer.token_to_id(token))

    def read(self, texts: Sequence[str]) -> Scores:
        """Read texts of any length; for a text longer than the model's window, the windows' scores are averaged.

        A text gets the same scores whatever else is in the batch, and texts that are equal after preprocessing (they
        differ only in handles and links) are read once.
        """
        if not texts:
            return Scores(np.zeros((0, len(self.emotions)), np.float32), np.zeros((0, 3), np.float32))
        forms = [plain(text) for text in texts]
        distinct = {form: index for index, form in enumerate(dict.fromkeys(forms))}
        scores = self._read(list(distinct))
        indices = [distinct[form] for form in forms]
        return Scores(scores.emotions[indices], scores.sentiment[indices])

    def _read(self, texts: Sequence[str]) -> Scores:
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(texts, add_special_tokens=False)]
        pieces = [(index, piece) for index, ids in enumerate(tokens) for piece in windows(ids, self._most_tokens)]
        owners = np.array([index for index, _ in pieces], np.int64)
        weights = np.array([max(1, len(piece)) for _, piece in pieces], np.float64)
        logits = self._logits([piece for _, piece in pieces])
        width = len(self.emotions)
        scores = np.concatenate([_sigmoid(logits[:, :width]), _softmax(logits[:, width:])], axis=1)
        sums = np.zeros((len(texts), scores.shape[1]))
        np.add.at(sums, owners, scores * weights[:, None])
        means = (sums / np.bincount(owners, weights, len(texts))[:, None]).astype(np.float32)
        return Scores(means[:, :width], means[:, width:])

    def _logits(self, pieces: Sequence[Sequence[int]]) -> Floats:
        # Batches have no padding and at least two texts (for a single one, onnxruntime sums the mean in another order):
        # so a text has the same scores, to the last digit, in any batch.
        lengths = [len(piece) + 2 for piece in pieces]
        found = np.zeros((len(pieces), len(self.emotions) + 3), np.float32)

        def read(indices: list[int]) -> None:
            rows = indices if len(indices) > 1 else indices * 2
            ids = np.array([[self._first, *pieces[index], self._last] for index in rows], np.int64)
            (logits,) = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            found[indices] = logits[: len(indices)]

        with ThreadPoolExecutor(processors()) as pool:
            list(pool.map(read, batches(lengths, BUDGET_TOKENS, equal=True)))
        return found


def name_of(folder: Path) -> str:
    """Return the name of the model in a folder without loading it.

    Raises:
        EngineUnavailableError: There is no model.
    """
    try:
        return _name(json.loads((folder / "model.json").read_text("utf-8"))["model_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineUnavailableError(f"no compact model in {folder}: {error}") from error


@cache
def load(folder: Path = SHIPPED) -> CompactModel:
    """Return a model, loaded once per process."""
    return CompactModel(folder)


def _name(sha256: str) -> str:
    return f"klip-compact-{sha256[:8]}"


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), np.float32)


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
