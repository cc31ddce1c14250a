from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from meetctl.local.models.prompts import GO_ON, MOST_TOKENS, ChatMessage, Role, fit, tokens

ADA = ChatMessage("system", "You are Ada.")


def test_a_short_conversation_is_left_alone() -> None:
    conversation = [ADA, ChatMessage("user", "Hi."), ChatMessage("assistant", "Hello."), ChatMessage("user", "Bye.")]
    assert fit(conversation) == conversation


def test_messages_of_one_role_in_a_row_become_one() -> None:
    sent = [ADA, ChatMessage("user", "Sam: Hi."), ChatMessage("user", "Eve: Hello.")]
    assert fit(sent) == [ADA, ChatMessage("user", "Sam: Hi.\nEve: Hello.")]


def test_two_answers_at_the_end_are_followed_by_a_user_who_says_go_on() -> None:
    sent = [ChatMessage("user", "Hi."), ChatMessage("assistant", "One."), ChatMessage("assistant", "Two.")]
    assert fit(sent) == [ChatMessage("user", "Hi."), ChatMessage("assistant", "One.\nTwo."), ChatMessage("user", GO_ON)]


def test_an_instruction_between_turns_is_read_as_the_users() -> None:
    sent = [ADA, ChatMessage("assistant", "Done."), ChatMessage("system", "Greet Sam.")]
    assert fit(sent) == [ADA, ChatMessage("assistant", "Done."), ChatMessage("user", "Greet Sam.")]


def test_a_long_conversation_keeps_the_persona_and_the_last_turns() -> None:
    turns = [ChatMessage(("user", "assistant")[index % 2], f"turn {index} " + "word " * 100) for index in range(51)]
    kept = fit([ADA, *turns])
    assert kept[0] == ADA
    assert kept[1:] == turns[-len(kept) + 1 :]
    assert 3 < len(kept) < 20


def test_one_endless_message_keeps_its_end() -> None:
    kept = fit([ADA, ChatMessage("user", "noise " * 5000 + "And what is two and two?")])
    assert [message.role for message in kept] == ["system", "user"]
    assert kept[1].content.endswith("And what is two and two?")


roles = st.sampled_from(("system", "user", "assistant"))


@settings(deadline=None)  # what it takes is the machine's business
@given(st.lists(st.builds(ChatMessage, role=roles, content=st.text(max_size=3000)), max_size=20))
def test_whatever_is_sent_fits_ends_with_the_user_and_alternates(sent: list[ChatMessage]) -> None:
    kept = fit(sent)
    turns: list[Role] = [message.role for message in kept if message.role != "system"]
    assert kept[-1].role == "user"
    assert all(one != other for one, other in pairwise(turns))
    assert "system" not in [message.role for message in kept[1:]]
    assert sum(tokens(message.content) for message in kept) <= MOST_TOKENS + 0.01
