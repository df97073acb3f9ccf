"""The events of Reflex's root state that send a page its whole state.

Reflex's own frontend sends the second one, once per connection. Their names are not part of the documented API.
"""

from __future__ import annotations

import reflex as rx

NAMES = frozenset(f"{rx.State.get_full_name()}.{name}" for name in ("hydrate", "hydrate_and_load"))
