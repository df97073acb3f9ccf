"""The type of JSON-compatible mappings that packages pass to each other. The receiver validates them against its own types.

Replies from a language model or another external service have this type, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
