"""What a model writes about itself as on a stage is not said."""

from __future__ import annotations

import pytest
from meetctl_agents.text.stage_directions import StageDirections


def left(text: str, size: int) -> str:
    stage = StageDirections()
    pieces = [stage.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*pieces, stage.finish()])


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "*clears throat* Good morning everybody. (smiles warmly) The harbour is open. [laughs]",
            "Good morning everybody. The harbour is open.",
        ),
        ("*nods*", ""),
        ("(laughing) That is good.", "That is good."),
        ("That is fine (laughs) and so on.", "That is fine and so on."),
        ("[softly] We can wait.", "We can wait."),
        ("_sighs_ Again?", "Again?"),
        ("*looks at Max and smiles* Shall we?", "Shall we?"),
        ("（笑）好的。", "好的。"),
        ("I *really* mean it.", None),
        ("**Ship it** today.", None),
        ("*Important*: ship it.", None),
        ("It costs ten (about nine euros) a month.", None),
        ("It is done. (this is the second part) We go on.", None),
        ("See [the page](x) and [1].", None),
        ("[the page](x) has more.", None),
        ("* one\n* two", None),
        ("2 * 3 * 4 is 24.", None),
        ("f(things) is a call.", None),
        ("The plan (as is) stays.", None),
    ],
)
def test_what_is_said_is_left_however_it_arrives(text: str, said: str | None, size: int) -> None:
    assert left(text, size).split() == (text if said is None else said).split()
