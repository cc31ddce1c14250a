"""The server as a process: how it starts, fails and ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from pathlib import Path

import openai
import psutil
import pytest
from openai.types.chat import ChatCompletionMessageParam

from meetctl.catalogue import pair
from meetctl.local.data import models_dir
from meetctl.protocol import Warn, parse_event
from testing.fixtures.models import STOPPING, running_model_server

pytestmark = pytest.mark.process

MEGABYTE = 1e6
CATALOGUE_MODEL = next(model for model in pair("tiny") if model.part == "llm")


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "meetctl.local.models", *flags]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)


def test_missing_model_data_is_one_line_that_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    ended = run("--serve", "stt=whisper-base")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert str(tmp_path / "meetctl/models/whisper-base") in ended.stderr
    assert "meetctl setup whisper-base" in ended.stderr


def test_a_model_that_is_not_there_is_served_by_the_small_one_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meetctl/models").mkdir(parents=True)
    (tmp_path / "meetctl/models/smollm2-135m").symlink_to(models_dir() / "smollm2-135m")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with running_model_server(models=("--serve=llm=qwen2.5-coder-0.5b-instruct",)) as (process, url):
        assert process.stdout is not None
        told = parse_event(process.stdout.readline())
        answer = openai.OpenAI(base_url=f"{url}/v1", api_key="any").chat.completions.create(
            model="qwen2.5-coder-0.5b-instruct", messages=[{"role": "user", "content": "Hello."}], max_tokens=2
        )
    assert isinstance(told, Warn)
    assert told.message.startswith("Qwen2.5-Coder-0.5B-Instruct is not on this machine; SmolLM2-135M-Instruct is used")
    assert answer.model == "smollm2-135m-instruct"


def test_a_file_of_ones_own_is_served_with_its_own_template_and_the_catalogue_when_it_is_asked_for() -> None:
    smol = CATALOGUE_MODEL.files[0].name
    path = str(models_dir() / CATALOGUE_MODEL.directory / smol)
    with running_model_server(models=(f"--serve=llm={path}",)) as (_, url):
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
        ask: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello."}]
        answer = client.chat.completions.create(model=path, messages=ask, max_tokens=30, temperature=0)
        assert answer.model == path
        assert "<|im_" not in (answer.choices[0].message.content or "")
        assert client.chat.completions.create(model=CATALOGUE_MODEL.name, messages=ask, max_tokens=1)
        assert {model.id for model in client.models.list()} == {"hibari-0.2.1", path, CATALOGUE_MODEL.name}
        with pytest.raises(openai.NotFoundError, match="other"):
            client.chat.completions.create(model="/some/other.gguf", messages=ask)


def test_a_broken_model_is_named_and_no_traceback(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(4096))
    ended = run("--serve", f"llm={broken}")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{broken} could not be loaded" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_named_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"port {port} of 127.0.0.1" in ended.stderr


def test_a_flag_that_makes_no_sense_is_a_usage_error() -> None:
    assert run("--slots", "0").returncode == 2


@pytest.mark.parametrize("how", ["closed stdin", "SIGTERM", "SIGINT"])
def test_it_says_one_line_listens_on_loopback_only_and_ends_when_told(how: str) -> None:
    with running_model_server("--slots", "1") as (process, url):
        assert process.stdin is not None and process.stdout is not None
        ours = [item for item in psutil.Process(process.pid).net_connections("tcp") if item.status == "LISTEN"]
        assert {item.laddr.ip for item in ours} == {"127.0.0.1"}
        assert int(url.rpartition(":")[2]) in {item.laddr.port for item in ours}
        if how == "closed stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[how])
        assert process.wait(STOPPING) == 0
        assert process.stdout.read() == b""


def test_without_being_asked_it_does_not_watch_stdin_and_ends_while_loading() -> None:
    command = [sys.executable, "-m", "meetctl.local.models"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b'{"type":"serving"')
        process.terminate()
        assert process.wait(STOPPING) == 0


async def test_memory_stays_where_it_is() -> None:
    with running_model_server("--slots", "2") as (process, url):
        server = psutil.Process(process.pid)

        async def use(client: openai.AsyncOpenAI, index: int) -> None:
            answer = await client.audio.speech.create(
                input=f"This is remark number {index}.", model="m", voice="alto", response_format="wav"
            )
            await client.audio.transcriptions.create(model="m", file=("a.wav", answer.content, "audio/wav"))
            messages: list[ChatCompletionMessageParam] = [
                {"role": "user", "content": f"Number {index}: " + "tell me about the sea and the ships " * 3}
            ]
            await client.chat.completions.create(model="m", messages=messages, max_tokens=4)

        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
            for index in range(4):
                await use(client, index)
            before = server.memory_full_info().uss
            for index in range(6):
                await asyncio.gather(use(client, 2 * index), use(client, 2 * index + 1))
            grown = server.memory_full_info().uss - before
        assert grown < 80 * MEGABYTE
        assert server.memory_full_info().uss < 1000 * MEGABYTE
