"""A model that fails is reported once in a while, and once when it works again."""

from __future__ import annotations

from meetctl_agents.models.speech_faults import LANGUAGE, SPEECH, SpeechFaults

from meetctl.protocol import Model, Recovered, Warn


def test_what_works_again_is_reported_once_and_only_if_it_had_failed() -> None:
    reported: list[Model] = []
    faults = SpeechFaults(reported.append)
    faults.works(LANGUAGE, SPEECH)
    assert reported == []
    faults.warn(LANGUAGE, TimeoutError("nothing came"))
    faults.warn(LANGUAGE, TimeoutError("nothing came"))
    faults.works(SPEECH)
    [warning] = reported
    assert isinstance(warning, Warn) and warning.about == LANGUAGE
    faults.works(LANGUAGE, SPEECH)
    faults.works(LANGUAGE, SPEECH)
    assert reported[1:] == [Recovered(about=LANGUAGE)]
    faults.warn(LANGUAGE, TimeoutError("nothing came"))
    assert len(reported) == 3, "what fails anew is told at once"
