"""Who is measured: a live endpoint, a recorded one, or patches that are given without any agent."""

from __future__ import annotations

from swerun.entrants.entrant import DEMO, NO_AGENT, Entrant, Setting
from swerun.entrants.given import given, predicted
from swerun.entrants.live import AUTO, asked_model, live
from swerun.entrants.recorded import recorded

__all__ = ["AUTO", "DEMO", "Entrant", "Setting", "asked_model", "entrant", "predicted"]


def entrant(name: str, setting: Setting) -> Entrant:
    """The entrant called `name`.

    Asks nothing of any endpoint: that is the entrant's `check`. Raises InputError for a name that
    leads nowhere, and for what is given to a recording that has its own.
    """
    if name in NO_AGENT:
        return given(name, setting.config)
    return recorded(name, setting) if name.startswith(DEMO) else live(name, setting)
