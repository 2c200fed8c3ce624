"""Caption and transcript files spelled oddly; `transcripts` has those in other units and of other programs."""

from __future__ import annotations

from collections.abc import Iterator

from odd_text.case import Odd
from odd_text.heard import USUAL, odd, said


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    yield from _subrip_times()
    yield from _webvtt_times()
    yield from _separators()
    yield from _apart()
    yield from _again()
    yield from _numbers()
    yield from _markup()
    yield from _hls()


def _subrip_times() -> Iterator[Odd]:
    kind = "times of SubRip spelled oddly"
    spelled = {
        "s01": "00:00:02 --> 00:00:04", "s02": "00:00:02,000 -> 00:00:04,000", "s03": "00:00:02:000 --> 00:00:04:000",
        "s04": "00:00:02,000000 --> 00:00:04,000000", "s05": "00:00:2,0 --> 00:00:4,00",
        "s06": "00:00:02,000 \u2013> 00:00:04,000", "s07": "00: 00: 02, 000 --> 00: 00: 04, 000",
        "em-dash": "00:00:02,000 \u2014> 00:00:04,000", "minus": "00:00:02,000 \u2212\u2212> 00:00:04,000",
        "long-arrow": "00:00:02,000 ---> 00:00:04,000", "arrow": "00:00:02,000 \u2192 00:00:04,000",
        "double": "00:00:02,000 => 00:00:04,000", "escaped": "00:00:02,000 --&gt; 00:00:04,000",
        "split": "00:00:02,000 -- > 00:00:04,000", "tight": "00:00:02,000-->00:00:04,000",
        "dashed": "00:00:02,000 - 00:00:04,000", "no-hours": "00:02,000 --> 00:04,000",
        "wide": "\uff10\uff10:\uff10\uff10:\uff10\uff12\uff0c\uff10\uff10\uff10 --> 00:00:04\uff0c000",
        "wide-colons": "00\uff1a00\uff1a02,000 --> 00\uff1a00\uff1a04,000",
        "semicolon": "00:00:02;000 --> 00:00:04;000",
        "coordinates": "00:00:02,000 --> 00:00:04,000  X1:63 X2:223 Y1:43 Y2:58", "one-digit": "0:0:2,0 --> 0:0:4,0",
        "tab": "00:00:02,000\t-->\t00:00:04,000", "frames": "00:00:02:00 --> 00:00:04:00",
        "nanos": "00:00:02,000000000 --> 00:00:04,000000000", "inside": "00:00:02 ,000 --> 00:00:04 ,000",
        "few-mixed": "00:00:02 --> 00:00:04,5",
        "brackets": "[00:00:02.000 --> 00:00:04.000]", "to": "00:00:02,000 to 00:00:04,000",
        "marked": "\u200e00:00:02,000 --> 00:00:04,000", "apostrophe": "00:00:02'000 --> 00:00:04'000",
    }  # fmt: skip
    for name, line in spelled.items():
        content = f"1\n{line}\nhello there\n\n2\n00:00:06,000 --> 00:00:08,000\nsecond line\n"
        yield odd(kind, f"srt-{name}", ".srt", content, said(*USUAL))


def _webvtt_times() -> Iterator[Odd]:
    kind = "times of WebVTT spelled oddly"
    spelled = {
        "s22": "00:02 --> 00:04", "hours": "00:00:02 --> 00:00:04", "comma": "00:02,000 --> 00:04,000",
        "settings": "00:02.000 --> 00:04.000 align:start position:0%", "bare": "00:02 --> 00:04 line:79%",
        "blank": "00:02. 000 --> 00:04. 000", "many-hours": "000:00:02.000 --> 000:00:04.000",
        "arrow": "00:02.000 -> 00:04.000", "micros": "00:02.000000 --> 00:04.000000",
        "colon": "00:00:02:000 --> 00:00:04:000", "seconds": "2.000 --> 4.000",
    }  # fmt: skip
    for name, line in spelled.items():
        content = f"WEBVTT\n\n{line}\nhello there\n\n00:06.000 --> 00:08.000\nsecond line\n"
        yield odd(kind, f"vtt-{name}", ".vtt", content, said(*USUAL))
    text = "WEBVTT\n\n00:02.000 --> 00:04.000 hello there\n\n00:06.000 --> 00:08.000\nsecond line\n"
    yield odd(kind, "vtt-same-line", ".vtt", text, said(*USUAL))


