"""How onnxruntime runs a text model on a processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

#: Joining the sum and the normalization after it costs more than it saves: that node takes a number at a time.
_SLOW = ["SkipLayerNormFusion"]


def open_session(model: str | bytes) -> InferenceSession:
    """Open a model for calls from several threads.

    Args:
        model: Path of an ONNX file, or its content.

    Returns:
        A session that works on one core: batches side by side are quicker than two threads on one.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOW)
