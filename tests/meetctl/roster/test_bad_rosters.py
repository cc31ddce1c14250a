"""Every way a roster can be wrong, as a table: what is written, and the line, path, message and hint that come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from meetctl.errors import ExitCode
from meetctl.roster import RosterFaults, load_roster
from meetctl.roster.faults import shown_path
from tests.meetctl.roster.conftest import Write

LIVEKIT = "livekit: {{url: '{}', api_key: k, api_secret: s}}\n"
AGENT = "agents:\n  - name: Ada\n    agent: simli\n"
"""Three lines; a table row adds the fourth."""


def faults_of(file: Path, **environment: str) -> list[tuple[int | None, str, str, str | None]]:
    with pytest.raises(RosterFaults) as caught:
        load_roster(file, environment=environment)
    return [(fault.line, shown_path(fault.path), fault.message, fault.hint) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("text", "line", "path", "message", "hint"),
    [
        # the file as YAML
        ("", None, "", "the file is empty", "agents:"),
        ("# only a comment\n", None, "", "the file is empty", "agents:"),
        ("agents: [\n", 2, "", "not YAML: expected the node content", "check the indentation"),
        ("agents:\n\t- name: Ada\n", 2, "", "not YAML: found character '\\t'", "spaces, not tabs"),
        ("livekit: {url: ${URL}}\n", 1, "", "not YAML", '"${NAME}"'),
        ("agents: [a]\n---\nagents: [b]\n", 2, "", "holds more than one document", "remove the line ---"),
        ("agents: \x07\n", 1, "", "not YAML: the character '\\x07'", "remove it"),
        ('room: "\\UFFFFFFFF"\n', None, "", "an escape names no character", "U0010FFFF"),
        ('room: "\\ud800"\n' + AGENT, 1, "room", "holds half a character", "UTF-8"),
        ("[" * 5000, None, "", "nested too deeply", "five levels"),
        ("just words\n", 1, "", 'must be a mapping, got "just words"', "begin with agents:"),
        ("- name: Ada\n", 1, "", "must be a mapping, got a list", "begin with agents:"),
        (AGENT + "    name: Eve\n", 4, "agents[0].name", "there twice, first on line 2", "remove one"),
        (AGENT + "    persona: !secret x\n", 4, "agents[0].persona", "the tag !secret is not understood", "remove"),
        ("? [a, b]\n: c\n" + AGENT, 1, "", "a key must be a word", "quotes"),
        ("room: &a [*a]\n" + AGENT, 1, "room[0]", "unfold without end", "write the values out"),
        # the top
        ("room: demo\n", 1, "agents", "is missing", "add agents: …"),
        ("agents: []\n", 1, "agents", "is empty", "add at least one item"),
        ("agents: {name: Ada}\n", 1, "agents", "must be a list, got a mapping", None),
        ("agents: Ada\n", 1, "agents", 'must be a list, got "Ada"', "write agents: [Ada]"),
        ("rooms: x\n" + AGENT, 1, "rooms", "unknown key", "did you mean room?"),
        ("zzz: x\n" + AGENT, 1, "zzz", "unknown key", "known here: room, livekit, reach, meeting, defaults, agents"),
        ("room: a b\n" + AGENT, 1, "room", "a room's name is", "room: friday-launch"),
        ("room: ..\n" + AGENT, 1, "room", "a room's name is", "room: friday-launch"),
        ("room: 12\n" + AGENT, 1, "room", "must be a text, got 12", '"12"'),
        # reach
        ("reach: auto\n" + AGENT, 1, "reach", "must be a mapping", None),
        (
            "reach: {host: auto, tls_cert: a.pem}\n" + AGENT,
            1,
            "reach.tls_cert",
            "needs tls_key beside it",
            "add tls_key",
        ),
        ("reach: {host: auto, port: 70000}\n" + AGENT, 1, "reach.port", "65535", None),
        # livekit
        ("livekit: cloud\n" + AGENT, 1, "livekit", "must be local or a mapping", "url:"),
        (
            "livekit: {url: 'http//x', api_key: k, api_secret: s}\n" + AGENT,
            1,
            "livekit.url",
            "wss://host:port",
            "ws://",
        ),
        ("livekit: {urls: x}\n" + AGENT, 1, "livekit.urls", "unknown key", "did you mean url?"),
        # meeting
        ("meeting: {floor: fre}\n" + AGENT, 1, "meeting.floor", 'moderated or free, got "fre"', "did you mean free?"),
        (
            "meeting: {max_agent_turns: 0}\n" + AGENT,
            *(1, "meeting.max_agent_turns", "must be none or a number from 1 to 1000", "max_agent_turns: 4"),
        ),
        ("meeting: {max_agent_turns: 2.5}\n" + AGENT, 1, "meeting.max_agent_turns", "none or a number", "4"),
        ("meeting: {max_agent_turns: true}\n" + AGENT, 1, "meeting.max_agent_turns", "none or a number", "4"),
        (
            "meeting: {max_agent_turns: none, opening: Ada}\n" + AGENT,
            *(1, "meeting.max_agent_turns", "may talk without end, and there is no max_duration", "max_duration: 10m"),
        ),
        ("meeting: {opening: Adda}\n" + AGENT, 1, "meeting.opening", "no agent is named 'Adda'", "did you mean Ada?"),
        ("meeting: {opening: Ludwig}\n" + AGENT, 1, "meeting.opening", "no agent is named 'Ludwig'", "there is Ada"),
        (
            "meeting: {opening: ada}\n" + AGENT + "    speaks: never\n",
            *(1, "meeting.opening", "Ada never speaks", "remove its speaks: never"),
        ),
        (
            "meeting: {opening: X}\nagents:\n  - {name: X, command: [x]}\n",
            *(1, "meeting.opening", "X is a command, which is outside the floor", "agent: audio"),
        ),
        ("meeting: {max_duration: soon}\n" + AGENT, 1, "meeting.max_duration", "not a duration", "1h30m"),
        ("meeting: {max_duration: 25h}\n" + AGENT, 1, "meeting.max_duration", "must be at most 86400", "86400"),
        ("meeting: {transcript: no}\n" + AGENT, 1, "meeting.transcript", "files, memory or off", "write files"),
        ("meeting:\n  topics: x\n" + AGENT, 2, "meeting.topics", "unknown key", "did you mean topic?"),
        # models
        ("defaults: {llm: local/tini}\n" + AGENT, 1, "defaults.llm", "no local language model is named", "local/tiny?"),
        ("defaults: {stt: local/zzz}\n" + AGENT, 1, "defaults.stt", "no local transcription is named", "my-whisper"),
        (
            "defaults: {llm: {provider: local, model: ./none.gguf}}\n" + AGENT,
            *(1, "defaults.llm", "no such file: ", "relative to the roster"),
        ),
        (
            "defaults: {stt: {provider: local, model: ./none/}}\n" + AGENT,
            *(1, "defaults.stt", "no such directory: ", "model.bin"),
        ),
        (
            "agents: [{name: Max, agent: audio, examples: [{asked: x, answer: ''}]}]\n",
            *(1, "agents[0].examples[0].answer", "must be a text of 1 to 300 characters", "asked"),
        ),
        ("defaults: {llm: openai}\n" + AGENT, 1, "defaults.llm", "openai needs a model", "openai/gpt-4o-mini"),
        ("defaults: {llm: opena/x}\n" + AGENT, 1, "defaults.llm", "no plugin is named 'opena'", "did you mean openai?"),
        (
            "defaults: {tts: zzz/x}\n" + AGENT,
            *(1, "defaults.tts", "no plugin is named 'zzz'", "if it exists: pip install livekit-plugins-zzz"),
        ),
        (
            "defaults: {tts: cartesia/sonic-2}\n" + AGENT,
            *(1, "defaults.tts", "plugin for cartesia is not installed", "pip install livekit-plugins-cartesia~="),
        ),
        (
            "defaults: {tts: minimax/x}\n" + AGENT,
            *(1, "defaults.tts", "plugin for minimax is not installed", "pip install livekit-plugins-minimax-ai~="),
        ),
        (
            "defaults: {llm: deepgram/x}\n" + AGENT,
            *(1, "defaults.llm", "deepgram has no language model", "write local, or one of openai"),
        ),
        (
            "defaults: {stt: deepgram/nova-3}\n" + AGENT,
            *(1, "defaults.stt.api_key", "DEEPGRAM_API_KEY is not set", "export DEEPGRAM_API_KEY=…"),
        ),
        (
            "defaults: {llm: ollama/llama3.2}\n" + AGENT,
            *(
                1,
                "defaults.llm",
                "ollama speaks OpenAI's HTTP API",
                "{provider: openai, model: llama3.2, base_url: http",
            ),
        ),
        ("defaults: {llm: ../x}\n" + AGENT, 1, "defaults.llm", "'..' cannot name a provider", "openai/gpt-4o-mini"),
        ("defaults: {llm: 3}\n" + AGENT, 1, "defaults.llm", "must be a mapping, got 3", "below llm:"),
        ("defaults: {llm: {model: x}}\n" + AGENT, 1, "defaults.llm.provider", "is missing", "add provider: …"),
        (
            "defaults: {llm: {provider: local, base_url: 'http://x/v1'}}\n" + AGENT,
            *(1, "defaults.llm", "local has its own address", "provider: openai"),
        ),
        (
            "defaults:\n  llm: {provider: openai, model: x, base_url: 'ftp://x'}\n" + AGENT,
            *(2, "defaults.llm.base_url", "must be an address like https://host:port", "begin with https://"),
        ),
        (
            "defaults: {llm: openai/x}\n" + AGENT,
            1,
            "defaults.llm.api_key",
            "OPENAI_API_KEY is not set",
            "export OPENAI",
        ),
        # entries
        ("agents:\n  - agent: audio\n", 2, "agents[0].name", "is missing", "add name: …"),
        ("agents:\n  - name: ' '\n    agent: audio\n", 2, "agents[0].name", "a name cannot be empty", "name: Ada"),
        (
            "agents:\n  - name: 李\n    agent: audio\n",
            2,
            "agents[0].name",
            "no identity can be made",
            "identity: agent-1",
        ),
        (
            "agents:\n  - name: Chair\n    agent: audio\n",
            2,
            "agents[0].name",
            "one of the meeting's own",
            "chair-agent",
        ),
        ("agents:\n  - name: 7\n    agent: audio\n", 2, "agents[0].name", "must be a text, got 7", '"7"'),
        ("agents: [Ada]\n", 1, "agents[0]", 'must be a mapping, got "Ada"', "below agents:"),
        ("agents:\n  - name: Ada\n", 2, "agents[0]", "has neither agent nor command", "agent: audio"),
        (
            "agents:\n  - name: Ada\n    agent: audoi\n",
            *(3, "agents[0].agent", 'must be simli or audio, got "audoi"', "did you mean audio?"),
        ),
        (AGENT + "    command: [x]\n", 4, "agents[0].command", "agent or command, not both", "remove one"),
        (AGENT + "    persna: x\n", 4, "agents[0].persna", "unknown key", "did you mean persona?"),
        (AGENT + "    persona: [x]\n", 4, "agents[0].persona", "must be a text, got a list", "persona: …"),
        (AGENT + "    identity: ''\n", 4, "agents[0].identity", "an identity is 1 to 64", "identity: ada"),
        (AGENT + "    identity: CHAIR\n", 4, "agents[0].identity", "one of the meeting's own", "-agent"),
        (AGENT + "    speaks: freel\n", 4, "agents[0].speaks", "on-address, freely or never", "did you mean freely?"),
        (AGENT + "    restart: maybe\n", 4, "agents[0].restart", "on-failure, always or no", "on-failure"),
        (AGENT + "    limits: {memory: 500}\n", 4, "agents[0].limits.memory", "not an amount of memory", "500MB"),
        (AGENT + "    limits: {memory: 1KB}\n", 4, "agents[0].limits.memory", "must be from 1MB", "500MB"),
        (AGENT + "    limits: {memry: 1GB}\n", 4, "agents[0].limits.memry", "unknown key", "did you mean memory?"),
        (AGENT + "    budget: {llm_tokens: 0}\n", 4, "agents[0].budget.llm_tokens", "at least 1", "write 1"),
        (AGENT + "    budget: {tokens: 9}\n", 4, "agents[0].budget.tokens", "unknown key", "did you mean llm_tokens?"),
        (
            "agents:\n  - name: X\n    agent: audio\n    budget: {avatar_seconds: 9}\n",
            *(4, "agents[0].budget.avatar_seconds", "an audio agent has no avatar", "remove"),
        ),
        (
            "agents:\n  - name: X\n    command: [x]\n    budget: {llm_tokens: 9}\n",
            *(4, "agents[0].budget", "a command does not tell what it uses", "limits: {memory: …}"),
        ),
        ("meeting: {idle_timeout: soon}\n" + AGENT, 1, "meeting.idle_timeout", "not a duration", "5m"),
        (AGENT + "    voice: {pitch: 9}\n", 4, "agents[0].voice.pitch", "must be at most 2.0, got 9", "write 2.0"),
        (AGENT + "    voice: {pitch: .nan}\n", 4, "agents[0].voice.pitch", 'must be a number, got ".nan"', "pitch"),
        (AGENT + "    voice: {pitch: 1e999}\n", 4, "agents[0].voice.pitch", "not infinite", None),
        (
            AGENT + "    voice: {pitch: 1.1}\n    tts: {provider: deepgram, api_key: k}\n",
            *(4, "agents[0].voice.pitch", "belongs to the local voice, not to deepgram's", "remove pitch"),
        ),
        (AGENT + "    voice: {pith: 1}\n", 4, "agents[0].voice.pith", "unknown key", "did you mean pitch?"),
        (AGENT + "    cwd: x\n", 4, "agents[0].cwd", "belongs to an entry with command", "remove cwd"),
        (AGENT + "    start_timeout: 3m\n", 4, "agents[0].start_timeout", "belongs to an entry with command", "remove"),
        (AGENT + "    start_timeout: soon\n", 4, "agents[0].start_timeout", "not a duration", "write 90s, 5m or 1h30m"),
        (
            AGENT + "    livekit_api_credentials: perhaps\n",
            *(4, "agents[0].livekit_api_credentials", 'must be true or false, got "perhaps"', None),
        ),
        (AGENT + "    env: {A-B: x}\n", 4, "agents[0].env", "'A-B' cannot name a variable", "letters"),
        (AGENT + "    env: {A: }\n", 4, "agents[0].env.A", "must be a text, got nothing", None),
        (AGENT + "    env_file: none.env\n", 4, "agents[0].env_file", "no such file", "create it"),
        (AGENT + "    persona: $5\n", 4, "agents[0].persona", "'$5' names no variable", "$$"),
        (AGENT + "    persona: ${WHO}\n", 4, "agents[0].persona", "variable WHO is not set", "export WHO=…"),
        ("agents:\n  - name: X\n    command: run it\n", 3, "agents[0].command", "must be a list", "[run, it]"),
        ("agents:\n  - name: X\n    command: []\n", 3, "agents[0].command", "names no program", "[python"),
        (
            "agents:\n  - name: X\n    command: [x]\n    cwd: gone\n",
            4,
            "agents[0].cwd",
            "no such directory",
            "relative",
        ),
        # faces
        (AGENT + "    face: ./ada.png\n", 4, "agents[0].face", "a picture as a face is not yet in", "face: local"),
        (AGENT + "    face: abc\n", 4, "agents[0].face", "must be local or a mapping", "{face_id: abc}"),
        (AGENT + "    face: {api_key: k}\n", 4, "agents[0].face.face_id", "is missing", "add face_id"),
        (
            AGENT + "    face: {provider: local, face_id: f}\n",
            *(4, "agents[0].face", "a local face has no face_id", "provider: simli"),
        ),
        (AGENT + "    face: {faceid: k, api_key: k}\n", 4, "agents[0].face.faceid", "unknown key", "face_id"),
        (
            AGENT + "    face: {face_id: f, api_key: k, transport: direct}\n",
            *(4, "agents[0].face.transport", "a local LiveKit server cannot be reached by Simli", "transport: bridge"),
        ),
        (
            LIVEKIT.format("ws://192.168.1.5:7880") + AGENT + "    face: {face_id: f, api_key: k, transport: direct}\n",
            *(5, "agents[0].face.transport", "LiveKit server 192.168.1.5 cannot be reached", "transport: auto"),
        ),
        (
            LIVEKIT.format("wss://x.livekit.cloud")
            + AGENT
            + "    face: {face_id: f, api_key: k, transport: direct}\n"
            + "  - {name: B, identity: ada-avatar, agent: audio}\n",
            *(5, "agents[0].face.transport", "the avatar would be 'ada-avatar'", "another identity"),
        ),
        (
            AGENT + "    face: {face_id: f, api_key: k, api: legacy, transport: direct}\n",
            *(4, "agents[0].face", "api: legacy has no transport: direct", "api: compose"),
        ),
        (
            AGENT + "    face: {face_id: f, api_key: k, api: webrtc}\n",
            *(4, "agents[0].face.api", "compose", None),
        ),
        (
            AGENT + "    face: {face_id: f, api_key: k, max_idle: soon}\n",
            *(4, "agents[0].face.max_idle", "not a duration", "1h30m"),
        ),
        (
            AGENT + "    face:\n      face_id: f\n",
            *(4, "agents[0].face.api_key", "is not given and SIMLI_API_KEY is not set", "export SIMLI_API_KEY"),
        ),
        (
            "agents:\n  - name: Max\n    agent: audio\n    face: local\n",
            *(4, "agents[0].face", "an audio agent shows no face", "agent: simli"),
        ),
        # models
        (AGENT + "    llm: []\n", 4, "agents[0].llm", "names nobody", "[openai/gpt-4o-mini, local]"),
        (AGENT + "    llm: [local, [local]]\n", 4, "agents[0].llm", "a list within a list", "one list"),
        (
            AGENT + "    llm: {provider: local, fallbacks: [local]}\n",
            *(4, "agents[0].llm", "fallbacks are written as a list", "[openai/gpt-4o-mini, local]"),
        ),
        (
            AGENT + "    llm: [local, openai/gpt-4o-mini]\n",
            *(4, "agents[0].llm[1].api_key", "is not given and OPENAI_API_KEY is not set", "export OPENAI_API_KEY"),
        ),
        (
            AGENT + "    llm: {provider: openai, model: m, base_url: 'http://127.0.0.1:9/v1/chat/completions'}\n",
            *(4, "agents[0].llm.base_url", "ends in /chat/completions", "base_url: http://127.0.0.1:9/v1"),
        ),
        # language
        ("meeting: {language: Germann}\n" + AGENT, 1, "meeting.language", "no language is called", "did you mean de?"),
        ("meeting: {language: xx-YY}\n" + AGENT, 1, "meeting.language", "no language is called 'xx-YY'", "ISO 639-1"),
        # together
        (
            AGENT + "  - name: ADA\n    agent: audio\n",
            *(4, "agents[1].name", "the name 'ADA' is taken by agents[0]", "another name"),
        ),
        (
            AGENT + "  - name: Áda\n    agent: audio\n",
            *(4, "agents[1].name", "the name 'Áda' is taken by agents[0]", "another name"),
        ),
        (
            AGENT + "  - name: Bob\n    agent: audio\n    identity: ada\n",
            *(6, "agents[1].identity", "the identity 'ada' is taken by agents[0]", "identity: ada-2"),
        ),
    ],
)
def test_a_wrong_roster_says_where_what_and_what_to_type(
    write: Write, text: str, line: int | None, path: str, message: str, hint: str | None
) -> None:
    faults = faults_of(write(text))
    matching = [fault for fault in faults if fault[0] == line and fault[1] == path and message in fault[2]]
    assert matching, faults
    if hint is not None:
        assert hint in (matching[0][3] or ""), matching


def test_one_fault_is_a_line_with_file_line_and_path_and_its_hint_apart(write: Write) -> None:
    file = write(AGENT + "    persna: x\n")
    with pytest.raises(RosterFaults) as caught:
        load_roster(file, environment={})
    assert caught.value.message == f"{file}:4: agents[0].persna: unknown key"
    assert caught.value.hint == "did you mean persona?"
    assert (caught.value.code, caught.value.exit_code) == ("roster", ExitCode.USAGE)


def test_all_faults_come_at_once_in_the_order_of_the_file(write: Write) -> None:
    text = """\
