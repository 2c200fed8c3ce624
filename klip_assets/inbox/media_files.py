"""Which files are recordings: by their suffix, or, where it says nothing, by their first bytes."""

from __future__ import annotations

from pathlib import Path

#: Containers that PyAV's FFmpeg opens; the content decides in the end (a wrong suffix gives an unreadable video).
MEDIA_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".aac", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".asf", ".au", ".avi",
        ".caf", ".divx", ".dts", ".dv", ".eac3", ".f4v", ".flac", ".flv", ".m2t", ".m2ts", ".m2v", ".m4a", ".m4b",
        ".m4r", ".m4v", ".mk3d", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpa", ".mpeg", ".mpg", ".mpga",
        ".mts", ".mxf", ".nut", ".oga", ".ogg", ".ogm", ".ogv", ".opus", ".qt", ".ra", ".rf64", ".rm", ".rmvb",
        ".spx", ".ts", ".tta", ".vob", ".voc", ".w64", ".wav", ".weba", ".webm", ".wma", ".wmv", ".wtv", ".wv",
    }
)  # fmt: skip

#: Suffixes of files that are certainly something else, or copies of a recording that nobody wants twice: they are not
#: opened. (Thumbnails lie in inboxes by the thousand.)
_OTHERS = frozenset(
    {
        ".7z", ".apng", ".avif", ".bak", ".bmp", ".css", ".csv", ".db", ".doc", ".docx", ".edl", ".fcpxml", ".gif",
        ".gz", ".heic", ".heif", ".html", ".jpeg", ".jpg", ".jpe", ".js", ".json", ".jsonl", ".jxl", ".log", ".md",
        ".nfo", ".old", ".orig", ".otio", ".parquet", ".pdf", ".png", ".prproj", ".py", ".rar", ".sqlite", ".srt",
        ".svg", ".swp", ".tar", ".tif", ".tiff", ".toml", ".txt", ".url", ".vtt", ".webp", ".xlsx", ".xml", ".yaml",
        ".yml", ".zip", ".zst",
    }
)  # fmt: skip

#: First bytes of the containers, as their specifications give them (the table of file(1) lists them together).
_SIGNATURES = (
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"OggS", b"fLaC", b"ID3", b"FLV\x01", b"RF64", b"caff", b"TTA1", b"TTA2", b"wvpk", b".snd", b".ra\xfd", b".RMF",
    b"MAC ", b"Creative Voice File", b"#!AMR", b"DKIF", b"nut/multimedia container",
    b"riff.\x91\xcf\x11",  # Wave64
    b"0&\xb2u\x8ef\xcf\x11",  # ASF: WMA, WMV
    b"\xb7\xd8\x00 7I\xda\x11",  # WTV
    b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3",  # MPEG program stream, MPEG video
    b"\x06\x0e+4\x02\x05\x01\x01",  # MXF
    b"\x0bw",  # AC-3
    b"\x7f\xfe\x80\x01",  # DTS
)  # fmt: skip
#: Forms of RIFF and IFF that are recordings: both also hold images.
_FORMS = {b"RIFF": (b"WAVE", b"AVI "), b"FORM": (b"AIFF", b"AIFC")}
#: Brands of the MP4 family that are images.
_IMAGES = (b"heic", b"heix", b"heim", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
_TS_PACKET = 188


def has_media_suffix(path: Path) -> bool:
    """Return whether a file is named like a recording."""
    return path.suffix.lower() in MEDIA_SUFFIXES


def is_recording(path: Path) -> bool:
    """Return whether a file is taken for a recording: it is named like one or, if its suffix says nothing, begins so.

    A file that can't be read is not.
    """
    suffix = path.suffix.lower()
    if suffix in MEDIA_SUFFIXES:
        return True
    if suffix in _OTHERS:
        return False
    try:
        with path.open("rb") as file:
            return looks_recorded(file.read(2 * _TS_PACKET + 1))
    except OSError:
        return False


def looks_recorded(head: bytes) -> bool:
    """Return whether bytes are the first of a recording: any of its containers, or raw MP3 or AAC.

    Args:
        head: At least the first 377 bytes, or the whole file.
    """
    if head.startswith(_SIGNATURES):
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] not in _IMAGES
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime before ftyp
        return True
    if head[:4] in _FORMS:
        return head[8:12] in _FORMS[head[:4]]
    if head[:1] == b"G" and head[_TS_PACKET : _TS_PACKET + 1] == b"G" == head[2 * _TS_PACKET : 2 * _TS_PACKET + 1]:
        return True
    return _begins_with_frame(head)


def _begins_with_frame(head: bytes) -> bool:
    # An MPEG audio or ADTS header: 11 or 12 bits of sync, and no field with a forbidden value.
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    layer, version = head[1] >> 1 & 3, head[1] >> 3 & 3
    if layer == 0:  # ADTS
        return head[1] & 0xF0 == 0xF0 and head[2] >> 2 & 0xF < 13
    # Layer I is not in use, and text in UTF-16 begins like it.
    return layer != 3 and version != 1 and head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3
