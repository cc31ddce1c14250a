"""Makes findings of what was measured on this machine. Pure: what was measured is handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from meetctl.catalogue import PAIRS, pair
from meetctl.doctor.findings import Finding, Interface, Proxy, Socket, failure, ok, warning
from meetctl.doctor.memory import needed_mb

SKEW_NOTICED_S = 5.0
"""The Date header counts whole seconds, and the answer was under way for a while."""
SKEW_REFUSED_S = 30.0
"""LiveKit lets a token be a minute early or late; what is left is for the way there."""
MEMORY_TIGHT = 0.8
"""Of what is free: beyond it the machine begins to swap, and voices stutter."""

_BRIDGES = re.compile(r"docker\d*|br-[0-9a-f]+|veth|virbr|cni|podman|lxc|vboxnet|vmnet")
_PLACEHOLDER = re.compile(r"(?i)^(<.*>|\.{3}|…|x{3,}|your[-_ ].*|.*[-_ ]here|changeme|todo|secret|key|none|null)$")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*([^;]*)(;.*)?$")
_LIVEKIT = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
KEYS = (*_LIVEKIT, "OPENAI_API_KEY", "SIMLI_API_KEY", "SIMLI_FACE_ID")


def judge_sockets(sockets: Iterable[Socket]) -> Iterator[Finding]:
    """Yields whether ports can be had and datagrams arrive."""
    for socket in sockets:
        name = f"{socket.what} on {socket.address}"
        if socket.error is None:
            yield ok("ports", name)
        elif socket.address.startswith("127."):
            hint = "a firewall or sandbox forbids it: a meeting needs free ports on 127.0.0.1, TCP and UDP"
            yield failure("ports", f"{name}: {socket.error}", hint)
        else:
            hint = "media from and to other machines goes through it: allow UDP there"
            yield warning("ports", f"{name}: {socket.error}", hint)


def judge_interfaces(interfaces: Sequence[Interface]) -> Iterator[Finding]:
    """Yields which addresses are offered as ICE candidates, and which of them lead nowhere."""
    bridges = [each for each in interfaces if _BRIDGES.match(each.name)]
    others = [each for each in interfaces if each not in bridges]
    told = ", ".join(f"{each.address} ({each.name})" for each in others)
    yield ok(
        "ice", f"host candidates: {told}" if told else "no network but loopback: enough for a meeting on this machine"
    )
    if bridges:
        told = ", ".join(f"{each.name} {each.address}" for each in bridges)
        hint = (
            f"if an avatar or a LiveKit server elsewhere takes seconds to connect: ip link set {bridges[0].name} down"
        )
        yield warning("ice", f"bridges to containers or virtual machines are offered too: {told}", hint)


def judge_server(path: str | None, version: str | None, warnings: Sequence[str], pinned: str) -> Iterator[Finding]:
    """Yields where livekit-server is and whether it is the version that everything is tested with."""
    if path is None:
        hint = "meetctl setup fetches it now, else the first `meetctl up` does"
        yield warning("livekit-server", f"none on this machine; {pinned} is needed", hint)
        return
    if version == pinned:
        yield ok("livekit-server", f"{version} at {path}")
    for text in warnings:
        yield warning("livekit-server", text, f"put {pinned} on PATH, or nothing: meetctl setup then fetches it")


def judge_libraries(requirements: Iterable[str], installed: Mapping[str, str]) -> Iterator[Finding]:
    """Yields whether what meetctl is made of is there, in versions it knows.

    Args:
        requirements: as in its package metadata: `aiortc>=1.16,<1.17`.
        installed: versions by lower-case name.
    """
    good = []
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None or (match[3] and "extra" in match[3]):
            continue
        name, wanted = match[1], match[2].strip(" ()")
        version = installed.get(name.lower())
        if version is None:
            yield failure("libraries", f"{name} is not installed", f"python -m pip install '{name}{wanted}'")
        elif not _satisfies(version, wanted):
            hint = f"python -m pip install '{name}{wanted}'"
            yield warning("libraries", f"{name} {version} is not what meetctl is tested with ({wanted})", hint)
        else:
            good.append(f"{name} {version}")
    if good:
        yield ok("libraries", ", ".join(good))


def names_of(requirements: Iterable[str]) -> list[str]:
    """Returns the names of the packages."""
    return [match[1] for requirement in requirements if (match := _REQUIREMENT.match(requirement))]


def judge_keys(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yields which keys are set, by name alone; a value is looked at and never told."""
    there = [name for name in KEYS if environment.get(name)]
    yield ok("keys", f"set: {', '.join(there)}" if there else "none set: everything local needs none")
    for name in there:
        value = environment[name]
        if value != value.strip():
            yield warning("keys", f"{name} begins or ends with blanks", f"set {name} again, without them")
        elif _PLACEHOLDER.match(value):
            yield warning("keys", f"{name} looks like a placeholder", f"export {name}=…")
    if 0 < len(missing := [name for name in _LIVEKIT if name not in there]) < len(_LIVEKIT):
        hint = "export " + " ".join(f"{name}=…" for name in missing)
        yield warning("keys", f"{', '.join(missing)} is not set, and LIVEKIT_* count only together", hint)


