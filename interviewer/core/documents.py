"""JSON-ready mappings passed between packages; the receiver validates them with its own types.

Replies of a language model or a vendor are external data too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
