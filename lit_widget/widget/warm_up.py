"""Getting ready for the first update while the user still looks at the first masks."""

from __future__ import annotations

import threading
from functools import cache

from lit_widget.core.recipes import load_peft


@cache
def warm_up() -> None:
    """Load in the background, once, what only training needs: seconds that the first correction would wait for."""
    threading.Thread(target=load_peft, name="warm-up", daemon=True).start()
