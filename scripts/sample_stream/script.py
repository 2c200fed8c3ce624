"""The script: the pools of sentences and who speaks them.

Belongs here: the words. Does not belong here: when they are said (timeline) or how they sound (voice, sound).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sample_stream.truth import Line

CALM = (
    "Welcome back everyone, it is good to see you here tonight.",
    "We are going to try the long way around the castle first.",
    "I want to save some health before we meet the big dragon.",
    "There is a small door behind the water that most people never see.",
    "Let me drink some tea while this part is loading.",
    "I have been working on this jump for about three weeks now.",
    "The map is a little dark here, so I will follow the river.",
    "If we take the bridge on the left we save almost ten seconds.",
    "I always forget which key opens the second gate.",
    "This level looks easy, but the floor is very slow.",
    "We need four more coins before we can open the shop.",
    "The music in this forest is one of my favorite things in the game.",
    "I think the guard walks away if we wait a little longer.",
    "Yesterday I lost the whole game right at this corner.",
    "Thank you for the kind words, I hope you have a nice evening.",
    "Now we climb the tower and look for the blue light.",
    "You can hold the button down to run a little faster.",
    "My hands are cold today, so I will take it slow at first.",
    "The next room has two enemies and a box of food.",
    "I heard there is a new version of this game coming in the summer.",
    "Please remember to drink some water and sit up straight.",
    "That was not the best start, but we can still make it work.",
    "We are about two minutes behind my best time right now.",
    "The trick here is to turn before you can see the wall.",
    "I had some soup for lunch and it was really good.",
    "This old man sells maps, but we do not have the money yet.",
    "When the clock turns red the water starts to rise.",
    "I am going to put the sword away and use the bow.",
    "Some people like to skip this part, but I think it is fun.",
    "We will go down the stairs and then through the garden.",
    "My sister plays this game too and she is better than me.",
    "The horse is faster, but it can not swim across the lake.",
    "Let us open this box and see what is inside.",
    "It is just some bread and an old book, nothing special.",
    "I moved my desk this week, so the sound may be different.",
    "There are five stones in this field and we need all of them.",
    "The door closes after one minute, so we have to be quick later.",
    "I read every message, even if I can not answer all of them.",
    "On the other side of the hill there is a very small house.",
    "This is the part where most runners make a mistake.",
    "We can rest here for a moment and look at the sky.",
    "The king will talk for a long time and we can not skip it.",
    "If you are new here, we play this game every week.",
    "I am not sure about this path, but we will see.",
    "First we move the green block, and then the yellow one.",
    "The weather outside is bad today, so it is a good day to play.",
    "I need to walk around this hole and not fall into it.",
    "The shop is closed at night, so we come back in the morning.",
    "You get a better shield if you help the farmer first.",
    "Right now we have three hearts and two arrows left.",
    "I wrote all of the times down on this piece of paper.",
    "That sound means that somebody is close to us.",
    "We are half way through the second part of the game.",
    "I like how the snow looks when the sun goes down.",
    "Let me check the settings, the screen is a bit too bright.",
    "The ship leaves in the morning, so we sleep in the town.",
    "There is a ladder behind the tree on the right side.",
    "I will try to explain it while I am doing it.",
    "It takes some time to learn, but it is worth it.",
    "My friend found a way to do this without the rope.",
    "Next week we will start with a different game.",
    "The last part of this road is long and very quiet.",
)

HYPE = (
    "Oh my god we did it, that is a new world record!",
    "No way, no way, did you see that?",
    "I can not believe it, we won!",
    "Yes, yes, yes, that was perfect!",
    "That is the best jump of my life!",
    "We beat the dragon with one heart left!",
    "Let's go, everybody, let's go!",
    "Look at the time, look at the time!",
    "That was insane, clip that right now!",
    "He is down, the boss is down!",
    "Oh wow, it worked on the first try!",
    "Nobody has ever done that before!",
    "Are you kidding me? What a shot!",
    "I am shaking, I am really shaking!",
    "Oh no, oh no, oh yes, we made it!",
    "That is the fastest run of the year!",
    "Get in there, what a finish!",
    "We found it, we found the secret door!",
    "Unbelievable, absolutely unbelievable!",
    "That should not be possible!",
    "One more hit, one more hit, yes!",
    "This is the greatest day ever!",
    "We saved a whole minute right there!",
    "Holy cow, I landed on the tiny one!",
    "Everybody stand up, this is history!",
    "I told you we could do it!",
    "What just happened, what just happened?",
    "The crowd goes wild, we are the champions!",
)

LAUGHS = (
    "Ha ha ha ha ha, oh that is so funny.",
    "Ha ha ha, I walked right into the wall.",
    "Oh ha ha ha ha, the chicken got me again.",
)

CALM_VOICES = ("slt", "rms", "awb")
"""The streamer, and two friends."""

HYPE_VOICES = ("slt", "awb")
"""Flite can't change the pitch of rms, so rms never shouts."""


def deal(pool: tuple[str, ...], rng: np.random.Generator) -> Iterator[str]:
    """Yield sentences endlessly, each once before any is repeated."""
    while True:
        for index in rng.permutation(len(pool)):
            yield pool[index]


def calm_lines(rng: np.random.Generator) -> Iterator[Line]:
    """Yield calm lines endlessly; a voice usually speaks for a few sentences."""
    voice = CALM_VOICES[0]
    for text in deal(CALM, rng):
        if rng.random() < 0.4:
            voice = str(rng.choice(CALM_VOICES, p=(0.5, 0.25, 0.25)))
        yield Line(text, voice, "calm")


def hype_groups(count: int, rng: np.random.Generator) -> list[tuple[Line, ...]]:
    """Return `count` groups of two or three lines, each group shouted by one voice."""
    texts = deal(HYPE, rng)
    groups = []
    for _ in range(count):
        voice = str(rng.choice(HYPE_VOICES, p=(0.7, 0.3)))
        groups.append(tuple(Line(next(texts), voice, "hype") for _ in range(rng.integers(2, 4))))
    return groups


def laugh_line(rng: np.random.Generator) -> Line:
    """Return the one laugh of the recording."""
    return Line(str(rng.choice(LAUGHS)), "slt", "calm")
