"""All uses of private parts of Reflex, engineio and the build: one module each, saying why and what it relies on.

`tests/core/test_reflex_patches.py` fails when a new version changes any of them.
"""
