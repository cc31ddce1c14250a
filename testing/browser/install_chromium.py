"""Makes sure that there are a Chromium and a Firefox for the browser tests, where this machine can have them.

Prints what it found or did. Without a browser its tests are skipped and say so; in CI that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIREFOX_NAMES = ("firefox-esr", "firefox")


def find_chromium() -> str | None:
    """Returns the browser's path, None where there is none."""
    return _on_path(CHROMIUM_NAMES) or _playwrights_own()


def find_firefox() -> str | None:
    """Returns the browser's path, None where there is none; Playwright's own build is none that people use."""
    return _on_path(FIREFOX_NAMES)


BROWSERS: dict[str, Callable[[], str | None]] = {"chromium": find_chromium, "firefox-esr": find_firefox}
"""What finds a browser, by the name of Debian's package."""


def _on_path(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _playwrights_own() -> str | None:
    """Returns the browser that `playwright install` put into its cache."""
    caches = (Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright")
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    found = [path for cache in caches for pattern in patterns for path in sorted(cache.glob(pattern))]
    return str(found[-1]) if found else None


def _install(missing: list[str]) -> None:
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment, stdout=subprocess.DEVNULL)
        for package in missing:
            command = ["apt-get", "install", "-y", "-qq", package]
            subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)
    elif "chromium" in missing:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> int:
    missing = [name for name, find in BROWSERS.items() if find() is None]
    if missing:
        print(f"no {' and no '.join(missing)} found: installing", flush=True)
        _install(missing)
    lacking = False
    for name, find in BROWSERS.items():
        path = find()
        if path is not None:
            print(f"browser tests will use {path}")
        else:
            lacking = True
            print(f"SKIPPING the tests in {name}: there is none, and none could be installed", file=sys.stderr)
    return 1 if lacking and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
