"""Every command of `docs/reach.md`: it is run here on a copy of this machine, or it is said why it is not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reach.md").read_text(encoding="utf-8")
RUN = ("useradd ", "install -D ", "install --mode ")
"""On a copy of this machine, below."""
ELSEWHERE = {
    "meetctl up configs/demo.yaml --host auto": "tests/browser/test_other_machine.py, with a name in place of auto",
    "runuser --shell /bin/sh --login meetctl --command 'XDG_RUNTIME": "tests/system/test_service.py, by another user",
}
"""By their beginning: where they are run."""
NOT_RUN = {
    "apt-get install": "fetches packages",
    "runuser --shell /bin/sh --login meetctl --command 'make -C checkout install'": "fetches packages and models",
    "systemctl ": "there is no systemd that runs: the unit is verified, and its manager's socket is a test's own",
}
"""By their beginning: why not."""
IN_A_COPY = """
set -e
mount -t tmpfs none "$1"
cd "$1"
mkdir upper work root
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
mount --rbind /dev root/dev
mkdir -p root/tmp/checkout
cp -R "$2" root/tmp/checkout/configs
chroot root /bin/sh -ec "$3"
"""


def commands() -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE, flags=re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line]


def test_it_is_known_of_every_command_where_it_is_run_or_why_it_is_not() -> None:
    known = (*RUN, *ELSEWHERE, *NOT_RUN)
    assert [command for command in commands() if not command.startswith(known)] == []
    assert [start for start in known if not any(command.startswith(start) for command in commands())] == []


@pytest.mark.root
def test_the_commands_that_need_no_network_do_what_the_page_says(tmp_path: Path) -> None:
    useradd, *installs = [command for command in commands() if command.startswith(RUN)]
    script = "\n".join(
        [
            useradd,
            "mv /tmp/checkout /var/lib/meetctl/checkout",
            *installs,
            "stat --format '%n %a %U' /etc/meetctl/* /etc/systemd/system/meetctl.service",
            "getent passwd meetctl",
        ]
    )
    copied = ["unshare", "--mount", "sh", "-c", IN_A_COPY, "sh", str(tmp_path), str(ROOT / "configs"), script]
    ran = subprocess.run(copied, capture_output=True, text=True)
    if "mount" in ran.stderr:
        pytest.skip(f"no copy of this machine can be made: {ran.stderr}")
    assert ran.returncode == 0, ran.stderr
    *files, user = ran.stdout.splitlines()
    assert files == [
        "/etc/meetctl/environment 600 root",
        "/etc/meetctl/roster.yaml 644 root",
        "/etc/systemd/system/meetctl.service 644 root",
    ]
    assert user.split(":")[5:] == ["/var/lib/meetctl", "/usr/sbin/nologin"]
