"""Features of one text: its length, and how many words of complaint it has, both after the text was normalized.

Pure functions of one request record: Glue computes the training rows with them, the service every prediction.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

FEATURES = {"text_length": "number", "num_keywords": "number"}

# Words that people use when something is wrong: written by hand, not fitted to the ratings, and in the form that
# normalized() gives them.
_COMPLAINTS = """
abysmal afraid alone anger angry annoyed annoying anxious ashamed awful awkward bad badly blame bored boring broke
broken bug bugs bummer can't cancel cancelled cannot cheap complain complained complaint complaints confused
confusing couldn't crap crappy crash crashed crashes cruel cry crying cumbersome damage damaged damn dead defect
defective depressed depressing die died difficult dirty disappoint disappointed disappointing disappointment
disgusting dislike doesn't don't doubt dumb enemy error errors evil excuse expensive fail failed failing fails
failure fake fault faulty fear flaw flawed flaws flimsy forgot freeze freezes frustrated frustrating frustration
garbage gross guilty hate hated hates hating headache hell horrible horribly hurt hurting hurts idiot ill impossible
inconvenient inferior irritated irritating isn't issue issues junk kill killed killing lack lacking lacks lame lazy
lie lies lonely loose lose loser losing loss lost loud lousy mad mess messed miserable misleading miss missed
missing mistake nasty negative nervous never nightmare no nobody noisy none nope not nothing odd offensive pain
painful panic pathetic pity pointless poor poorly problem problems refund refused regret reject return returned
ridiculous ripped rude ruin ruined sad sadly scare scared scary scratch scratches shame shouldn't sick sloppy slow
sluggish smell sorry stole stolen stress stressed struggle stuck stupid suck sucked sucks suffer terrible terribly
tired trash trouble ugh ugly unable unfair unfortunately unhappy unhelpful unreliable upset useless wasn't waste
wasted weak weird won't worn worried worry worse worst worthless wouldn't wrong yuck
"""
KEYWORDS = frozenset(_COMPLAINTS.split())
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"))


def features(record: Mapping[str, Any]) -> dict[str, float | str | None]:
    """Returns the value of each feature in FEATURES for one request record."""
    text = normalized(record["text"])
    return {"text_length": text_length(text), "num_keywords": num_keywords(text)}


def normalized(text: str) -> str:
    """Returns the text as the features read it, so that one text in two spellings has the same features.

    HTML entities are decoded, Unicode is brought to its composed compatibility form (NFKC), apostrophes are made one
    character, addresses are left out, runs of white space become one space, and case is folded.
    """
    text = unicodedata.normalize("NFKC", html.unescape(text)).translate(_APOSTROPHES)
    return _BLANKS.sub(" ", _URL.sub(" ", text)).strip().casefold()


def text_length(text: str) -> float:
    """Returns the number of characters of a normalized text."""
    return float(len(text))


def num_keywords(text: str) -> float:
    """Returns how many words of a normalized text are in KEYWORDS."""
    return float(sum(word in KEYWORDS for word in _WORD.findall(text)))
