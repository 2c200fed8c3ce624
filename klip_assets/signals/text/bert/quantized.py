"""Fast CPU inference: int8 with onnxruntime, used only where its labels agree with those of the full model."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from klip_assets.signals.text.bert.batches import BUDGET_TOKENS, processors
from klip_assets.signals.text.bert.graph import streamline
from klip_assets.signals.text.bert.hub import Floats, Loaded, Runner, torch_runner
from klip_assets.signals.text.bert.ranges import fix_ranges
from klip_assets.signals.text.bert.session import open_session

if TYPE_CHECKING:
    import torch

#: Share of labels that must agree on the check set.
ENOUGH = 0.97
_OPSET = 17


@dataclass(frozen=True)
class Agreement:
    """Agreement of the int8 model with the full one.

    Attributes:
        texts: Texts in the check set.
        same: Share of equal labels: of the most likely ones, or of all labels of a multi-label model.
        largest: Largest difference of a probability.
        accepted: Whether the agreement is sufficient.
    """

    texts: int
    same: float
    largest: float
    accepted: bool


def int8_runner(loaded: Loaded, folder: Path) -> tuple[Runner | None, Agreement]:
    """Return the int8 model, created if needed, and its agreement with the full one.

    Args:
        loaded: The model.
        folder: Where it is kept, with agreement.json.

    Returns:
        The runner, None if it is not accepted; the agreement.
    """
    noted = folder / "agreement.json"
    agreement = _noted(noted) if noted.exists() else _make(loaded, folder)
    return (_runner(folder / "model.onnx") if agreement.accepted else None), agreement


@cache
def check_texts() -> tuple[str, ...]:
    """Return the check set: sentences like those in streams and tweets, written for this purpose."""
    text = files("klip_assets.signals.text.bert").joinpath("check_texts.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line)


def _noted(path: Path) -> Agreement:
    # Fields written by a newer Klip are ignored.
    entries = json.loads(path.read_text())
    return Agreement(**{name: entries[name] for name in Agreement.__dataclass_fields__})


def _make(loaded: Loaded, folder: Path) -> Agreement:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Another run may be creating the same model: whole folders are moved into place.
    making = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    try:
        _write(loaded, making / "model.onnx")
        # Half of the texts, so that not all compared texts were used to calibrate the ranges.
        sample = loaded.tokenizer(list(check_texts()[::2]), truncation=True)["input_ids"]
        fix_ranges(making / "model.onnx", sample)
        streamline(making / "model.onnx")
        agreement = compare(loaded, _runner(making / "model.onnx"))
        (making / "agreement.json").write_text(json.dumps(asdict(agreement), indent=1) + "\n")
        try:
            making.rename(folder)
        except OSError:
            if not (folder / "agreement.json").exists():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return agreement


def compare(loaded: Loaded, run: Runner) -> Agreement:
    """Compare a runner with the full model on the check set."""
    texts = check_texts()
    full = loaded.probabilities(texts, torch_runner(loaded, "cpu", "float32"), BUDGET_TOKENS)
    other = loaded.probabilities(texts, run, BUDGET_TOKENS, workers=processors())
    same = (full >= 0.5) == (other >= 0.5) if loaded.many else full.argmax(axis=1) == other.argmax(axis=1)
    share = float(np.mean(same))
    return Agreement(len(texts), share, float(np.abs(full - other).max()), share >= ENOUGH)


def write_int8(network: torch.nn.Module, path: Path) -> None:
    """Write a network as an ONNX file whose matrices are int8, with one scale per column.

    Activations are quantized dynamically (onnxruntime's dynamic quantization), until `ranges.fix_ranges` fixes them.

    Args:
        network: Maps input_ids and attention_mask of shape (texts, tokens) to logits of shape (texts, labels).
        path: The file.
    """
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    example = torch.ones((2, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask"]
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, warnings.catch_warnings():
        # The exporter that needs no extra package warns that it is deprecated.
        warnings.simplefilter("ignore")
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            network,
            (example, example),
            str(whole),
            input_names=names,
            output_names=["logits"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names} | {"logits": {0: "texts"}},
            opset_version=_OPSET,
            dynamo=False,
        )
        quantize_dynamic(whole, path, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8)


def _write(loaded: Loaded, path: Path) -> None:
    import torch

    class Logits(torch.nn.Module):
        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = loaded.network(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits

    wrapped = Logits()
    wrapped.network = loaded.network
    before = loaded.network.config._attn_implementation
    loaded.network.set_attn_implementation("eager")
    try:
        write_int8(wrapped.eval(), path)
    finally:
        loaded.network.set_attn_implementation(before)


def _runner(path: Path) -> Runner:
    session = open_session(str(path))

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Floats:
        (logits,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
        return np.asarray(logits, np.float32)

    return run
