"""Prints what the doctor finds of a proxy in front: `python -m tests.programs.doctor_of_reach PUBLIC_URL PORT`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from meetctl.doctor.reach import look_at_reach
from meetctl.roster import ReachChoice
from meetctl.roster.public_url import parse_public_url

choice = ReachChoice(host="auto", port=int(sys.argv[2]), public_url=parse_public_url(sys.argv[1]))
with tempfile.TemporaryDirectory() as state:
    findings = look_at_reach(choice, Path(state))
print(json.dumps({finding.message: finding.level for finding in findings}))
