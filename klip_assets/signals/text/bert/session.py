"""onnxruntime sessions for text models on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: Fusing the sum with the normalization after it costs more than it saves: the fused node is not vectorized.
_SLOW = ["SkipLayerNormFusion"]


def open_session(model: str | bytes) -> InferenceSession:
    """Open a model for calls from several threads.

    Args:
        model: Path of an ONNX file, or its content.

    Returns:
        A session that uses one core: batches in parallel are faster than two threads on one batch.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW)
