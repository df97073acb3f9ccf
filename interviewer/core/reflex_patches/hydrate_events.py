"""The names of the events with which Reflex's root state sends a page its whole state.

Reflex's own frontend triggers `hydrate_and_load` once per connection. The names are not part of the documented API.
"""

from __future__ import annotations

import reflex as rx

NAMES = frozenset(f"{rx.State.get_full_name()}.{name}" for name in ("hydrate", "hydrate_and_load"))
