"""The shelf of hostile servers: each a name, what it does, and what a run may say of it."""

from tests.hostile.shelf.answers import ANSWERS
from tests.hostile.shelf.behaviour import Behaviour
from tests.hostile.shelf.connections import CONNECTIONS
from tests.hostile.shelf.endings import ENDINGS
from tests.hostile.shelf.framing import FRAMING
from tests.hostile.shelf.secrets import SECRETS
from tests.hostile.shelf.sizes import SIZES
from tests.hostile.shelf.texts import TEXTS

SHELF: dict[str, Behaviour] = {**CONNECTIONS, **FRAMING, **SIZES, **TEXTS, **ANSWERS, **ENDINGS, **SECRETS}
