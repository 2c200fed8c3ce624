"""What is taken out of an int8 encoder changes nothing that it says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import ModelProto, helper

from klip_assets.signals.text.bert.graph import drop_nan_guards, join_products, keep_first_token, streamline
from klip_assets.signals.text.bert.quantized import write_int8
from klip_assets.signals.text.bert.ranges import fix_ranges
from klip_assets.signals.text.bert.session import open_session

IDS = np.random.default_rng(0).integers(0, 50, (4, 9))


class Small(torch.nn.Module):
    """One layer of an encoder, with one head of attention; equal biases are written once by the exporter."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = first
        self.words = torch.nn.Embedding(50, 32)
        self.query, self.key, self.value, self.out = (torch.nn.Linear(32, 32) for _ in range(4))
        self.norm = torch.nn.LayerNorm(32)
        self.wide, self.narrow, self.last = torch.nn.Linear(32, 64), torch.nn.Linear(64, 32), torch.nn.Linear(32, 3)
        self.key.bias = torch.nn.Parameter(self.query.bias.detach().clone())

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        values = self.words(input_ids)
        weights = self.query(values) @ self.key(values).transpose(1, 2) + (1 - attention_mask[:, None, :]) * -1e4
        values = self.norm(values + self.out(weights.softmax(dim=-1) @ self.value(values)))
        values = values + self.narrow(torch.nn.functional.gelu(self.wide(values)))
        logits: torch.Tensor = self.last(values[:, 0] if self.first else values.mean(dim=1))
        return logits


def written(path: Path, *, first: bool) -> ModelProto:
    write_int8(Small(first=first).eval(), path)
    fix_ranges(path, [list(range(1, 20)), list(range(20, 50))])
    return onnx.load(path)


@pytest.fixture(scope="module", params=[True, False], ids=["first token", "mean"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelProto:
    return written(tmp_path_factory.mktemp("small") / "model.onnx", first=request.param)


def copy_of(model: ModelProto) -> ModelProto:
    copied = ModelProto()
    copied.CopyFrom(model)
    return copied


def said(model: ModelProto) -> np.ndarray[Any, Any]:
    onnx.checker.check_model(model)
    (logits,) = open_session(model.SerializeToString()).run(
        None, {"input_ids": IDS, "attention_mask": np.ones_like(IDS)}
    )
    assert np.ptp(logits) > 0.1
    return np.asarray(logits)


def test_products_that_are_joined_say_what_their_single_steps_said(model: ModelProto) -> None:
    joined = copy_of(model)
    assert join_products(joined) == 7
    np.testing.assert_allclose(said(joined), said(model), atol=1e-5)
    kinds = Counter(node.op_type for node in joined.graph.node)
    assert (kinds["MatMulIntegerToFloat"], kinds["MatMulInteger"]) == (7, 0)
    biases = {name for node in joined.graph.node if node.op_type == "MatMulIntegerToFloat" for name in node.input[6:]}
    assert len(biases) == 6, "seven biases, two of them one"


@pytest.mark.parametrize(("first", "cuts"), [(True, 2), (False, 0)])
def test_after_the_last_attention_only_the_first_token_is_computed_where_the_head_takes_no_other(
    first: bool, cuts: int, tmp_path: Path
) -> None:
    model = written(tmp_path / "model.onnx", first=first)
    narrowed = copy_of(model)
    assert (keep_first_token(narrowed) > 0) == first
    np.testing.assert_array_equal(said(narrowed), said(model))
    cut = [node for node in narrowed.graph.node if node.name.endswith("_first")]
    assert len(cut) == cuts, "what attention gave, and what it is added to"


def test_a_layer_that_something_else_reads_whole_is_computed_whole(tmp_path: Path) -> None:
    model = written(tmp_path / "model.onnx", first=True)
    (norm,) = (node for node in model.graph.node if node.op_type == "LayerNormalization")
    model.graph.output.append(helper.make_tensor_value_info("whole", onnx.TensorProto.FLOAT, None))
    model.graph.node.append(helper.make_node("ReduceMax", [norm.output[0]], ["whole"], name="whole", axes=[1]))
    narrowed = copy_of(model)
    assert keep_first_token(narrowed) > 0
    inputs = {"input_ids": IDS, "attention_mask": np.ones_like(IDS)}
    before, after = (open_session(each.SerializeToString()).run(None, inputs) for each in (model, narrowed))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_guard_against_softmax_over_nothing_goes_and_another_choice_stays(model: ModelProto) -> None:
    guarded = copy_of(model)
    (softmax,) = (node for node in guarded.graph.node if node.op_type == "Softmax")
    (name,) = softmax.output
    softmax.output[0] = "weights"
    place = list(guarded.graph.node).index(softmax) + 1
    guarded.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0), "nought"))
    added = [
        helper.make_node("Less", ["weights", "nought"], ["is_small"], name="is_small"),
        helper.make_node("Where", ["is_small", "nought", "weights"], ["larger"], name="choice"),
        helper.make_node("IsNaN", ["larger"], ["is_nan"], name="is_nan"),
        helper.make_node("Where", ["is_nan", "nought", "larger"], [name], name="guard"),
    ]
    for offset, node in enumerate(added):
        guarded.graph.node.insert(place + offset, node)
    assert drop_nan_guards(guarded) == 1
    assert {"choice", "is_small"} <= {node.name for node in guarded.graph.node}
    np.testing.assert_array_equal(said(guarded), said(model))


def test_a_file_that_is_streamlined_again_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    before = said(written(path, first=True))
    streamline(path)
    content = path.read_bytes()
    np.testing.assert_allclose(said(onnx.load(path)), before, atol=1e-5)
    streamline(path)
    assert path.read_bytes() == content
