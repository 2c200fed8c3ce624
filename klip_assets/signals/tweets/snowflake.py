"""The time in a tweet's id."""

from __future__ import annotations

from datetime import datetime, timedelta

#: The first ids that contain a time were assigned on 2010-11-04; smaller ones were plain counters.
FIRST_SNOWFLAKE = 29_700_859_247
#: Day after the last plain counter: an id below FIRST_SNOWFLAKE was assigned before it.
SNOWFLAKE_ERA = datetime(2010, 11, 5)
_EPOCH = datetime(1970, 1, 1)
#: Epoch of the times in ids, in milliseconds since 1970.
OFFSET_MS = 1_288_834_974_657
_LARGEST_ID = 2**63 - 1


def is_tweet_id(tweet_id: str) -> bool:
    """Return whether the text is a positive 64-bit decimal number, as every tweet id is."""
    return (
        0 < len(tweet_id) <= 19
        and tweet_id.isascii()
        and tweet_id.isdigit()
        and tweet_id[0] != "0"
        and int(tweet_id) <= _LARGEST_ID
    )


def created_at_of(tweet_id: str) -> datetime | None:
    """Return when a tweet was created, from its id alone.

    Returns:
        A naive UTC time to the millisecond; None for an id from before ids contained a time (before 2010-11-04), and
        for anything that is not an id.
    """
    if not is_tweet_id(tweet_id) or int(tweet_id) < FIRST_SNOWFLAKE:
        return None
    return _EPOCH + timedelta(milliseconds=(int(tweet_id) >> 22) + OFFSET_MS)


def id_at(moment: datetime) -> int:
    """Return the first id that a tweet of this naive UTC time can have (from 2010-11-05 on)."""
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return (milliseconds - OFFSET_MS) << 22
