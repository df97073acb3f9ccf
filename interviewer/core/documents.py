"""JSON-ready mappings that cross a boundary; the receiving side validates them with its own types.

What a language model or a vendor returns is external data like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
