"""All uses of undocumented parts of Reflex, engineio, and the frontend build. Each module says why and what it relies on.

`tests/core/test_reflex_patches.py` fails if a new version changes any of them.
"""