def _separators() -> Iterator[Odd]:
    kind = "line separators inside a cue"
    for name, sign in {
        "ls": "\u2028", "ps": "\u2029", "nel": "\x85", "vt": "\x0b", "ff": "\x0c", "fs": "\x1c", "rs": "\x1e"
    }.items():  # fmt: skip
        content = f"WEBVTT\n\n00:02.000 --> 00:04.000\nhello{sign}{sign}there\n\n00:06.000 --> 00:08.000\nsecond line\n"
        yield odd(kind, f"separator-{name}", ".vtt", content, said(*USUAL))
        content = (
            f"1\n00:00:02,000 --> 00:00:04,000\nhello{sign}there\n\n2\n00:00:06,000 --> 00:00:08,000{sign}second line\n"
        )
        yield odd(kind, f"separator-{name}-srt", ".srt", content, said(*USUAL))
    content = "WEBVTT\r\r00:02.000 --> 00:04.000\rhello there\r\r00:06.000 --> 00:08.000\rsecond line\r"
    yield odd(kind, "separator-cr", ".vtt", content, said(*USUAL))
    content = "WEBVTT\n\n00:02.000 --> 00:04.000\nhello there\n\n00:06.000 --> 00:08.000\nsecond line\n".replace(
        "\n", "\u2028"
    )
    yield odd(kind, "separator-all", ".vtt", content, said(*USUAL))


def _apart() -> Iterator[Odd]:
    kind = "an empty line after the times"
    texts = {
        "s18": "00:02.000 --> 00:04.000 line:79%\n\nhello\nthere\n\n00:06.000 --> 00:08.000\nsecond line\n",
        "two": "00:02.000 --> 00:04.000\n\n\nhello there\n\n00:06.000 --> 00:08.000\n\nsecond line\n",
        "note": "00:02.000 --> 00:04.000\nhello there\n\n00:04.000 --> 00:05.000\n\nNOTE not said\n\n"
        "00:06.000 --> 00:08.000\nsecond line\n",
        "named": "00:02.000 --> 00:04.000\nhello there\n\n00:04.000 --> 00:05.000\n\nname\n"
        "00:06.000 --> 00:08.000\nsecond line\n",
        "all": "00:02.000 --> 00:04.000\n\nhello there\n\n\n00:06.000 --> 00:08.000\n\nsecond line\n",
        "blanks": "00:02.000 --> 00:04.000\n \nhello there\n\n00:06.000 --> 00:08.000\n\t\nsecond line\n",
    }
    for name, text in texts.items():
        yield odd(kind, f"apart-{name}", ".vtt", f"WEBVTT\n\n{text}", said(*USUAL))
    text = "1\n00:00:02,000 --> 00:00:04,000\n\nhello there\n\n2\n00:00:06,000 --> 00:00:08,000\n\nsecond line\n"
    yield odd(kind, "apart-srt", ".srt", text, said(*USUAL))


def _cues(*cues: tuple[int, int, str]) -> str:
    return "WEBVTT\n\n" + "".join(f"00:{a:02}.000 --> 00:{b:02}.000\n{text}\n\n" for a, b, text in cues)


def _again() -> Iterator[Odd]:
    kind = "the same line said again later"
    rolling = [(0, 2, "so\nnow we begin"), (2, 4, "now we begin\nwith this"), (4, 6, "with this\nof all")]
    start = ("so", "now", "we", "begin", "with", "this", "of", "all")
    yield odd(kind, "again-s11", ".vtt", _cues((0, 2, "no"), (4, 6, "no"), (8, 10, "yes"), (12, 14, "yes"),
                                                  (16, 18, "well")),
               said(("no", 0), ("no", 4), ("yes", 8), ("yes", 12), ("well", 16)))  # fmt: skip
    yield odd(kind, "again-touching", ".vtt", _cues((0, 2, "no"), (2, 4, "no"), (4, 6, "yes"), (6, 8, "yes"),
                                                       (8, 10, "well")),
               said("no", "no", "yes", "yes", "well"))  # fmt: skip
    yield odd(kind, "again-rolling", ".vtt", _cues(*rolling, (8, 10, "of all"), (15, 17, "of all\nagain")),
               said(*start, ("of", 8), "all", ("of", 15), "all", "again"))  # fmt: skip
    yield odd(kind, "again-once", ".vtt", _cues(*rolling), said(*start))
    yield odd(kind, "again-second-later", ".vtt", _cues(*rolling, (7, 9, "of all\nthe rounds")),
               said(*start, ("of", 7), "all", "the", "rounds"))  # fmt: skip
    yield odd(kind, "again-before", ".vtt", _cues(*rolling[1:], (10, 12, "of all\nends"), (1, 2, "ends\nit")),
               said("ends", "it", "now", "we", "begin", "with", "this", "of", "all", "of", "all", "ends"))  # fmt: skip
    long = _cues(*rolling, (10, 12, "what a goal")) + "02:30.000 --> 02:32.000\nwhat a goal\nfor us\n"
    yield odd(kind, "again-s10", ".vtt", long,
               said(*start, ("what", 10), "a", "goal", ("what", 150), "a", "goal", "for", "us"),
               seconds=160)  # fmt: skip


