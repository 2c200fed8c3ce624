"""Fixed ranges of activations in an int8 model.

onnxruntime's dynamic quantization takes the range of an activation from the whole batch, so the scores of a text depend
on the other texts in it, enough to change labels. With ranges fixed beforehand they don't, and texts can be read in
batches, which is faster. Little is lost: in these encoders a few channels determine the range, and it is the same in
nearly every text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Share of the sample texts whose activations lie within the range (at each end); the rest is clipped.
COVERED = 0.99
_LEVELS = 255


def fix_ranges(path: Path, sample: Sequence[Sequence[int]]) -> int:
    """Give every dynamically quantized activation of a model the range it has in sample texts.

    Args:
        path: ONNX file with inputs input_ids and attention_mask of shape (texts, tokens); rewritten in place.
        sample: Token ids of texts, including begin and end tokens.

    Returns:
        Number of activations.
    """
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    dynamic = [node for node in graph.node if node.op_type == "DynamicQuantizeLinear"]
    if not dynamic:
        return 0
    lows, highs = _extremes(model, [node.input[0] for node in dynamic], sample)
    for index, node in enumerate(dynamic):
        # Every range includes zero, which must be represented exactly.
        low = min(0.0, float(np.quantile(lows[:, index], 1 - COVERED)))
        high = max(0.0, float(np.quantile(highs[:, index], COVERED)))
        scale = np.float32(max(high - low, 1e-12) / _LEVELS)
        values, scale_name, zero_name = node.output
        graph.initializer.extend(
            [
                numpy_helper.from_array(np.array(scale), scale_name),
                numpy_helper.from_array(np.array(np.clip(np.rint(-low / scale), 0, _LEVELS), np.uint8), zero_name),
            ]
        )
        at = list(graph.node).index(node)
        graph.node.remove(node)
        fixed = helper.make_node(
            "QuantizeLinear", [node.input[0], scale_name, zero_name], [values], name=f"{node.name}_fixed"
        )
        graph.node.insert(at, fixed)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return len(dynamic)


def _extremes(
    model: object, names: Sequence[str], sample: Sequence[Sequence[int]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the minimum and maximum of tensors in each text, shape (texts, tensors)."""
    import onnx
    import onnxruntime

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    for name in names:
        watched.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    lows, highs = np.zeros((len(sample), len(names))), np.zeros((len(sample), len(names)))
    for row, tokens in enumerate(sample):
        ids = np.array([tokens], np.int64)
        for index, found in enumerate(
            session.run(list(names), {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        ):
            lows[row, index], highs[row, index] = found.min(), found.max()
    return lows, highs
