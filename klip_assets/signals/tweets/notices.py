"""Sentences that X puts in the place of a tweet that can't be shown: they are nobody's words.

They come with hydrated tweets, scrapers and the API itself ("This account is temporarily unavailable because it
violates the Twitter Media Policy. Learn more."), in the wording of Twitter and that of X. A tweet that says more than
the notice, for instance one that quotes it, keeps its text.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: The longest ones list all countries of the European Union.
_LONGEST = 1_000

_POST = r"(?:posts?|tweets?|reposts?|replies|reply|status|media|content)"
_X = r"(?:x|twitter)(?:'s)?"
_NAME = r"@\w{1,20}"
_END = r"[.:]? ?"
_LEGAL = r"(?:in response to an? [^.!?]{1,100}|based on (?:a )?local laws?(?:\(s\))?|for legal reasons)"
_SELF = rf"(?:this {_POST}(?: from {_NAME})?|this account|{_NAME}(?:'s account)?)"
_BECAUSE = (
    r"(?:because it (?:violat|includ|contain)|because th(?:is|e) (?:account|author|owner|post|tweet) |"
    r"(?:because of|due to) a (?:legal|copyright) )[^.!?]{1,200}"
)
_PLACE = r"(?:in|to) (?:you|your (?:country|region|location|area))(?: [^.!?]{1,60})?"

_NOTICES = (
    rf"(?:this|the|{_NAME}'s) account is (?:temporarily )?unavailable because it violates the {_X} [a-z ]{{1,40}}",
    rf"{_SELF} (?:has been|is|was) withheld (?:in:? [^.!?]{{1,800}}? )?{_LEGAL}",
    # A name of a country begins with a capital letter; "withheld in my head" is somebody's joke.
    rf"{_SELF} has been withheld in:? (?-i:[A-ZÀ-Þ])[^.!?]{{1,800}}",
    rf"due to local laws, we(?:'re| are) temporarily restricting access to this {_POST}(?: until [^.!?]{{1,100}})?",
    rf"this {_POST} (?:is|was) from (?:a suspended|a private|a protected|a withheld|a deactivated) account",
    rf"this {_POST} (?:is|was) from an account (?:that no longer exists|that blocked you|you (?:blocked|muted))",
    rf"this {_POST} (?:is|was) from an account owner who limits who can view their {_POST}",
    r"(?:this account|this user|user) (?:has been|is) suspended",
    r"no status found with that id",
    rf"this {_POST} (?:has )?violated the {_X} rules(?: (?:about|on|against|regarding) [^.!?]{{1,200}})?"
    rf"(?:{_END}however, {_X} has determined that it may be in the public's interest for the {_POST} to remain "
    r"(?:accessible|available))?",
    rf"this {_POST} (?:is|was) (?:unavailable|(?:not|no longer) available)(?: (?:{_PLACE}|{_BECAUSE}))?",
    rf"this {_POST} (?:is|was|has been) (?:deleted|removed) by (?:the|its|{_X}) ?(?:{_POST} )?(?:author|owner)?",
    rf"this {_POST} has been (?:deleted|removed)",
    rf"you(?:'re| are) (?:unable|not able) to view this {_POST}(?: {_BECAUSE})?",
    rf"(?:this|the) account owner limits who can view their {_POST}",
    rf"age-restricted (?:adult )?content(?:{_END}this content might not be appropriate for people under 18 years old)?"
    rf"(?:{_END}to view this {_POST}, you(?:'ll| will) need to log in(?: to {_X})?)?",
    rf"hmm(?:\.\.\.|,)? ?this page (?:doesn't|does not) exist(?:{_END}try searching for something else)?",
    rf"this account (?:doesn't|does not) exist{_END}try searching for another",
    r"sorry, that page (?:doesn't|does not) exist!?",
    rf"sorry, you (?:aren't|are not) authorized to see this {_POST}",
    rf"(?:account suspended{_END})?{_X} suspends accounts (?:which|that) violate the {_X} rules",
    rf"(?:these|this account's|{_NAME}'s) {_POST} are protected"
    rf"(?:{_END}only [^.!?]{{1,200}}(?:{_END}to request access, [^.!?]{{1,60}})?)?",
    rf"(?:caution{_END})?this account is temporarily restricted"
    rf"(?:{_END}you're seeing this warning because there has been some unusual activity from this account)?"
    r"(?:[.:]? ?do you still want to view it\?)?",
    rf"(?:sorry, )?this {_POST} (?:can't|cannot) be (?:displayed|viewed|shown|loaded)(?: {_BECAUSE})?",
    rf"there(?:'s| is) a new version of this {_POST}",
    r"something went wrong(?:, but don't fret)?[.:—–-]? ?(?:try reloading|try again|let's give it another shot)",
    rf"(?:visibility limited{_END})?this {_POST} may violate {_X} rules against [^.!?]{{1,100}}",
    rf"this {_POST} has been (?:disabled|removed|withheld) in response to a report (?:by|from) the copyright "
    r"(?:owner|holder)",
    rf"(?:the following|this) {_POST} (?:may |might )?(?:include|contain)s? (?:potentially )?sensitive "
    rf"(?:content|material)(?:{_END}(?:change settings|view|show))?",
)
_MORE = r"(?:[.:]? ?(?:learn more|\{learnmore\}|view|https?://\S{1,200})){0,3}[.!]?"
_NOTICE = re.compile(
    rf"(?:rt {_NAME}:? )?(?:(?:{_POST}|user|account) withheld{_END})?(?:{'|'.join(_NOTICES)}){_MORE}", re.IGNORECASE
)
#: The bytes of a text as Python prints them, which many published sets hold.
_BYTES = re.compile(r"""b(['"])(.{1,1000})\1""")
_TYPOGRAPHIC = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "…": "...", "‑": "-", "\u00a0": " "})
#: Each notice contains one of these; few tweets do.
_SUSPECT = (
    r"(?i)withheld|unavailable|available|suspend|unable to view|able to view|limits who|violat|no longer exists|"
    r"private account|protected|deactivated|blocked|muted|deleted|removed|restricted|t exist|not exist|authorized|"
    r"no status found|new version|went wrong|disabled|sensitive|local laws|displayed|viewed|shown|loaded"
)


def is_notice(text: str) -> bool:
    """Return whether a text is one of X's notices and nothing else."""
    if len(text) > _LONGEST:
        return False
    plain = " ".join(text.translate(_TYPOGRAPHIC).split())
    if found := _BYTES.fullmatch(plain):
        plain = found[2].replace("\\'", "'")
    plain = plain.strip('"“”[]() ')
    return _NOTICE.fullmatch(plain) is not None


def notices_in(texts: pa.Array) -> np.ndarray:
    """Return for each text whether it is a notice; NULL is none."""
    suspect = pc.fill_null(pc.match_substring_regex(texts, _SUSPECT), False).to_numpy(zero_copy_only=False)
    found = np.zeros(len(texts), bool)
    for index in np.flatnonzero(suspect):
        found[index] = is_notice(texts[int(index)].as_py())
    return found
