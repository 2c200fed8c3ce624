"""For video editors: lists for editing programs, clips from the recording, verdicts on highlights.

Put here: exports for editing programs, and editors' feedback.
Keep out: choosing moments (`products.highlights`).
"""

from klip_assets.products.editing.edl import EDL
from klip_assets.products.editing.export import Export
from klip_assets.products.editing.lists import CSV, JSON, MARKDOWN, SRT

#: The available lists, in the order they are offered.
EXPORTS: tuple[Export, ...] = (CSV, EDL, SRT, JSON, MARKDOWN)
