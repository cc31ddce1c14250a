"""What the command line says of the way in, laid over what the roster says."""

from __future__ import annotations

import pytest

from meetctl.errors import UsageError
from meetctl.roster import ReachChoice, reached_at

WRITTEN = ReachChoice(host="192.0.2.7", port=443)


def test_the_command_line_goes_before_the_roster_and_leaves_the_rest() -> None:
    assert reached_at(WRITTEN, None, None) is WRITTEN
    assert reached_at(WRITTEN, "auto", None) == ReachChoice(host="auto", port=443)
    assert reached_at(WRITTEN, None, 7443) == ReachChoice(host="192.0.2.7", port=7443)
    assert reached_at(None, "auto", 7443) == ReachChoice(host="auto", port=7443)
    assert reached_at(None, None, None) is None


@pytest.mark.parametrize("written", [None, ReachChoice(tls=True)])
def test_a_port_without_an_address_is_refused(written: ReachChoice | None) -> None:
    with pytest.raises(UsageError) as caught:
        reached_at(written, None, 7443)
    assert caught.value.hint == "add --host auto"
