"""Every touch of what Reflex, engineio and the build keep to themselves: one module each, with why and what it relies on.

`tests/core/test_reflex_patches.py` fails when a new version changes what one of them relies on.
"""
