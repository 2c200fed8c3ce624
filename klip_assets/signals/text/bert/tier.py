"""The BERT tier: one or two Hugging Face models, or the compact model if none is configured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from klip_assets.errors import EngineUnavailableError
from klip_assets.signals.text.bert import compact, hub, quantized
from klip_assets.signals.text.bert.batches import BUDGET_TOKENS, processors
from klip_assets.signals.text.bert.cards import ENGLISH, languages_of, written_for
from klip_assets.signals.text.bert.labels import Meaning, meaning_of
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.known import NOTHING_KNOWN, Known, read_once
from klip_assets.signals.text.reading import Reading, input_hash

TIER = "bert"

#: Tokens per batch on a GPU.
_CUDA_BUDGET = 16_384
_LABELS = ("negative", "neutral", "positive")


@dataclass(frozen=True)
class BertTier:
    """The BERT tier.

    Attributes:
        models: Hub names or folders, one each for sentiment and emotions, or just one; empty: the compact model.
        folder: Where int8 models are stored (`data/models`).
        compact: Folder of the compact model.
        device: cpu, cuda or auto.
        precision: float32, bfloat16, float16, int8 or auto.
        notify: Called with a message about what was chosen.
        known: Earlier readings.
    """

    models: tuple[str, ...]
    folder: Path
    compact: Path = compact.SHIPPED
    device: str = "auto"
    precision: str = "auto"
    notify: Callable[[str], None] = field(default=lambda _: None, compare=False)
    known: Known = field(default_factory=dict, compare=False)

    name = TIER

    @property
    def languages(self) -> frozenset[str]:
        """Languages that all its models read; the compact model reads English."""
        return frozenset.intersection(*map(languages_of, self.models)) if self.models else ENGLISH

    @property
    def reader(self) -> str:
        """Name of the model, for messages."""
        return " and ".join(self.models) if self.models else compact.name_of(self.compact)

    def read(self, items: Sequence[Item]) -> list[Reading]:
        """Read texts.

        Returns:
            One reading per text, in order. If a model is not available, all are `failed` with the reason.
        """
        texts = [item.text for item in items]
        full = [index for index, item in enumerate(items) if not item.is_empty]
        readings = [
            Reading("skipped", input_hash(TIER, ",".join(self.models), text), error="no words to read")
            for text in texts
        ]
        if not full:
            return readings
        chosen = [texts[index] for index in full]
        try:
            found = self._read_hub(chosen) if self.models else read_compact(chosen, self.compact, self.known)
        except EngineUnavailableError as error:
            found = [
                Reading("failed", input_hash(TIER, ",".join(self.models), text), TIER, error=str(error))
                for text in chosen
            ]
        for index, reading in zip(full, found, strict=True):
            readings[index] = reading
        return readings

    def _read_hub(self, texts: Sequence[str]) -> list[Reading]:
        models = [hub.load(name) for name in self.models]
        meanings = [meaning_of(loaded.name, loaded.labels) for loaded in models]
        names = [f"{loaded.name}@{loaded.version[:8]}" for loaded in models]

        def digest(text: str) -> str:
            found = [input_hash(TIER, name, text) for name in names]
            return found[0] if len(found) == 1 else _joint_hash(*found)

        def read(fresh: Sequence[str]) -> list[Reading]:
            readings: list[Reading] | None = None
            for loaded, name, meaning in zip(models, names, meanings, strict=True):
                run, budget, how, workers = self._runner(loaded)
                self.notify(f"{loaded.name} reads {len(fresh)} texts: {how}")
                written = [written_for(loaded.name, text) for text in fresh]
                part = _readings(name, fresh, loaded.probabilities(written, run, budget, workers=workers), meaning)
                readings = part if readings is None else [_joined(a, b) for a, b in zip(readings, part, strict=True)]
            assert readings is not None
            return readings

        return read_once(texts, digest, self.known, read)

    def _runner(self, loaded: hub.Loaded) -> tuple[hub.Runner, int, str, int]:
        """Return the runner, tokens per batch, a description, and the number of workers; see `probabilities`.

        An int8 model gets only batches of equal length: rounding amplifies differences in the last digit, and this way
        a text has the same scores in any batch.
        """
        import torch

        device = self.device if self.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
        precision = self.precision
        if device != "cpu":
            precision = "bfloat16" if precision in ("auto", "int8") else precision
            return hub.torch_runner(loaded, device, precision), _CUDA_BUDGET, f"{device}, {precision}", 0
        if precision in ("auto", "int8"):
            run, agreement = quantized.int8_runner(loaded, hub.folder_for(self.folder, loaded))
            same = f"{100 * agreement.same:.0f} % of labels agree with the full model on {agreement.texts} texts"
            if run:
                return run, BUDGET_TOKENS, f"int8 by onnxruntime, {same}", processors()
            self.notify(f"{loaded.name}: the int8 model is not used: only {same}")
            precision = "float32"
        return hub.torch_runner(loaded, device, precision), BUDGET_TOKENS, f"{device}, {precision}", 0


def read_compact(texts: Sequence[str], folder: Path = compact.SHIPPED, known: Known = NOTHING_KNOWN) -> list[Reading]:
    """Read texts with a compact model, by default the shipped one.

    Args:
        texts: The texts.
        folder: Folder of the model.
        known: Earlier readings.

    Raises:
        EngineUnavailableError: The model is missing.
    """
    name = compact.name_of(folder)

    def read(fresh: Sequence[str]) -> list[Reading]:
        model = compact.load(folder)
        scores = model.read(fresh)
        readings = _readings(model.name, fresh, scores.sentiment, Meaning({0: -1.0, 1: 0.0, 2: 1.0}, {}))
        emotions = [dict(zip(model.emotions, map(float, row), strict=True)) for row in scores.emotions]
        return [replace(reading, emotions=found) for reading, found in zip(readings, emotions, strict=True)]

    return read_once(texts, lambda text: input_hash(TIER, name, text), known, read)


def model_names(models: Sequence[str], folder: Path, device: str, precision: str) -> str:
    """Return the models as they enter the version of a table: the compact one by its weights, others by settings."""
    return f"{'+'.join(models)}/{device}/{precision}" if models else compact.name_of(folder)


def _readings(model: str, texts: Sequence[str], probabilities: hub.Floats, meaning: Meaning) -> list[Reading]:
    readings = []
    indices, values = list(meaning.sentiment), np.array(list(meaning.sentiment.values()))
    for text, row in zip(texts, probabilities, strict=True):
        sentiment = label = confidence = None
        if indices:
            shares = row[indices].astype(float)
            sentiment = float(np.clip(shares @ values / max(shares.sum(), 1e-9), -1, 1))
            best = int(shares.argmax())
            label, confidence = _LABELS[int(values[best]) + 1], float(np.clip(shares[best], 0, 1))
        emotions = {name: float(np.clip(row[index], 0, 1)) for name, index in meaning.emotions.items()}
        digest = input_hash(TIER, model, text)
        readings.append(
            Reading("ok", digest, TIER, model, sentiment, emotions, model_label=label, confidence=confidence)
        )
    return readings


def _joined(a: Reading, b: Reading) -> Reading:
    # Sentiment from the model that has it, emotions from the other.
    has_sentiment = a if a.sentiment is not None else b
    return replace(
        has_sentiment,
        model=f"{a.model}+{b.model}",
        emotions=a.emotions or b.emotions,
        input_sha256=_joint_hash(a.input_sha256, b.input_sha256),
    )


def _joint_hash(first: str, second: str) -> str:
    return input_hash(TIER, f"{first}+{second}", "")
