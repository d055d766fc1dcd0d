"""Take the picture of a report's first screen that README.md shows; needs Chromium.

``python workflow/picture_report.py results/chicago_collaborative/report/report.html`` writes
``docs/report.png``; a second argument names another file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "report.png"
WIDTH, HEIGHT = 1100, 880
LIMIT = 200_000  # bytes: the picture is part of the repository
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def command(browser: str, page: Path, picture: Path) -> list[str]:
    """Return the command that takes the picture: no network, no scroll bars, light colours."""
    return [
        browser, "--headless", "--disable-gpu", "--disable-background-networking",
        "--hide-scrollbars", *(["--no-sandbox"] if os.geteuid() == 0 else []),
        f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.resolve().as_uri(),
    ]  # fmt: skip


def main(arguments: list[str]) -> int:
    """Take the picture, and return 1 where it cannot be taken or is too large."""
    if len(arguments) not in (1, 2) or not Path(arguments[0]).is_file():
        print("picture_report: name a report that is there, such as results/…/report.html")
        return 1
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("picture_report: install Chromium; none was found on the path")
        return 1
    picture = Path(arguments[1]) if len(arguments) == 2 else PICTURE
    subprocess.run(command(browser, Path(arguments[0]), picture), check=True, capture_output=True)
    size = picture.stat().st_size
    if size > LIMIT:
        print(f"picture_report: {picture.name} has {size:,} bytes; at most {LIMIT:,} are kept")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
