"""What is wrong with a Python file of tools, as far as its syntax tree tells. Runs nothing of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from meetctl.roster.faults import FileTrouble

DECORATOR = "function_tool"
MAX_BYTES = 1_000_000


def read_tool_file(path: Path) -> tuple[dict[str, int], list[FileTrouble]]:
    """Returns the tools that the file's syntax tree names, each with its line, and what is wrong with it."""
    tree = _parsed(path)
    if isinstance(tree, FileTrouble):
        return {}, [tree]
    named: dict[str, int] = {}
    troubles = []
    for name, line in _tools_of(tree):
        if name in named:
            message = f"{path}:{line} the tool {name!r} is there twice, first on line {named[name]}"
            troubles.append(FileTrouble(message, "give one of them another name"))
        named.setdefault(name, line)
    return named, troubles


def _parsed(path: Path) -> ast.Module | FileTrouble:
    try:
        if path.stat().st_size > MAX_BYTES:
            return FileTrouble(f"{path} is larger than {MAX_BYTES // 1000} kB", "name a Python file")
        return ast.parse(path.read_bytes(), str(path))
    except FileNotFoundError:
        return FileTrouble(f"no such file: {path}", "it is relative to the roster")
    except OSError as error:
        return FileTrouble(f"{path} cannot be read: {error.strerror}", f"ls -l {path}")
    except (SyntaxError, ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
        words = error.msg if isinstance(error, SyntaxError) else str(error)
        return FileTrouble(f"{path}:{line} is no Python: {words}", f"python {path} says the same")


def _tools_of(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, int]]:
    """Yields those at the top of a module or a class; what is made while it runs, only the doctor sees."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if _is_tool(decorator):
                    yield _name_given(decorator) or node.name, node.lineno


def _is_tool(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name == DECORATOR


def _name_given(decorator: ast.expr) -> str | None:
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str):
            return keyword.value.value
    return None


HEARING = frozenset({"stt_node", "on_user_turn_completed", "realtime_audio_output_node"})
"""Hooks of a class that cannot be honoured: the chair hears, and decides whose turn it is."""


TASK = "Task"
"""How livekit-agents' classes are called that take a conversation over until they have what they want."""
MADE = frozenset({"llm_node", "tts_node"})
"""Hooks that make what a realtime model makes itself."""


def nodes_of_class(path: Path, name: str) -> list[str]:
    """Returns the hooks of a class by which it makes its words and sound itself."""
    tree = _parsed(path)
    classes = () if isinstance(tree, FileTrouble) else tree.body
    found = next((one for one in classes if isinstance(one, ast.ClassDef) and one.name == name), None)
    methods = () if found is None else found.body
    return [one.name for one in methods if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name in MADE]


def read_agent_class(path: Path, name: str) -> tuple[dict[str, int], list[FileTrouble]]:
    """Returns the tools that a class of the file has, each with its line, and what is wrong with it."""
    tree = _parsed(path)
    if isinstance(tree, FileTrouble):
        return {}, [tree]
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    found = classes.get(name)
    if found is None:
        there = ", ".join(classes) or "none"
        return {}, [FileTrouble(f"{path.name} has no class named {name!r}", f"its classes: {there}")]
    if not found.bases:
        return {}, [FileTrouble(f"{name} is no Agent", f"write class {name}(Agent): with livekit-agents' Agent")]
    methods = [node for node in found.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    troubles = [
        FileTrouble(f"{name}.{one.name} cannot be honoured: the chair hears, for everybody", f"remove {one.name}")
        for one in methods
        if one.name in HEARING
    ]
    for one in methods:
        needed = len(one.args.args) - 1 - len(one.args.defaults) + one.args.kw_defaults.count(None)
        if one.name == "__init__" and needed > 0:
            troubles.append(FileTrouble(f"{name} cannot be made without arguments", "give them defaults"))
        troubles += _takeovers(one, name, {other.name for other in classes.values() if _is_agent(other)})
    return dict(_tools_of(found)), troubles


def _takeovers(method: ast.FunctionDef | ast.AsyncFunctionDef, name: str, classes: set[str]) -> Iterator[FileTrouble]:
    """Yields how a method would give the conversation to another agent: who is next is the meeting's to say."""
    where = f"{name}.{method.name}"
    is_tool = any(_is_tool(decorator) for decorator in method.decorator_list)
    for node in ast.walk(method):
        called = _called(node.value) if isinstance(node, ast.Await) else ""
        if called[:1].isupper() and called.endswith(TASK) and called != TASK:
            message = f"{where} awaits {called}, which would talk to the people in this agent's place"
            yield FileTrouble(message, "have the tool take what it needs as its arguments")
        elif is_tool and isinstance(node, ast.Return) and _called(node.value) in classes:
            message = f"{where} returns another agent, and who is next is the meeting's to say"
            yield FileTrouble(message, "remove it; hand_over: true lets an agent pass a question on")


def _is_agent(node: ast.ClassDef) -> bool:
    names = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
    return any(
        (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")).endswith(("Agent", "AgentTask"))
        for base in names
    )


def _called(node: ast.expr | None) -> str:
    """Returns the last name of what is called; empty where nothing is."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
