"""The page's fonts from this server: Argilla's style sheet asks Google for them, which tells Google who curates when.

Argilla serves a copy of its page that it makes at each start; only that copy is changed.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
_REMOTE = re.compile(r"@import\s+url\(\s*['\"]?(?:https?:)?//[^)]*\)[^;]*;")


def serve_fonts(static: Path) -> None:
    """Put the fonts into a copy of Argilla's page, and let its style sheets name them instead of Google's.

    Args:
        static: directory of the copy.
    """
    target = static / "fonts"
    target.mkdir(exist_ok=True)
    for font in FONTS.glob("*.woff2"):
        shutil.copy(font, target)
    rules = (FONTS / "fonts.css").read_text(encoding="utf-8")
    for sheet in static.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        local, count = _REMOTE.subn("", text)
        if count:
            sheet.write_text(rules + local, encoding="utf-8")
