"""Graph optimizations: an int8 encoder that computes less and gives the same results.

onnxruntime fuses nodes where it knows the pattern; the rest is done here, on the file:

- Products: the quantizer writes one as five nodes (integer product, cast, both scales, bias); with fixed ranges
  (`ranges`), onnxruntime folds the scales before it can fuse them.
- The last layer: where the head uses only the first token, nothing after the last attention is needed for the others.
  In a DistilBERT that is an eighth of all products.
- Guards against fully masked texts: there are none, since each text has its begin and end tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

#: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
_DOMAIN = "com.microsoft"

#: Name of the constant with the first token's index.
_FIRST = "first_token"

#: Operators that work on each token separately, provided their other inputs are constant.
_TOKENWISE = frozenset(
    {
        "Add", "Cast", "Div", "Erf", "LayerNormalization", "MatMul", "MatMulInteger", "Mul", "Pow", "QuantizeLinear",
        "Relu", "Sqrt", "Sub", "Tanh",
    }
)  # fmt: skip


def streamline(path: Path) -> None:
    """Rewrite a model so that it computes less.

    Args:
        path: ONNX file written by `quantized.write_int8` and processed by `ranges.fix_ranges`; rewritten in place.
    """
    import onnx

    model = onnx.load(path)
    drop_nan_guards(model)
    keep_first_token(model)
    join_products(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def drop_nan_guards(model: ModelProto) -> int:
    """Remove the nodes that replace the NaN of a softmax over nothing.

    Returns:
        Number of guards removed.
    """
    made_by, readers = _edges(model)
    gone: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "Where":
            continue
        asks, (_, otherwise) = made_by.get(node.input[0]), node.input[1:]
        if asks and asks.op_type == "IsNaN" and asks.input[0] == otherwise and len(readers[asks.output[0]]) == 1:
            for reader in readers[node.output[0]]:
                for index, name in enumerate(reader.input):
                    if name == node.output[0]:
                        reader.input[index] = otherwise
            gone |= {asks.name, node.name}
    _put(model, (node for node in model.graph.node if node.name not in gone))
    return len(gone) // 2


def keep_first_token(model: ModelProto) -> int:
    """Compute only the first token where the head uses no other.

    Returns:
        Number of nodes restricted; 0 where the head uses more than the first token, or this was already done.
    """
    from onnx import helper, numpy_helper

    made_by, readers = _edges(model)
    constant = _constants(model)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    values |= {
        node.output[0]: numpy_helper.to_array(node.attribute[0].t)
        for node in model.graph.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }
    heads = [node for node in model.graph.node if _takes_first(node, values)]
    if len(heads) != 1 or _FIRST in values:
        return 0
    narrow: dict[str, NodeProto] = {}
    waiting = [heads[0].input[0]]
    while waiting:
        node = made_by.get(waiting.pop())
        if node is None or node.op_type not in _TOKENWISE or node.name in narrow:
            continue
        if node.op_type.startswith("MatMul") and node.input[1] not in constant:
            continue
        if all(reader.name in narrow or reader is heads[0] for name in node.output for reader in readers[name]):
            narrow[node.name] = node
            waiting += [name for name in node.input if name not in constant]
    nodes: list[NodeProto] = []
    cut: dict[str, str] = {}
    for node in model.graph.node:
        if node.name in narrow:
            for index, name in enumerate(node.input):
                if name in constant or (name in made_by and made_by[name].name in narrow):
                    continue
                if name not in cut:
                    cut[name] = f"{name}_first"
                    nodes.append(helper.make_node("Gather", [name, _FIRST], [cut[name]], name=cut[name], axis=1))
                node.input[index] = cut[name]
        nodes.append(node)
    if narrow:
        model.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), _FIRST))
        _put(model, nodes)
    return len(narrow)


def join_products(model: ModelProto) -> int:
    """Fuse every MatMulInteger with the nodes that scale its result into a MatMulIntegerToFloat.

    Returns:
        Number of products fused.
    """
    from onnx import helper

    made_by, readers = _edges(model)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    joined: dict[str, NodeProto] = {}
    gone: set[str] = set()
    for node in model.graph.node:
        if node.op_type != "MatMulInteger":
            continue
        values, matrix, values_zero, matrix_zero = node.input
        (cast,) = readers[node.output[0]]
        (last,) = readers[cast.output[0]]
        (both,) = (name for name in last.input if name != cast.output[0])
        inputs = [values, matrix, *made_by[both].input, values_zero, matrix_zero]
        gone |= {cast.name, last.name, made_by[both].name}
        after = readers[last.output[0]]
        if len(after) == 1 and after[0].op_type == "Add":
            (bias,) = (name for name in after[0].input if name != last.output[0])
            while bias in made_by and made_by[bias].op_type == "Identity":  # Equal biases are stored once.
                bias = made_by[bias].input[0]
            if bias in constants and len(constants[bias].dims) == 1:
                inputs.append(bias)
                last = after[0]
                gone.add(last.name)
        joined[node.name] = helper.make_node(
            "MatMulIntegerToFloat", inputs, list(last.output), name=f"{node.name}_joined", domain=_DOMAIN
        )
    _put(model, (joined.get(node.name, node) for node in model.graph.node if node.name not in gone))
    if joined and _DOMAIN not in {opset.domain for opset in model.opset_import}:
        model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    return len(joined)


def _edges(model: ModelProto) -> tuple[dict[str, NodeProto], dict[str, list[NodeProto]]]:
    """Return the node that produces each tensor, and the nodes that read it."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    readers: dict[str, list[NodeProto]] = defaultdict(list)
    for node in model.graph.node:
        for name in node.input:
            readers[name].append(node)
    return made_by, readers


def _constants(model: ModelProto) -> set[str]:
    """Return the tensors that depend on no input; nodes are in topological order."""
    found = {tensor.name for tensor in model.graph.initializer} | {""}
    for node in model.graph.node:
        if found.issuperset(node.input):
            found.update(node.output)
    return found


def _takes_first(node: NodeProto, values: dict[str, np.ndarray]) -> bool:
    if node.op_type != "Gather" or node.input[1] not in values:
        return False
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    index = values[node.input[1]]
    return axis == 1 and index.ndim == 0 and index == 0


def _put(model: ModelProto, nodes: Iterable[NodeProto]) -> None:
    kept = list(nodes)
    del model.graph.node[:]
    model.graph.node.extend(kept)
