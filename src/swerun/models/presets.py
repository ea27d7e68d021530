"""The endpoints that many use: their addresses, their keys, and how each differs from the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

BOTH = ("chat", "responses")


@dataclass(frozen=True, slots=True)
class Quirks:
    """How an endpoint differs from what most do, which is the default. Data, and nothing else.

    `names` is what it calls a setting that we call otherwise, `lacks` what it refuses or passes
    over without a word. `reasoning_back` says of which assistant's messages it takes the reasoning
    back; `message_fields` and `call_fields` are what it wants back of a message and of a tool call
    beside what all take.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    only_streams: bool = False
    asks_usage: bool = True  # False: `stream_options` is refused, and usage comes without it
    encrypts_reasoning: bool = False  # Responses: reasoning comes back sealed if one asks for it
    reasoning_back: Literal["always", "with_calls", "never"] = "always"
    message_fields: tuple[str, ...] = ()
    call_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """An endpoint. `source` is where its address, its variable and its quirks are documented."""

    prefix: str
    base_url: str
    key: str | None  # the variable; None: it asks for no key
    source: str
    apis: tuple[str, ...] = ("chat",)
    quirks: Quirks = field(default_factory=Quirks)


@dataclass(frozen=True, slots=True)
class Named:
    """Models of an endpoint that have quirks of their own, by a pattern of their names."""

    prefixes: tuple[str, ...]
    pattern: str
    changes: Mapping[str, Any]
    source: str


PRESETS = (
    Preset(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "platform.openai.com/docs/api-reference/chat/create",
        BOTH,
        # `max_tokens` is deprecated, and its reasoning models refuse it
        Quirks(names={"max_tokens": "max_completion_tokens"}, encrypts_reasoning=True),
    ),
    Preset(
        "anthropic",
        "https://api.anthropic.com/v1",
        "ANTHROPIC_API_KEY",
        "platform.claude.com/docs/en/api/openai-sdk",
        quirks=Quirks(lacks=("seed", "reasoning_effort"), reasoning_back="never"),
    ),
    Preset(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "ai.google.dev/gemini-api/docs/openai, ai.google.dev/gemini-api/docs/thought-signatures",
        # a thought signature that does not come back is a 400
        quirks=Quirks(call_fields=("extra_content",)),
    ),
    Preset(
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
        "alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
    ),
    Preset(
        "dashscope-cn",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
        "help.aliyun.com/zh/model-studio/compatibility-of-openai-with-dashscope",
    ),
    Preset(
        "deepseek",
        "https://api.deepseek.com",
        "DEEPSEEK_API_KEY",
        "api-docs.deepseek.com/guides/thinking_mode",
        # missing beside a tool call it is a 400; elsewhere older models refuse it
        quirks=Quirks(reasoning_back="with_calls"),
    ),
    Preset(
        "mistral",
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        "docs.mistral.ai/api, docs.mistral.ai/resources/changelogs",
        # strict: any field it does not know is a 422
        quirks=Quirks(names={"seed": "random_seed"}, asks_usage=False, reasoning_back="never"),
    ),
    Preset(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        "openrouter.ai/docs/use-cases/reasoning-tokens",
        BOTH,
        Quirks(message_fields=("reasoning_details",)),
    ),
    Preset(
        "together",
        "https://api.together.ai/v1",
        "TOGETHER_API_KEY",
        "docs.together.ai/docs/inference/openai-compatibility",
        BOTH,
    ),
    Preset(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY",
        "docs.fireworks.ai/tools-sdks/openai-compatibility",
        quirks=Quirks(asks_usage=False),
    ),
    Preset(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        "console.groq.com/docs/openai",
        BOTH,
        # strict: "property 'reasoning' is unsupported"
        Quirks(reasoning_back="never"),
    ),
    Preset(
        "vllm",
        "http://localhost:8000/v1",
        None,
        "docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        BOTH,
    ),
    Preset(
        "sglang",
        "http://localhost:30000/v1",
        None,
        "docs.sglang.io/docs/basic_usage/openai_api_completions",
        BOTH,
    ),
    Preset(
        "llamacpp",
        "http://localhost:8080/v1",
        None,
        "github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        BOTH,
    ),
    Preset(
        "ollama",
        "http://localhost:11434/v1",
        None,
        "docs.ollama.com/api/openai-compatibility",
        BOTH,
    ),
    Preset(
        "lmstudio",
        "http://localhost:1234/v1",
        None,
        "lmstudio.ai/docs/developer/openai-compat",
        BOTH,
    ),
)

MODELS = (
    Named(
        ("dashscope", "dashscope-cn"),
        r"omni|^qwq|^qvq|^qwen3.*-thinking",
        {"only_streams": True},
        "alibabacloud.com/help/en/model-studio/qwen-omni, "
        "alibabacloud.com/help/en/model-studio/deep-thinking",
    ),
    Named(
        ("openai",),
        r"^(?:gpt-3|gpt-4|chatgpt-4)",
        {"encrypts_reasoning": False},  # they do none, and refuse to be asked for it
        "platform.openai.com/docs/guides/reasoning",
    ),
)


def preset_of(prefix: str) -> Preset | None:
    return next((preset for preset in PRESETS if preset.prefix == prefix), None)


def preset_at(base_url: str) -> Preset | None:
    """The preset whose host `base_url` is at, however somebody came to it; none for this machine,
    where any server may be at any port."""
    host = urlsplit(base_url).hostname
    return next((p for p in PRESETS if p.key and urlsplit(p.base_url).hostname == host), None)


def quirks_of(preset: Preset | None, model: str) -> Quirks:
    """The quirks of a preset's endpoint for one of its models."""
    if preset is None:
        return Quirks()
    quirks = preset.quirks
    for row in MODELS:
        if preset.prefix in row.prefixes and re.search(row.pattern, model, re.IGNORECASE):
            quirks = replace(quirks, **row.changes)
    return quirks
