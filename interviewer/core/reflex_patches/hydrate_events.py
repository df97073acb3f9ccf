"""The events of Reflex's root state that send a whole state to its page.

Reflex's own frontend sends the second one, once for each connection. Their names are not part of its documented interface.
"""

from __future__ import annotations

import reflex as rx

NAMES = frozenset(f"{rx.State.get_full_name()}.{name}" for name in ("hydrate", "hydrate_and_load"))
