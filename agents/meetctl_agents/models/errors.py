"""What is wrong with a model that a program was told to use. Nothing a new attempt could mend."""

from __future__ import annotations

from meetctl.errors import MeetctlError


class MissingModelError(MeetctlError):
    """The assignment lacks a model that the program cannot do without."""

    code = "missing_model"


class ModelError(MeetctlError):
    """The model cannot be made as the assignment says."""

    code = "model"
