"""What a program logs holds none of its secrets, in whatever form they turn up."""

from __future__ import annotations

import base64
import logging

from meetctl_agents.process.masking import MaskingFormatter, masker_of
from pydantic import SecretStr

from meetctl.protocol import Endpoint, ToolRules

KEY, OTHER = "sk-1234567", "hunter22"


def test_every_secret_of_a_model_is_masked_however_deep_it_lies_and_however_it_is_written() -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1:9", api_key=SecretStr(KEY), model="any")
    mask = masker_of((endpoint, ToolRules(secrets=(SecretStr(OTHER),))))
    written = base64.b64encode(KEY.encode()).decode().rstrip("=")
    assert mask(f"{KEY}, {OTHER}, {written} of any") == "•••, •••, ••• of any"


def test_a_log_line_and_its_traceback_hold_no_secret_and_no_access_token() -> None:
    formatter = MaskingFormatter("%(message)s")
    formatter.mask = masker_of(SecretStr(KEY))
    try:
        raise ValueError(f"refused: {KEY}")
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
    text = "joins with eyJhbGciOiJIUzI1NiJ9.eyJpZGVudGl0eSI6ImFkYSJ9.c2lnbmF0dXJl"
    line = formatter.format(logging.LogRecord("any", logging.ERROR, __file__, 1, text, (), told))
    assert line.startswith("joins with •••\n")
    assert "refused: •••" in line and KEY not in line
