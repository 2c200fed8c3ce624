"""Which file names are those of captions and transcripts, as the formats in `dialects` state it.

Nothing slow is imported, so that looking at the inbox stays cheap.
"""

from __future__ import annotations

from klip_assets.signals.speech.captions.formats import FORMATS, JSON_FORMATS

#: Endings of transcripts of any recognizer.
_OF_ANY = (".transcript.json", ".words.json")

#: Suffixes of caption files, in lower case. `.json` is not among them: such a file may be anything.
CAPTION_SUFFIXES: tuple[str, ...] = tuple(
    sorted({suffix for kind in FORMATS for suffix in kind.suffixes if suffix != ".json"})
)

#: Endings of recognizers' output. Any other JSON file is a transcript only if it is named after a recording beside it.
TRANSCRIPT_SUFFIXES: tuple[str, ...] = (
    *_OF_ANY,
    *sorted({ending for kind in JSON_FORMATS for ending in kind.endings}),
)