room: a b
meeting: {floor: fre, topics: x}
defaults: {llm: deepgram/x}
agents:
  - name: Ada
    agent: simly
    persna: x
    face: {face_id: f}
  - name: ada
    agent: audio
    persona: ${WHO} and ${ELSE}
    env_file: none.env
"""
    file = write(text)
    assert [(line, path) for line, path, _, _ in faults_of(file)] == [
        (1, "room"),
        (2, "meeting.floor"),
        (2, "meeting.topics"),
        (3, "defaults.llm"),
        (6, "agents[0].agent"),
        (7, "agents[0].persna"),
        (8, "agents[0].face.api_key"),
        (9, "agents[1].name"),
        (11, "agents[1].persona"),
        (11, "agents[1].persona"),
        (12, "agents[1].env_file"),
    ]
    with pytest.raises(RosterFaults) as caught:
        load_roster(file, environment={})
    assert len(caught.value.message.splitlines()) == 11
    assert caught.value.hint == f"mend these 11 and try: meetctl check {file}"


def test_no_message_repeats_a_key_or_a_value_that_came_from_a_variable(write: Write) -> None:
    secret = "sk-very-secret-value"
    text = f"""\
livekit: {{url: "${{SECRET}}", api_key: [1], api_secret: 123456789}}
room: "${{SECRET}} x"
agents:
  - name: Ada
    agent: "${{SECRET}}"
    voice: {{pitch: "${{SECRET}}"}}
    face: {{face_id: f, api_key: 987654321, url: "{secret}"}}
"""
    with pytest.raises(RosterFaults) as caught:
        load_roster(write(text), environment={"SECRET": secret})
    everything = f"{caught.value} {caught.value.hint} {caught.value.faults}"
    assert len(caught.value.faults) >= 7
    assert secret not in everything
    assert "123456789" not in everything
    assert "987654321" not in everything


def test_a_broken_line_of_an_env_file_is_named_and_not_repeated(write: Write, tmp_path: Path) -> None:
    (tmp_path / "max.env").write_text("A=1\nsecret words\n", encoding="utf-8")
    [(line, path, message, _)] = faults_of(write(AGENT + "    env_file: max.env\n"))
    assert (line, path, message) == (4, "agents[0].env_file", f"{tmp_path / 'max.env'}:2 is not NAME=VALUE")
