"""Fitting the network on both tasks at once; each text has labels for one of them or both."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import EMOTIONS, SENTIMENTS
from klip_assets.errors import EngineUnavailableError
from klip_assets.evaluation.metrics import macro_recall
from klip_assets.training.network import WIDTH, base_encoder, build

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]

#: One in this many rows is held out, to choose the decision thresholds on.
_CUT_SHARE = 15
_EMOTIONS = len(EMOTIONS)


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters.

    Attributes:
        base: The encoder to start from; see `network.base_encoder`.
        epochs: Number of passes over the texts.
        learning_rate: The peak rate, reached after a tenth of all steps; then it decays to zero.
        batch: Texts per step.
        most_tokens: Maximum tokens read per text.
        dropout: See `network.build`.
        seed: Seed of order, dropout and the last layer.
        device: cpu, cuda, or auto.
    """

    base: str = "minilm"
    epochs: int = 3
    learning_rate: float = 1.5e-4
    batch: int = 32
    most_tokens: int = 96
    dropout: float = 0.1
    seed: int = 1
    device: str = "auto"


@dataclass(frozen=True)
class Learnt:
    """A trained network.

    Attributes:
        network: On the CPU, in float32; the decision thresholds are in the bias of its last layer.
        tokenizer: The tokenizer of the encoder.
        recipe: Its hyperparameters.
        seconds: Training time.
    """

    network: torch.nn.Module
    tokenizer: Any
    recipe: Recipe
    seconds: float


def learn(rows: pa.Table, recipe: Recipe, on_progress: Callable[[str], None] = lambda _: None) -> Learnt:
    """Train on labelled texts.

    Args:
        rows: From `texts.training_set`.
        recipe: Hyperparameters.
        on_progress: Called every 30 s with a progress message.

    Raises:
        EngineUnavailableError: A library needed for training is not installed.
    """
    try:
        import torch
        from transformers import AutoTokenizer
    except ImportError as error:
        raise EngineUnavailableError(
            f"{error.name} is not installed", hint="pip install -c constraints.txt -e '.[train]'"
        ) from error

    began = time.monotonic()
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    device = recipe.device if recipe.device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")
    base = base_encoder(recipe.base)
    tokenizer = AutoTokenizer.from_pretrained(base)
    network = build(base, recipe.dropout).to(device)
    limit: int = network.encoder.config.max_position_embeddings  # type: ignore[union-attr, assignment]
    recipe = replace(recipe, most_tokens=min(recipe.most_tokens, limit))
    texts = tokenizer(rows["text"].to_pylist(), truncation=True, max_length=recipe.most_tokens)["input_ids"]
    targets = _targets(rows)
    chosen_by = np.arange(len(texts)) % _CUT_SHARE == 0
    learning = np.flatnonzero(~chosen_by)
    weights = torch.tensor(_sentiment_weights(targets[learning]), device=device)
    steps = recipe.epochs * math.ceil(len(learning) / recipe.batch)
    # Fused: a step of 32 short texts takes two thirds of the time on a CPU.
    optimizer = torch.optim.AdamW(_groups(network), lr=recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=steps + 1, pct_start=0.1, anneal_strategy="linear"
    )
    network.train()
    step, reported, running = 0, time.monotonic(), 0.0
    for epoch in range(recipe.epochs):
        for places in _shuffled(learning, texts, recipe.batch, random.Random(recipe.seed + epoch)):
            ids, mask = _padded([texts[place] for place in places], device)
            target = torch.tensor(targets[places], device=device)
            with torch.autocast(device, dtype=torch.bfloat16):
                logits = network(ids, mask)
            loss = _loss(logits.float(), target, weights)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            running += 0.02 * (loss.item() - running) if step > 1 else loss.item()
            if time.monotonic() - reported > 30 or step == steps:
                reported = time.monotonic()
                left = (reported - began) / step * (steps - step)
                on_progress(f"step {step} of {steps}, loss {running:.3f}, {left / 60:.0f} min left")
    network = network.float().cpu().eval()
    held = np.flatnonzero(chosen_by)
    _set_cuts(network, logits_of(network, [texts[place] for place in held]), targets[held])
    return Learnt(network, tokenizer, recipe, time.monotonic() - began)


def logits_of(network: torch.nn.Module, texts: Sequence[Sequence[int]]) -> Floats:
    """Return the logits of tokenized texts, shape (texts, 12)."""
    import torch

    from klip_assets.signals.text.bert.batches import batches

    found = np.zeros((len(texts), WIDTH), np.float32)
    with torch.inference_mode():
        for places in batches([len(text) for text in texts], 4096):
            ids, mask = _padded([texts[place] for place in places], "cpu")
            found[places] = network(ids, mask).numpy()
    return found


