"""Any text-classification model of Hugging Face, by hub name or folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from klip_assets.errors import EngineUnavailableError
from klip_assets.signals.text.bert.batches import batches

Floats = NDArray[np.float32]

#: Longest window, in tokens, where the tokenizer gives none (or an absurd one).
_LONGEST = 512
_LONG_CHARS = 50_000


class Runner(Protocol):
    """Turns tokens into logits; torch and onnxruntime each have one."""

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        """Return logits of shape (texts, labels) for input_ids and attention_mask of shape (texts, tokens)."""
        ...


@dataclass(frozen=True)
class Loaded:
    """A model with its tokenizer.

    Attributes:
        name: As given by the user.
        version: Hash of configuration and weights.
        labels: Its labels, in order.
        many: Whether it is multi-label (sigmoid) rather than multi-class (softmax).
        tokenizer: Its tokenizer.
        network: The torch module, float32 on the CPU.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    many: bool
    tokenizer: Any
    network: Any

    def probabilities(self, texts: Sequence[str], run: Runner, budget: int, *, workers: int = 0) -> Floats:
        """Read texts of any length; for a text longer than the window, the windows' probabilities are averaged.

        Args:
            texts: The texts.
            run: Computes the logits.
            budget: Tokens per batch.
            workers: Batches of texts of equal length run in parallel; 0: batches of similar length, one by one.

        Returns:
            Probabilities of shape (texts, labels).
        """
        limit = min(int(self.tokenizer.model_max_length), _LONGEST)
        cut = self.tokenizer(
            [text[:_LONG_CHARS] for text in texts], truncation=True, max_length=limit, return_overflowing_tokens=True
        )
        pieces, owners = cut["input_ids"], np.array(cut["overflow_to_sample_mapping"], np.int64)
        lengths = [len(piece) for piece in pieces]
        found = np.zeros((len(pieces), len(self.labels)), np.float64)
        pad = self.tokenizer.pad_token_id or 0

        def read(indices: list[int]) -> None:
            longest = max(lengths[index] for index in indices)
            ids = np.full((len(indices), longest), pad, np.int64)
            mask = np.zeros((len(indices), longest), np.int64)
            for row, index in enumerate(indices):
                ids[row, : lengths[index]], mask[row, : lengths[index]] = pieces[index], 1
            logits = run(ids, mask).astype(np.float64)
            if self.many:
                found[indices] = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
            else:
                powers = np.exp(logits - logits.max(axis=1, keepdims=True))
                found[indices] = powers / powers.sum(axis=1, keepdims=True)

        groups = batches(lengths, budget, equal=workers > 0)
        with ThreadPoolExecutor(max(1, workers)) as pool:
            list(pool.map(read, groups))
        weights = np.array(lengths, np.float64)
        sums = np.zeros((len(texts), len(self.labels)))
        np.add.at(sums, owners, found * weights[:, None])
        return (sums / np.bincount(owners, weights, len(texts))[:, None]).astype(np.float32)


def load(name: str) -> Loaded:
    """Load a model; the cache folder and offline mode of Hugging Face (HF_HOME, HF_HUB_OFFLINE) are respected.

    Args:
        name: Hub name or folder.

    Raises:
        EngineUnavailableError: It is not available, or transformers is not installed.
    """
    try:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
    except ImportError as error:
        raise EngineUnavailableError(
            "transformers and torch are not installed", hint="pip install -c constraints.txt -e '.[ml]'"
        ) from error
    try:
        # Code that comes with a model is never run.
        network = AutoModelForSequenceClassification.from_pretrained(name, trust_remote_code=False).float().eval()
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EngineUnavailableError(f"the model {name} can't be loaded: {first[:200]}") from error
    if not tokenizer.is_fast:
        raise EngineUnavailableError(f"the model {name} has no fast tokenizer")
    config = network.config
    labels = tuple(config.id2label[index] for index in range(config.num_labels))
    many = config.problem_type == "multi_label_classification"
    return Loaded(name, _version(network), labels, many, tokenizer, network)


def torch_runner(loaded: Loaded, device: str, precision: str) -> Runner:
    """Return a runner that uses torch.

    Args:
        loaded: The model.
        device: cpu or cuda.
        precision: float32, bfloat16 or float16.
    """
    import copy

    import torch

    kind = getattr(torch, precision)
    network = loaded.network
    if device != "cpu" or precision != "float32":
        network = copy.deepcopy(network).to(device=device, dtype=kind)

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        with torch.inference_mode():
            logits = network(
                input_ids=torch.from_numpy(ids).to(device), attention_mask=torch.from_numpy(mask).to(device)
            ).logits
        return np.asarray(logits.float().cpu().numpy(), np.float32)

    return run


def _version(network: Any) -> str:
    digest = hashlib.sha256(json.dumps(network.config.id2label, sort_keys=True).encode())
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def folder_for(models: Path, loaded: Loaded) -> Path:
    """Return the folder for files derived from a model."""
    return models / "int8" / loaded.version[:32]
