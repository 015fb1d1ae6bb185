"""Ask every address that the pages link to, and say which does not answer; `make links` runs it.

A machine without a network is told so, and nothing else is said.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent
PAGES = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "lit_widget").rglob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
)
ADDRESS = re.compile(r"https?://[^][\s)>\"'`\\]+")
ALIVE = {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS}
"""Answers of a page that is there, but not for scripts."""


def addresses() -> dict[str, list[str]]:
    """Pages by the address that they link to."""
    found: dict[str, list[str]] = defaultdict(list)
    for page in PAGES:
        for address in sorted(set(ADDRESS.findall(page.read_text("utf-8")))):
            found[address.rstrip(".,;:")].append(str(page.relative_to(ROOT)))
    return dict(found)


def trouble(address: str) -> str | None:
    """Why an address does not answer, `None` if it does."""
    request = Request(address, headers={"User-Agent": "lit-widget documentation"})  # noqa: S310 - only https is linked
    try:
        with urlopen(request, timeout=20):  # noqa: S310
            return None
    except HTTPError as error:
        return None if error.code in ALIVE else f"{error.code} {error.reason}"
    except (URLError, TimeoutError) as error:
        return f"unreachable ({getattr(error, 'reason', error)})"


def main() -> int:
    """Ask them all; returns the exit status."""
    linked = addresses()
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(linked, pool.map(trouble, linked), strict=True))
    dead = {address: why for address, why in answers.items() if why}
    if all(why.startswith("unreachable") for why in dead.values()) and len(dead) == len(linked):
        sys.stderr.write(f"none of {len(linked)} addresses can be reached: is this machine online?\n")
        return 0
    for address, why in dead.items():
        sys.stderr.write(f"{address}: {why} (in {', '.join(linked[address])})\n")
    sys.stdout.write(f"{len(linked) - len(dead)} of {len(linked)} addresses answer\n")
    return int(bool(dead))


if __name__ == "__main__":
    sys.exit(main())
