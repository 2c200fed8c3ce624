"""What odd recordings there are, and what is right for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from klip_assets_tests.media.clocked import SOUNDS, with_sound_stamped
from odd_media import making
from odd_media.making import ALL, BURST_S, SECONDS, Make, cut, film, in_parts, overwritten, spoilt

#: Containers whose packets have timestamps of their own.
STAMPED = ("mp4", "mov", "mkv", "ts", "flv", "webm", "m4a", "mka")
#: Containers of the MP4 kind.
BOXED = ("mp4", "mov", "m4a")
FRAGMENTED = {"options": {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "2000000"}}
INDEX_FIRST = {"options": {"movflags": "faststart"}}
ANYWHERE = {"options": {"avoid_negative_ts": "disabled"}}


@dataclass(frozen=True)
class Odd:
    """One recording.

    Attributes:
        kind: What is odd about it.
        name: Name of the file.
        make: Makes it.
        statuses: Statuses that are right.
        length_s: Its length; None if it has none or any is right.
        burst_s: Where its burst is; None if it is gone.
        says: Whether something has to be said.
    """

    kind: str
    name: str
    make: Make
    statuses: tuple[str, ...] = ("ok",)
    length_s: float | None = SECONDS
    burst_s: float | None = BURST_S
    says: bool = False


def recordings() -> Iterator[Odd]:
    """Yield all recordings."""
    for kinds in (_tracks, _clocks, _joined, _cut, _garbage, _changes, _names_and_tags, _captions, _levels):
        yield from kinds()


def _tracks() -> Iterator[Odd]:
    for suffix in ALL:
        yield Odd("nothing odd", f"plain.{suffix}", film(suffix))
    for suffix in BOXED:
        yield Odd("fragmented", f"fragmented.{suffix}", film(suffix, **FRAGMENTED))
    for suffix in STAMPED:
        # Sound alone begins with its first sample.
        alone = suffix in SOUNDS
        for late_s in (1.8, 5.0):
            yield Odd(
                "sound starts late",
                f"late-{late_s:g}.{suffix}",
                film(suffix, keep_sound=partial(_from, late_s)),
                length_s=SECONDS - late_s if alone else SECONDS,
                burst_s=BURST_S - late_s if alone else BURST_S,
                says=not alone,
            )
        for first, last in ((4, 7), (10, 10.5)):
            # MP4 has durations instead of timestamps: its writers stretch the packet before a short hole.
            if suffix not in BOXED or last - first > 1:
                yield Odd(
                    "hole in the sound",
                    f"hole-{first}.{suffix}",
                    film(suffix, keep_sound=partial(_outside, first, last)),
                    ("partial",),
                    says=True,
                )
    for suffix in STAMPED[:6]:
        for share in (0.4, 0.8):
            at = BURST_S if share > 0.6 else 6.0
            yield Odd(
                "sound ends early",
                f"ends-{share:g}.{suffix}",
                film(suffix, keep_sound=partial(_before, SECONDS * share), burst_s=at),
                ("partial",),
                burst_s=at,
                says=True,
            )
        yield Odd(
            "sound and picture missing inside",
            f"segment.{suffix}",
            film(suffix, keep_sound=partial(_outside, 8, 13), keep_picture=partial(_outside, 8, 13)),
            ("partial",),
            says=True,
        )
        yield Odd(
            "picture starts late", f"dark-first.{suffix}", film(suffix, keep_picture=partial(_from, 6)), says=True
        )
        yield Odd(
            "picture ends early",
            f"dark-last.{suffix}",
            film(suffix, seconds=60, keep_picture=partial(_before, 20)),
            length_s=60,
            says=True,
        )
        yield Odd("frames at a variable rate", f"vfr.{suffix}", film(suffix, keep_picture=_now_and_then))
        if suffix != "webm":
            yield Odd("frames shown out of order", f"b.{suffix}", film(suffix, b_frames=3))
        # In these, what lies before 0 is hidden.
        hidden = 0.7 if suffix in BOXED else 0.0
        yield Odd(
            "sound apart from the picture",
            f"apart-before.{suffix}",
            film(suffix, retime_sound=lambda t: t - 0.7, **ANYWHERE),
            length_s=SECONDS + 0.7 - hidden,
            burst_s=BURST_S - hidden,
        )
        yield Odd(
            "sound apart from the picture", f"apart-0.5.{suffix}", film(suffix, retime_sound=lambda t: t + 0.5),
            length_s=SECONDS + 0.5, burst_s=BURST_S + 0.5,
        )  # fmt: skip
    yield Odd("sound and picture missing inside", "segment-fragments.mp4", making.changed(
        film("mp4", burst_s=BURST_S + 4, **FRAGMENTED), partial(making.without_fragments, first=3, count=2)),
        ("partial",), burst_s=BURST_S + 4, says=True)  # fmt: skip
    for suffix in ("mp4", "mkv"):
        for first in (0, 20):
            # Where nothing of the first track is left, the second one is heard and nothing is missing.
            yield Odd(
                "the first of two sound tracks damaged",
                f"two-{first}.{suffix}",
                film(suffix, tracks=2, spoil=spoilt(first, 99)),
                ("ok", "partial"),
                says=first > 0,
            )


def _clocks() -> Iterator[Odd]:
    for suffix in ("ts", "mkv", "flv"):
        for start_s in (300, 3600, 95_000):
            more = {"flvflags": "no_duration_filesize"} if suffix == "flv" else {}
            yield Odd(
                "clock begins late",
                f"begins-{start_s}.{suffix}",
                film(suffix, retime=partial(_plus, start_s), options={"avoid_negative_ts": "disabled", **more}),
            )
    yield Odd("clock begins late", "begins-300.mp4", film("mp4", retime=partial(_plus, 300), **FRAGMENTED))
    for suffix in BOXED:
        options = {"options": {"avoid_negative_ts": "disabled", "use_editlist": "1"}}
        yield Odd(
            "edit list", f"edit-4.{suffix}", film(suffix, retime=partial(_plus, -4), **options),
            length_s=SECONDS - 4, burst_s=BURST_S - 4,
        )  # fmt: skip
    for suffix in ("ts", "mp4", "mov"):
        yield Odd("negative timestamps", f"below-0.{suffix}", film(suffix, retime=partial(_plus, -0.3), **ANYWHERE),
                  length_s=SECONDS if suffix == "ts" else SECONDS - 0.3,
                  burst_s=BURST_S if suffix == "ts" else BURST_S - 0.3)  # fmt: skip
    for suffix in ("ts", "flv"):
        for by_s in (100, 600, 40_000):
            yield Odd(
                "clock jumps", f"jump-{by_s}.{suffix}", film(suffix, retime=partial(_plus_from, 10, by_s)), says=True
            )
    for by_s in (600, 40_000):
        for name, first, last in (
            ("the first packets of the sound on an old clock", 0, 3),
            ("one stray timestamp", 9, 9.1),
        ):
            retime = partial(_plus_between, first, last, by_s)
            make = making.changed(film("ts"), partial(with_sound_stamped, retime=retime))
            yield Odd(name, f"{name.split()[1]}-{by_s}.ts", make)
    flv_back, mkv_back = partial(making.flv_moved, first_ms=10_000), partial(making.mkv_moved, first_ms=9_500)
    for by_ms in (-2_000, -9_000):
        name = f"back-{-by_ms // 1000}"
        yield Odd("clock goes back once", f"{name}.flv", making.changed(film("flv"), partial(flv_back, by_ms=by_ms)),
                  says=True)  # fmt: skip
        yield Odd("clock goes back once", f"{name}.mkv", making.changed(film("mkv"), partial(mkv_back, by_ms=by_ms)),
                  says=True)  # fmt: skip
        begins = film("ts", seconds=20, burst_s=8, retime=partial(_plus, 10 + by_ms / 1000), **ANYWHERE)
        yield Odd("clock goes back once", f"{name}.ts", making.parts(film("ts", seconds=10, burst_s=None), begins),
                  says=True)  # fmt: skip
    for suffix in ("ts", "flv", "mkv", "mp3", "aac"):
        unit = 188 if suffix == "ts" else 1
        yield Odd(
            "a part twice", f"twice.{suffix}", making.repeated(film(suffix, burst_s=4), 0.5, 0.6, unit=unit),
            ("ok", "partial"), None, 4.0, says=suffix not in ("mp3", "aac"),
        )  # fmt: skip
    # FFmpeg takes both copies, so that nearly all packets of the sound are garbage.
    yield Odd("every packet twice", "doubled.ts", making.changed(film("ts"), _doubled_ts), ("partial", "no_audio"),
              None, None, says=True)  # fmt: skip


def _joined() -> Iterator[Odd]:
    for suffix in ("ts", "ogg", "mp3", "aac"):
        for count in (2, 3):
            variants = [{"rate": 48_000}] * count
            yield Odd(
                "joined", f"joined-{count}.{suffix}", in_parts(suffix, *variants), says=suffix in ("ts", "ogg")
            )  # fmt: skip
    yield Odd("joined", "flac.ogg", in_parts("ogg", *[{"sound": "flac"}] * 2), says=True)
    for suffix in ("mp4", "mov", "m4a", "flv", "wav", "avi", "mkv", "webm", "mka", "flac"):
        yield Odd(
            "joined, in a container that has one index",
            f"appended.{suffix}",
            making.parts(film(suffix, seconds=15, burst_s=4), film(suffix, seconds=15, burst_s=None)),
            ("partial", "ok"),
            length_s=None,
            burst_s=4.0,
            says=True,
        )
    yield Odd("joined, in a container that has one index", "appended-fragments.mp4", making.parts(
        film("mp4", seconds=15, burst_s=4, **FRAGMENTED), film("mp4", seconds=15, burst_s=None, **FRAGMENTED)),
        ("partial", "ok"), None, 4.0, says=True)  # fmt: skip


def _cut() -> Iterator[Odd]:
    whole = {suffix: film(suffix, burst_s=1.0) for suffix in ALL}
    whole |= {suffix: film(suffix, burst_s=1.0, **INDEX_FIRST) for suffix in BOXED}
    for suffix, make in whole.items():
        # Nothing in these says where they end.
        open_ended = suffix in ("ts", "aac")
        statuses: tuple[str, ...] = ("ok",) if open_ended else ("partial",)
        if suffix == "avi":  # The last part is its index; nothing else need be missing.
            statuses = ("partial", "ok")
        # FLAC states no size: within 2 s, a length may be rounded.
        for share in (0.3, 0.7, 0.9 if suffix == "flac" else 0.95):
            name = f"cut-{share:g}.{suffix}"
            yield Odd("cut off", name, cut(make, share), statuses, None, 1.0, says=not open_ended)
    for share in (0.3, 0.7, 0.95):
        yield Odd(
            "cut off", f"cut-fragments-{share:g}.mp4", cut(film("mp4", burst_s=1.0, **FRAGMENTED), share), ("partial",),
            None, 1.0, says=True,
        )  # fmt: skip
    for suffix in BOXED:
        yield Odd("no index", f"unfinished.{suffix}", cut(film(suffix), 0.9), ("unreadable",), None, None, says=True)
    for suffix in ("mkv", "webm", "flv", "ts", "ogg", "mp3", "wav", "flac"):
        yield Odd("no index", f"pipe.{suffix}", making.written_to_a_pipe(suffix))
    yield Odd("no index", "lost.avi", cut(film("avi", burst_s=4), 0.93), ("ok", "partial"), None, 4.0)
    for suffix in ALL:
        # What has no header anywhere else can be read from any byte on.
        anywhere = suffix in ("ts", "mp3", "aac")
        make = film(suffix) if suffix not in BOXED else film(suffix, **INDEX_FIRST)
        yield Odd(
            "no header", f"headless.{suffix}", making.headless(make, 700),
            ("ok",) if anywhere else ("unreadable", "partial", "no_audio", "ok"), SECONDS if anywhere else None,
            # Without its header, an AVI is a raw picture stream without sound, which its status says.
            BURST_S if anywhere else None, says=not anywhere and suffix != "avi",
        )  # fmt: skip
        yield Odd("only a header", f"header.{suffix}", making.changed(make, lambda content: content[:300]),
                  ("unreadable", "partial", "no_audio", "ok"), None, None, says=not anywhere)  # fmt: skip
        yield Odd("empty", f"empty.{suffix}", lambda path: path.touch(), ("unreadable",), None, None, says=True)


def _garbage() -> Iterator[Odd]:
    for suffix in ("mkv", "mka", "mp4", "mov", "m4a", "ts", "flv", "webm", "mp3", "aac", "ogg", "flac"):
        either = ("partial", "ok")
        # Opus makes sound of any bytes, and MP3 at this rate silence, without an error: nobody can tell.
        tells = ALL[suffix].get("sound") not in ("libopus", "libmp3lame")
        yield Odd(
            "garbage in one second", f"second.{suffix}", film(suffix, spoil=spoilt(8, 9)), either, says=tells
        )  # fmt: skip
        yield Odd(
            "every second packet garbage", f"half.{suffix}", film(suffix, spoil=spoilt(3, 17, every=2)), either,
            says=tells,
        )  # fmt: skip
        yield Odd(
            "garbage in the sound", f"garbage.{suffix}", film(suffix, spoil=spoilt(5, 9)), either, says=tells
        )  # fmt: skip
        make = film(suffix, burst_s=4, **(INDEX_FIRST if suffix in BOXED else {}))
        yield Odd(
            "a part of the file overwritten", f"overwritten.{suffix}", overwritten(make, 0.4, 0.5), either,
            SECONDS if suffix in (*BOXED, "mkv", "mka", "ts") else None, 4.0, says=True,
        )  # fmt: skip
    for suffix in ("mkv", "mp4", "ts", "flv"):
        yield Odd("garbage at the end", f"tail.{suffix}", film(suffix, spoil=spoilt(24, 99)), ("partial",), says=True)


def _changes() -> Iterator[Odd]:
    for suffix, low, high in (("ts", 16_000, 44_100), ("aac", 22_050, 48_000), ("mp3", 22_050, 44_100)):
        for name, variants in (("up", (low, high)), ("down", (high, low)), ("both", (low, high, low))):
            make = in_parts(suffix, *[{"rate": rate} for rate in variants])
            yield Odd("the sample rate changes", f"rate-{name}.{suffix}", make, says=suffix == "ts")
    for suffix in ("ts", "aac", "mp3", "ogg"):
        for name, layouts in (("wider", ("mono", "stereo")), ("narrower", ("stereo", "mono"))):
            make = in_parts(suffix, *[{"layout": layout, "rate": 48_000} for layout in layouts])
            if suffix == "ogg":  # FFmpeg reads no further than the change.
                yield Odd("mono and stereo change", f"{name}.ogg", make, ("partial",), SECONDS / 2, None, says=True)
            else:
                yield Odd("mono and stereo change", f"{name}.{suffix}", make, says=suffix == "ts")
    bare = {"write_xing": "0", "id3v2_version": "0"}
    guessed = [{"options": bare, "rate": 16_000}, {"options": bare, "rate": 48_000}]
    yield Odd("a length that is a guess", "guess.mp3", in_parts("mp3", *guessed))
    yield Odd("a length that is a guess", "silence-first.aac", in_parts("aac", {"keep_sound": lambda t: True}, {}))
    for size in (0, 0xFFFF_FFFF, 0x7FFF_FFFF):
        yield Odd("a length that is a guess", f"size-{size:x}.wav", making.changed(
            film("wav"), partial(_with_sizes, size=size)))  # fmt: skip


def _names_and_tags() -> Iterator[Odd]:
    for name, suffix in (("mkv", "mp4"), ("ts", "mp4"), ("mp4", "mkv"), ("flv", "mp4"), ("m4a", "mp3"), ("mp3", "wav"),
                         ("wav", "mp3"), ("ogg", "flac"), ("aac", "m4a"), ("webm", "ts")):  # fmt: skip
        yield Odd("a suffix that lies", f"really-{name}.{suffix}", film(name))
    for suffix in ("mp3", "aac", "flac", "wav"):
        if suffix != "wav":
            yield Odd("tags", f"cover.{suffix}", making.changed(film(suffix), partial(making.id3, cover=600_000)))
            yield Odd("tags", f"two-tags.{suffix}", making.changed(
                film(suffix), lambda content: making.id3(making.id3(content, cover=50_000, version=4))))  # fmt: skip
            yield Odd("tags", f"broken-text.{suffix}", making.changed(
                film(suffix), partial(making.id3, text=b"\x03\xff\xfe\x80")))  # fmt: skip
        for cover in (0, 400_000):
            yield Odd("tags", f"ape-{cover}.{suffix}", making.changed(film(suffix), partial(making.ape, cover=cover)))
    yield Odd("tags", "chunk.wav", making.changed(film("wav"), making.riff_chunk))


def _captions() -> Iterator[Odd]:
    here = [(2.0, 4.0, "Hello there."), (26.0, 36.0, "See you next time")]
    foreign = [(602.0, 604.0, "Hello there."), (626.0, 628.0, "See you next time")]
    for suffix in ("mkv", "mp4", "ts"):
        yield Odd("captions past the end", f"captions.{suffix}", making.with_captions(film(suffix), here), ("partial",),
                  says=True)  # fmt: skip
        yield Odd("captions of another recording", f"foreign.{suffix}", making.with_captions(film(suffix), foreign),
                  ("partial",), says=True)  # fmt: skip


def _levels() -> Iterator[Odd]:
    for suffix in ("wav", "mka", "mov"):
        for level in (1e-6, 1e-5):
            yield Odd("inaudible", f"quiet-{level:g}.{suffix}", making.quiet(level), ("silent",), burst_s=None)
    yield Odd("inaudible", "quiet.flac", making.quiet(4e-5, "flac"), ("silent",), burst_s=None)
    for gain in (3.0, 1e4):
        yield Odd("beyond full scale", f"loud-{gain:g}.wav", making.beyond(gain), ("partial",), says=True)


def _from(first: float, t: float) -> bool:
    return t >= first


def _before(last: float, t: float) -> bool:
    return t < last


def _outside(first: float, last: float, t: float) -> bool:
    return not first <= t < last


def _plus(by: float, t: float) -> float:
    return t + by


def _plus_from(first: float, by: float, t: float) -> float:
    return t + by if t >= first else t


def _plus_between(first: float, last: float, by: float, t: float) -> float:
    return t + by if first <= t < last else t


def _now_and_then(t: float) -> bool:
    return t < 10 or 17.5 <= t < 19.5 or round(t * 10) % 10 == 0


def _doubled_ts(content: bytes) -> bytes:
    packets = [content[at : at + 188] for at in range(0, len(content), 188)]
    return b"".join(packet + packet for packet in packets)


def _with_sizes(content: bytes, *, size: int) -> bytes:
    at = content.index(b"data")
    stated = size.to_bytes(4, "little")
    return content[:4] + stated + content[8 : at + 4] + stated + content[at + 8 :]