def _targets(rows: pa.Table) -> Floats:
    # Twelve columns like the logits; NaN where there is no label.
    targets = np.full((rows.num_rows, WIDTH), np.nan, np.float32)
    for place, row in enumerate(rows.select(["emotions", "sentiment"]).to_pylist()):
        if row["emotions"] is not None:
            targets[place, :_EMOTIONS] = row["emotions"]
        if row["sentiment"] is not None:
            targets[place, _EMOTIONS:] = np.arange(len(SENTIMENTS)) == row["sentiment"]
    return targets


def _sentiment_weights(targets: Floats) -> Floats:
    # Rare classes count more, by the square root: macro-recall weights all three equally.
    counts = np.nansum(targets[:, _EMOTIONS:], axis=0)
    weights = np.sqrt(counts.mean() / np.maximum(counts, 1))
    return weights.astype(np.float32)


def _loss(logits: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional

    total = logits.new_zeros(())
    has_emotions = ~target[:, 0].isnan()
    if has_emotions.any():
        total = total + _EMOTIONS / 3 * functional.binary_cross_entropy_with_logits(
            logits[has_emotions, :_EMOTIONS], target[has_emotions, :_EMOTIONS]
        )
    has_sentiment = ~target[:, -1].isnan()
    if has_sentiment.any():
        total = total + functional.cross_entropy(
            logits[has_sentiment, _EMOTIONS:], target[has_sentiment, _EMOTIONS:].argmax(1), weight=weights
        )
    return total


def _groups(network: torch.nn.Module) -> list[dict[str, Any]]:
    # No weight decay for biases and norms (Devlin et al., 2019).
    plain = [value for name, value in network.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
    decayed = [
        value for name, value in network.named_parameters() if not (name.endswith("bias") or "LayerNorm" in name)
    ]
    return [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]


def _shuffled(
    places: NDArray[np.int64], texts: Sequence[Sequence[int]], size: int, order: random.Random
) -> Iterator[list[int]]:
    # Batches of similar length, in random order: half the time of unsorted batches.
    mixed = places.tolist()
    order.shuffle(mixed)
    pool = 64 * size
    made = []
    for first in range(0, len(mixed), pool):
        part = sorted(mixed[first : first + pool], key=lambda place: len(texts[place]))
        made += [part[at : at + size] for at in range(0, len(part), size)]
    order.shuffle(made)
    yield from made


def _padded(texts: Sequence[Sequence[int]], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    longest = max(len(text) for text in texts)
    ids = np.zeros((len(texts), longest), np.int64)
    mask = np.zeros((len(texts), longest), np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def _set_cuts(network: torch.nn.Module, logits: Floats, targets: Floats) -> None:
    # Shift the bias of the last layer so that the threshold of every emotion is 0.5 and argmax gives the sentiment.
    import torch

    has_emotions, has_sentiment = np.isfinite(targets[:, 0]), np.isfinite(targets[:, -1])
    shift = np.zeros(WIDTH, np.float32)
    for place in range(_EMOTIONS):
        shift[place] = -best_cut(logits[has_emotions, place], targets[has_emotions, place] > 0)
    shift[_EMOTIONS:] = best_offsets(logits[has_sentiment, _EMOTIONS:], targets[has_sentiment, _EMOTIONS:].argmax(1))
    with torch.no_grad():
        network.head.bias += torch.from_numpy(shift)  # type: ignore[union-attr,operator]


def best_cut(logits: Floats, there: NDArray[np.bool_]) -> float:
    """Return the logit threshold with the best F1."""
    order = np.argsort(-logits)
    hits = np.cumsum(there[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + max(1, there.sum()))
    best = int(np.argmax(f1))
    after = logits[order[best + 1]] if best + 1 < len(order) else logits[order[best]] - 1
    return float((logits[order[best]] + after) / 2)


def best_offsets(logits: Floats, labels: NDArray[np.int64]) -> Floats:
    """Return the logit offsets of the classes with the best macro-recall (search over a small grid)."""
    grid = np.linspace(-1, 1, 21)
    best, found = -1.0, np.zeros(3, np.float32)
    for first in grid:
        for last in grid:
            offsets = np.array([first, 0, last], np.float32)
            guesses = (logits + offsets).argmax(1)
            recall = macro_recall(labels, guesses)
            if recall > best + 1e-9:
                best, found = recall, offsets
    return found
