"""For whoever cuts: lists for editing programs, clips from the recording, verdicts on highlights.

Put here: what leaves Klip for an editing program, and what an editor says of it.
Keep out: choosing moments (`products.highlights`).
"""

from klip_assets.products.editing.edl import EDL
from klip_assets.products.editing.export import Export
from klip_assets.products.editing.lists import CSV, JSON, MARKDOWN, SRT

#: The lists that can be had, in the order in which they are offered.
EXPORTS: tuple[Export, ...] = (CSV, EDL, SRT, JSON, MARKDOWN)