def _numbers() -> Iterator[Odd]:
    kind = "spoken numbers"
    times = ["00:00:01,000 --> 00:00:02,000", "00:00:03,000 --> 00:00:04,000", "00:00:05,000 --> 00:00:06,000"]
    texts = {
        "k15": (f"{times[0]}\n3\n{times[1]}\n2\n{times[2]}\ngo\n", "3 2 go"),
        "up": (f"{times[0]}\n1\n{times[1]}\n2\n{times[2]}\n3\n", "1 2 3"),
        "numbered": (f"1\n{times[0]}\n10\n2\n{times[1]}\n9\n3\n{times[2]}\ngo\n", "10 9 go"),
        "apart": (f"1\n{times[0]}\n3\n\n2\n{times[1]}\n2\n\n3\n{times[2]}\n1\n", "3 2 1"),
        "last": (f"{times[0]}\nsay\n42\n{times[1]}\nno\n7\n{times[2]}\ngo\n", "say 42 no 7 go"),
        "jump": (f"1\n{times[0]}\n100\n{times[1]}\n200\n{times[2]}\ngo\n", "100 200 go"),
    }
    for name, (text, words) in texts.items():
        yield odd(kind, f"numbers-{name}", ".srt", text, said(*words.split()))
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n3\n00:03.000 --> 00:04.000\n2\n00:05.000 --> 00:06.000\ngo\n"
    yield odd(kind, "numbers-vtt", ".vtt", text, said("3", "2", "go"))


def _markup() -> Iterator[Odd]:
    kind = "markup and written line breaks"
    texts = {
        "big-n": "hello\\Nthere", "small-n": "hello\\nthere", "hard": "hello\\hthere", "br": "hello<br>there",
        "br-slash": "hello<br/>there", "an8": "{\\an8}hello there", "pos": "{\\pos(192,210)}hello {\\i1}there{\\i0}",
        "font": '<font color="#fff">hello</font> <b>there</b>', "braces": "{b}hello{/b} {i}there{/i}",
        "color": "{c:$ffffff}hello there", "entities": "hello&nbsp;there",
    }  # fmt: skip
    for name, text in texts.items():
        content = f"1\n00:00:02,000 --> 00:00:04,000\n{text}\n\n2\n00:00:06,000 --> 00:00:08,000\nsecond line\n"
        yield odd(kind, f"markup-{name}", ".srt", content, said(*USUAL))


def _piece(stamp: str, *cues: tuple[float, float, str]) -> str:
    lines = "".join(f"00:{a:06.3f} --> 00:{b:06.3f}\n{text}\n\n" for a, b, text in cues)
    return f"WEBVTT\n{stamp}\n\n{lines}"


def _hls() -> Iterator[Odd]:
    kind = "pieces of HLS joined"
    one, two = (2.0, 4.0, "hello there"), (6.0, 8.0, "second line")
    same = "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000"
    at = "X-TIMESTAMP-MAP=MPEGTS:{},LOCAL:00:00:00.000".format
    texts = {
        "same": _piece(same, one) + _piece(same, two),
        "moved": _piece(at(900_000), one) + _piece(at(900_000 + 4 * 90_000), (2.0, 4.0, "second line")),
        "local": _piece("X-TIMESTAMP-MAP=LOCAL:00:00:10.000,MPEGTS:1800000", one)
        + _piece("X-TIMESTAMP-MAP=LOCAL:00:00:10.000,MPEGTS:2160000", (2.0, 4.0, "second line")),
        "wrapped": _piece(at((1 << 33) - 90_000), one) + _piece(at(3 * 90_000), (2.0, 4.0, "second line")),
        "repeated": _piece(same, one, two) + _piece(same, two),
        "tight": _piece(same, one).rstrip() + "\n" + _piece(same, two),
        "no-map": "WEBVTT\n\n00:02.000 --> 00:04.000\nhello there\n\nWEBVTT\n\n00:06.000 --> 00:08.000\nsecond line\n",
    }
    for name, text in texts.items():
        yield odd(kind, f"hls-{name}", ".vtt", text, said(*USUAL))