def judge_proxies(proxies: Iterable[Proxy]) -> Iterator[Finding]:
    """Yields which proxies the environment names, what they are for, and whether they are there."""
    for proxy in proxies:
        told = f"{proxy.variable} names {proxy.address}"
        if proxy.error is not None:
            hint = f"start it, or unset {proxy.variable}: whatever is elsewhere is asked through it"
            yield warning("proxies", f"{told}: {proxy.error}", hint)
        elif not proxy.address.startswith("http://"):
            hint = f"name an http:// proxy in {proxy.variable}: LiveKit and Simli are reached through no other"
            yield warning("proxies", f"{told}, which is no http:// proxy", hint)
        elif proxy.variable.upper() == "ALL_PROXY":
            hint = "export HTTPS_PROXY with the same value"
            yield warning("proxies", f"{told}, which only the OpenAI-compatible models are asked through", hint)
        else:
            yield ok("proxies", f"{told}, for what is elsewhere; servers on this machine are reached directly")


def judge_models(missing: Sequence[tuple[str, int, str | None]]) -> Finding:
    """Returns whether the local models' data is there.

    Args:
        missing: names, sizes in bytes, and what is used in their place meanwhile, if anything.
    """
    if not missing:
        return ok("models", "the local models are in the cache")
    size = sum(size for _, size, _ in missing) / 1e6
    message = f"not in the cache: {' and '.join(name for name, _, _ in missing)} ({size:.0f} MB)"
    instead = [f"{other} is used in place of {name}" for name, _, other in missing if other is not None]
    hint = "meetctl setup fetches them now, else the first `meetctl up` does"
    return warning("models", "; ".join([message, *instead]), hint)


def judge_pairs(cores: int, free_mb: float, rest_mb: float) -> Finding:
    """Returns which of `local` and `local/tiny` this machine can carry, and what each costs.

    Args:
        rest_mb: what the meeting takes without any model.
    """
    told = {name: _pair_told(name, rest_mb) for name in PAIRS}
    fitting = [
        name
        for name in PAIRS
        if cores >= max(model.cores for model in pair(name)) and free_mb * MEMORY_TIGHT >= _pair_mb(name) + rest_mb
    ]
    here = f"this machine has {cores} core{'s' * (cores != 1)} and {free_mb / 1000:.1f} GB free"
    if "" in fitting:
        return ok("models", f"{here}: it can carry {told['']}; {told['tiny']}")
    hint = "write llm: local/tiny and stt: local/tiny under defaults:"
    if "tiny" in fitting:
        return warning("models", f"{here}: it can carry {told['tiny']}, not {told['']}", hint)
    return warning("models", f"{here}: too little for {told['tiny']}, and for {told['']}", "use models elsewhere")


def _pair_told(name: str, rest_mb: float) -> str:
    models = [model for model in pair(name) if model.part != "tts"]
    costs = ", ".join(f"{model.title} {model.pace}" for model in models)
    cores = max(model.cores for model in models)
    needs = f"{_pair_mb(name) / 1000:.1f} GB of memory, {(_pair_mb(name) + rest_mb) / 1000:.1f} with the meeting"
    needs += f", and {cores} cores" if cores > 1 else ""
    return f"local{'/' * bool(name)}{name} (takes {needs}; {costs})"


def _pair_mb(name: str) -> int:
    return needed_mb((), models=pair(name), local_faces=0) - needed_mb((), models=(), local_faces=0)


def judge_memory(needed_mb: float, free_mb: float, for_whom: str) -> Finding:
    """Returns whether the meeting fits into what is free."""
    message = f"{for_whom} take some {needed_mb:.0f} MB; {free_mb:.0f} MB are free"
    if needed_mb > free_mb:
        return failure("memory", message, "seat fewer agents (`--only`), or use models elsewhere: llm, tts and stt")
    if needed_mb > MEMORY_TIGHT * free_mb:
        return warning("memory", message, "close something: a machine that swaps makes voices stutter")
    return ok("memory", message)


def judge_clock(server: str, skew_s: float | None) -> Finding:
    """Returns whether this machine's clock agrees with a server's; tokens carry times."""
    if skew_s is None:
        return ok("clock", f"{server} does not tell its time")
    ahead = "behind" if skew_s > 0 else "ahead of"
    message = f"this machine's clock is {abs(skew_s):.0f} s {ahead} that of {server}"
    if abs(skew_s) <= SKEW_NOTICED_S:
        return ok("clock", f"this machine's clock agrees with that of {server}")
    hint = "timedatectl set-ntp true, or set the clock by hand"
    if abs(skew_s) <= SKEW_REFUSED_S:
        return warning("clock", message, hint)
    return failure("clock", f"{message}: tokens will be refused", hint)


def _satisfies(version: str, wanted: str) -> bool:
    have = _numbers(version)
    for clause in filter(None, (part.strip() for part in wanted.split(","))):
        operator = clause.rstrip("0123456789.*abcrdevpost+-")
        limit = _numbers(clause[len(operator) :])
        size = max(len(have), len(limit))
        mine, theirs = have + (0,) * (size - len(have)), limit + (0,) * (size - len(limit))
        holds = {
            ">=": mine >= theirs,
            "<": mine < theirs,
            "==": mine == theirs,
            "<=": mine <= theirs,
            ">": mine > theirs,
        }
        if not holds.get(operator, True):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0]))
