"""What to tell a person who named something that does not exist."""

import difflib
import re
from collections.abc import Sequence

WHERE = {
    "fault": "docs/requirements.md names those of each requirement, and so does genstore-conformance explain.",
    "variant": "They are described in conformance/variants.",
}
"""Where names are listed that genstore-conformance list does not show."""


def unknown(word: str, known: Sequence[str], kind: str) -> str:
    """Return what to say of a word that is none of those known: what comes near, or where they are listed."""
    folded = {name.lower(): name for name in known}
    near = [folded[name] for name in difflib.get_close_matches(word.lower(), folded, n=4, cutoff=0.5)]
    padded = re.sub(r"(?<=[a-z])-?([0-9])$", r"-0\1", word.lower())
    near = list(dict.fromkeys([*(folded[name] for name in folded if name == padded), *near]))
    hint = f"Did you mean {', '.join(near)}?" if near else WHERE.get(kind, "See genstore-conformance list.")
    return f"there is no {kind} {word!r}. {hint}"
