"""Caption and transcript file formats: those of the modules in `dialects`, each found by being there.

The package's `__init__` can't hold these: `signals.speech.words` imports from the package, and the readers import it.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from klip_assets.signals.speech.captions import dialects
from klip_assets.signals.speech.captions.caption_format import CaptionFormat, JsonFormat
from klip_assets.signals.speech.captions.json_documents import json_format

_FOUND: tuple[CaptionFormat | JsonFormat, ...] = tuple(
    sorted(
        (
            import_module(f"{dialects.__name__}.{module.name}").FORMAT
            for module in pkgutil.iter_modules(dialects.__path__)
        ),
        key=lambda kind: (kind.order, kind.name),
    )
)

#: JSON document formats, in the order they are tried.
JSON_FORMATS: tuple[JsonFormat, ...] = tuple(kind for kind in _FOUND if isinstance(kind, JsonFormat))

#: Hint for users about a document in an unknown format; it names every known one.
KNOWN_JSON = "supported: " + ", ".join(kind.name for kind in JSON_FORMATS if kind.is_read)

#: File formats, in the order they are tried: by content before names; the last one accepts any file.
FORMATS: tuple[CaptionFormat, ...] = (
    json_format(JSON_FORMATS, KNOWN_JSON),
    *(kind for kind in _FOUND if isinstance(kind, CaptionFormat)),
)
