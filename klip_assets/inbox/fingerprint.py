"""Detecting changed files, cheaply enough for hundreds of gigabytes every few seconds.

Size and modification time are checked first (`Recording.signature`). Only if they changed is content read: at most
about 9 MB of a recording, spread over the file, and all of a sidecar. So a file that was only touched is recognized as
unchanged; the price is that an edit which keeps the size and misses all samples goes unnoticed until `klip process
VIDEO` names the video.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from klip_assets.inbox.recordings import Recording
from klip_assets.store.files import file_sha256

SAMPLES = 64
SAMPLE_BYTES = 128 * 1024
END_BYTES = 512 * 1024


def fingerprint(recording: Recording) -> str:
    """Return a fingerprint of a recording and its sidecars, as 32 hexadecimal digits.

    Raises:
        FileNotFoundError: One of the files is gone.
        OSError: One of the files can't be read.
    """
    digest = hashlib.sha256(sampled_hash(recording.path).encode())
    sidecars = [*recording.captions, ("chat", recording.chat), ("info", recording.info)]
    for role, path in sidecars:
        if path is not None:
            digest.update(f"\x00{role}\x00{path.suffix}\x00{file_sha256(path)}".encode())
    return digest.hexdigest()[:32]


def unreadable_fingerprint(signature: str, error: OSError) -> str:
    """Return a fingerprint for a recording that can't be read; it differs once the file or the error changes."""
    return hashlib.sha256(f"unreadable\x00{error.errno}\x00{signature}".encode()).hexdigest()[:32]


def sampled_hash(path: Path) -> str:
    """Hash the size, both ends and 64 samples in between; small files are hashed completely."""
    size = path.stat().st_size
    if size <= SAMPLES * SAMPLE_BYTES + 2 * END_BYTES:
        return file_sha256(path)
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(END_BYTES))
        for i in range(SAMPLES):
            file.seek(END_BYTES + i * (size - 2 * END_BYTES - SAMPLE_BYTES) // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
        file.seek(size - END_BYTES)
        digest.update(file.read(END_BYTES))
    return digest.hexdigest()
