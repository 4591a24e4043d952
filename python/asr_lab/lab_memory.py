"""Keeps the garbage collector from looking at the whole world in the middle of a request.

Thousands of protected items are millions of objects, which a full collection walks through: a pause of half a second
for whoever asks at that moment. The lab collects when it has just written its state file, and leaves what lives then
out of later collections.
"""

import gc


def settle() -> None:
    """Collect garbage now, and leave what is alive out of collections until this is called again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
