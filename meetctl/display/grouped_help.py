"""What `--help` prints: commands in groups, each text a sentence that fits into a line of 80 columns; plain usage."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

RUN, WATCH, DIRECT, PREPARE, PROVE = "Run", "Watch", "Direct", "Prepare", "Prove"
GROUPS = (RUN, WATCH, DIRECT, PREPARE, PROVE)


class PlainUsage(TyperCommand):
    """Writes what must be given as it is, without Typer's braces: `{ROSTER}` reads as a choice of one."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Returns the pieces of the usage line."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class GroupedCommands(TyperGroup):
    """Lists commands under the name of their panel, in the order of `GROUPS`."""

    # Context and formatter are click's, or those of the copy of click that newer Typers carry.
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Writes each group as a section of its own."""
        commands = {name: command for name in self.list_commands(ctx) if (command := self.get_command(ctx, name))}
        limit = formatter.width - 6 - max(map(len, commands))
        for group in GROUPS:
            rows = [
                (name, command.get_short_help_str(limit))
                for name, command in commands.items()
                if getattr(command, "rich_help_panel", None) == group
            ]
            with formatter.section(group):
                formatter.write_dl(rows)
