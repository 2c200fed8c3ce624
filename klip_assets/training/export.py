"""Exporting the network to files for onnxruntime and tokenizers alone: int8 throughout, including the embeddings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from klip_assets.contracts import EMOTIONS, SENTIMENTS
from klip_assets.signals.text.bert.graph import streamline
from klip_assets.signals.text.bert.plain import plain
from klip_assets.signals.text.bert.quantized import write_int8
from klip_assets.signals.text.bert.ranges import fix_ranges
from klip_assets.training.fit import Learnt

_SAMPLE = 3000
_EMBEDDING = "word_embeddings.weight"


def export(learnt: Learnt, folder: Path, notes: Mapping[str, Any], *, sample: Sequence[str]) -> Path:
    """Write model.onnx, tokenizer.json and model.json.

    Matrices are quantized by `write_int8`; the word embeddings are int8 with one scale per row: with a single scale, a
    few large rows would leave only three bits for the others.

    Args:
        learnt: Result of `fit.learn`.
        folder: Target folder; created if absent.
        notes: Further entries for model.json (figures, data).
        sample: Training texts; activation ranges are calibrated on up to 3,000 of them.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "model.onnx"
    write_int8(learnt.network, model)
    _quantize_embeddings(model)
    tokenizer = learnt.tokenizer.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    fix_ranges(model, sample_tokens(tokenizer, sample, learnt.recipe.most_tokens))
    streamline(model)
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {
        "emotions": list(EMOTIONS),
        "sentiments": list(SENTIMENTS),
        "most_tokens": learnt.recipe.most_tokens,
        "recipe": vars(learnt.recipe),
        "training_seconds": round(learnt.seconds),
        "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        **notes,
    }
    (folder / "model.json").write_text(json.dumps(about, indent=1) + "\n")
    return folder


def sample_tokens(tokenizer: Any, texts: Sequence[str], most_tokens: int) -> list[list[int]]:
    """Return the model's input tokens for a fixed random choice of at most 3,000 texts; long ones are truncated."""
    chosen = np.random.default_rng(0).permutation(len(texts))[:_SAMPLE]
    found = tokenizer.encode_batch([plain(texts[place]) for place in chosen])
    return [[*encoding.ids[: most_tokens - 1], encoding.ids[-1]][:most_tokens] for encoding in found]


def _quantize_embeddings(path: Path) -> None:
    # Gather(table) becomes Gather(int8 table) * Gather(scales).
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    (table,) = (tensor for tensor in graph.initializer if tensor.name.endswith(_EMBEDDING))
    (gather,) = (node for node in graph.node if node.op_type == "Gather" and node.input[0] == table.name)
    values = numpy_helper.to_array(table)
    scales = np.maximum(np.abs(values).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
    small = np.clip(np.rint(values / scales), -127, 127).astype(np.int8)
    graph.initializer.remove(table)
    graph.initializer.extend(
        [numpy_helper.from_array(small, "embeddings_int8"), numpy_helper.from_array(scales, "embedding_scales")]
    )
    place = list(graph.node).index(gather)
    ids, made = gather.input[1], gather.output[0]
    graph.node.remove(gather)
    nodes = [
        helper.make_node("Gather", ["embeddings_int8", ids], ["words_int8"], name="words_int8"),
        helper.make_node("Cast", ["words_int8"], ["words_float"], name="words_float", to=TensorProto.FLOAT),
        helper.make_node("Gather", ["embedding_scales", ids], ["word_scales"], name="word_scales"),
        helper.make_node("Mul", ["words_float", "word_scales"], [made], name="words"),
    ]
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    onnx.checker.check_model(model)
    onnx.save(model, path)
