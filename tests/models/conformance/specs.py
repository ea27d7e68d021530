"""The models of the field's own table, and one of each preset, as they are documented."""

from __future__ import annotations

from swerun.records import Sampling
from tests.models.conformance.spec import (
    ALL,
    MODEL_ONLY,
    USUAL,
    Error,
    Spec,
    openai_error,
    vllm_error,
)

VLLM = "docs.vllm.ai/en/latest/serving/openai_compatible_server.html"
VLLM_TOOLS = "docs.vllm.ai/en/latest/features/tool_calling.html"
SGLANG = "docs.sglang.io/docs/basic_usage/openai_api_completions"
LLAMACPP = "github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md"
DASHSCOPE = "alibabacloud.com/help/en/model-studio/qwen-api-via-openai-chat-completions"
OPENAI = "platform.openai.com/docs/api-reference/chat/create"

VLLM_TOO_LONG = vllm_error(
    400,
    "This model's maximum context length is 8192 tokens. However, you requested {n} tokens in the"
    " messages, Please reduce the length of the messages.",
)
LLAMACPP_TOO_LONG = Error(
    400,
    {
        "error": {
            "code": 400,
            "type": "exceed_context_size_error",
            "message": "request ({n} tokens) exceeds the available context size (8192 tokens), try"
            " increasing it",
        }
    },
)
SGLANG_TOO_LONG = vllm_error(
    400, "The input ({n} tokens) is longer than the model's context length (8192 tokens)."
)
DASHSCOPE_TOO_LONG = Error(
    400,
    {
        "error": {
            "code": "invalid_parameter_error",
            "message": "<400> InternalError.Algo.InvalidParameter: Range of input length should be"
            " [1, 98304]",
        }
    },
)
NO_PARSER = vllm_error(
    400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
)
NO_JINJA = Error(
    500, {"error": {"code": 500, "message": "tools param requires --jinja flag", "type": "server"}}
)
GPT_TAKES = (USUAL - {"max_tokens"}) | {"max_completion_tokens"}
CAPPED = "{n}: This model supports at most 4096 completion tokens"
STRICT = Error(422, {"message": {"detail": [{"type": "extra_forbidden", "loc": ["{n}"]}]}})

FIELD = (
    Spec(
        "qwen3-coder-480b on vllm",
        "vllm",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct",
        VLLM_TOOLS,
        refuses=vllm_error(400, "Extra inputs are not permitted: {n}"),
        too_long=VLLM_TOO_LONG,
        responses=True,
    ),
    Spec(
        "qwen3-coder-480b on vllm without a parser",
        "vllm",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct",
        VLLM_TOOLS,
        takes=USUAL - {"tools"},
        tools="qwen3_coder",
        no_tools=NO_PARSER,
        too_long=VLLM_TOO_LONG,
    ),
    Spec(
        "qwen2.5-coder on vllm without a parser",
        "vllm",
        "Qwen/Qwen2.5-Coder-32B-Instruct",
        VLLM_TOOLS,
        takes=USUAL - {"tools"},
        tools="hermes",
        no_tools=NO_PARSER,
        context=32_768,
        too_long=VLLM_TOO_LONG,
    ),
    Spec(
        "qwen3-coder-30b on sglang",
        "sglang",
        "Qwen/Qwen3-Coder-30B-A3B-Instruct",
        SGLANG,
        too_long=SGLANG_TOO_LONG,
        responses=True,
    ),
    Spec(
        "qwen2.5-coder on sglang",
        "sglang",
        "Qwen/Qwen2.5-Coder-7B-Instruct",
        SGLANG,
        context=32_768,
        too_long=SGLANG_TOO_LONG,
    ),
    Spec(
        "qwen3-coder-30b on llama.cpp",
        "llamacpp",
        "qwen3-coder-30b-a3b",
        LLAMACPP,
        too_long=LLAMACPP_TOO_LONG,
        responses=True,
    ),
    Spec(
        "qwen2.5-coder on llama.cpp without --jinja",
        "llamacpp",
        "qwen2.5-coder-7b",
        LLAMACPP,
        takes=USUAL - {"tools"},
        tools="hermes",
        no_tools=NO_JINJA,
        context=8192,
        too_long=LLAMACPP_TOO_LONG,
    ),
    Spec(
        "qwen3-coder-480b on dashscope",
        "dashscope",
        "qwen3-coder-480b-a35b-instruct",
        DASHSCOPE,
        fragments="dashscope",
        too_long=DASHSCOPE_TOO_LONG,
    ),
    Spec(
        "qwen2.5-coder on dashscope-cn",
        "dashscope-cn",
        "qwen2.5-coder-32b-instruct",
        DASHSCOPE,
        fragments="dashscope",
        too_long=DASHSCOPE_TOO_LONG,
    ),
    Spec(
        "qwen-7b on vllm",
        "vllm",
        "Qwen/Qwen-7B-Chat",
        VLLM,
        takes=USUAL - {"tools"},
        tools="none",
        no_tools=NO_PARSER,
        context=8192,
        too_long=VLLM_TOO_LONG,
    ),
    Spec(
        "llama-3-8b on llama.cpp",
        "llamacpp",
        "llama-3-8b-instruct",
        LLAMACPP,
        takes=USUAL - {"tools"},
        tools="none",
        no_tools=NO_JINJA,
        context=8192,
        too_long=LLAMACPP_TOO_LONG,
        alternates=True,
    ),
    Spec(
        "qwen3-omni-flash on dashscope",
        "dashscope",
        "qwen3-omni-flash",
        "alibabacloud.com/help/en/model-studio/qwen-omni",
        fragments="dashscope",
        only_streams=Error(
            400,
            {
                "error": {
                    "code": "invalid_parameter_error",
                    "message": "This model only support stream mode, please enable the stream"
                    " parameter to access the model.",
                }
            },
        ),
        too_long=DASHSCOPE_TOO_LONG,
    ),
    Spec(
        "claude-3.5-sonnet on anthropic",
        "anthropic",
        "claude-3-5-sonnet-20241022",
        "platform.claude.com/docs/en/api/openai-sdk",
        takes=USUAL - {"seed"},
        sampling=Sampling(temperature=0.2, top_p=0.9, max_tokens=512),
        too_long=openai_error(400, "prompt is too long: {n} tokens > 200000 maximum"),
    ),
    Spec(
        "gpt-4-turbo on openai",
        "openai",
        "gpt-4-turbo-2024-04-09",
        "platform.openai.com/docs/models/gpt-4-turbo",
        takes=GPT_TAKES,
        output_cap=4096,
        responses=True,
    ),
    Spec(
        "gpt-4 on openai",
        "openai",
        "gpt-4-0613",
        "platform.openai.com/docs/models/gpt-4",
        takes=GPT_TAKES,
        context=8192,
        responses=True,
    ),
    Spec(
        "gpt-3.5-turbo on openai",
        "openai",
        "gpt-3.5-turbo-0125",
        "platform.openai.com/docs/models/gpt-3.5-turbo",
        takes=GPT_TAKES,
        context=16_385,
        output_cap=4096,
        responses=True,
    ),
)

OTHERS = (
    Spec(
        "gpt-5 on openai",
        "openai",
        "gpt-5",
        "platform.openai.com/docs/guides/reasoning",
        takes=MODEL_ONLY
        | {"tools", "max_completion_tokens", "seed", "reasoning_effort", "stream_options"},
        sampling=Sampling(max_tokens=512, seed=7, reasoning_effort="low"),
        responses=True,
        seals=True,
    ),
    Spec(
        "gemini-3 on gemini",
        "gemini",
        "gemini-3-pro-preview",
        "ai.google.dev/gemini-api/docs/thought-signatures",
        takes=USUAL | {"reasoning_effort"},
        sampling=ALL.model_copy(update={"reasoning_effort": "low"}),
        fragments="whole",
        call_extra={"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}},
        too_long=openai_error(400, "The input token count ({n}) exceeds the context window"),
    ),
    Spec(
        "deepseek thinking",
        "deepseek",
        "deepseek-chat",
        "api-docs.deepseek.com/guides/thinking_mode",
        takes=USUAL - {"seed"},
        sampling=Sampling(temperature=0.2, max_tokens=512),
        assistant_takes=frozenset({"reasoning_content"}),
        reasoning="reasoning_content",
        reasoning_back="must_with_calls",
    ),
    Spec(
        "qwq on dashscope",
        "dashscope",
        "qwq-plus",
        "alibabacloud.com/help/en/model-studio/deep-thinking",
        assistant_takes=frozenset({"reasoning_content"}),
        reasoning="reasoning_content",
        fragments="dashscope",
        only_streams=openai_error(
            400, "parameter.enable_thinking must be set to false for non-streaming calls"
        ),
        too_long=DASHSCOPE_TOO_LONG,
    ),
    Spec(
        "devstral on mistral",
        "mistral",
        "devstral-medium-latest",
        "docs.mistral.ai/api",
        takes=(USUAL - {"seed", "stream_options"}) | {"random_seed"},
        refuses=STRICT,
        reasoning="thinking part",
        reasoning_back="must_not",
        usage_in_stream="always",
    ),
    Spec(
        "glm on openrouter",
        "openrouter",
        "z-ai/glm-4.6",
        "openrouter.ai/docs/use-cases/reasoning-tokens",
        assistant_takes=frozenset({"reasoning", "reasoning_details"}),
        reasoning="reasoning",
        message_extra={
            "reasoning_details": [
                {"type": "reasoning.text", "index": 0, "text": "I look first.", "signature": None}
            ]
        },
    ),
    Spec(
        "qwen3-coder on together",
        "together",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8",
        "docs.together.ai/docs/inference/openai-compatibility",
        assistant_takes=frozenset({"reasoning"}),
        responses=True,
    ),
    Spec(
        "qwen3-coder on fireworks",
        "fireworks",
        "accounts/fireworks/models/qwen3-coder-480b-a35b-instruct",
        "docs.fireworks.ai/tools-sdks/openai-compatibility",
        takes=USUAL - {"stream_options"},
        assistant_takes=frozenset({"reasoning_content"}),
        usage_in_stream="always",
    ),
    Spec(
        "gpt-oss on groq",
        "groq",
        "openai/gpt-oss-120b",
        "console.groq.com/docs/openai",
        refuses=openai_error(400, "property '{n}' is unsupported"),
        reasoning="reasoning",
        reasoning_back="must_not",
        responses=True,
    ),
    Spec(
        "glm on vllm",
        "vllm",
        "zai-org/GLM-4.6",
        "docs.vllm.ai/en/latest/features/reasoning_outputs/",
        assistant_takes=frozenset({"reasoning"}),
        reasoning="reasoning",
        too_long=VLLM_TOO_LONG,
        responses=True,
    ),
    Spec(
        "gpt-oss on ollama",
        "ollama",
        "gpt-oss:20b",
        "docs.ollama.com/api/openai-compatibility",
        assistant_takes=frozenset({"reasoning"}),
        reasoning="reasoning",
        responses=True,
    ),
    Spec(
        "qwen3-coder on lmstudio",
        "lmstudio",
        "qwen/qwen3-coder-30b",
        "lmstudio.ai/docs/developer/openai-compat",
        responses=True,
    ),
)

SPECS = FIELD + OTHERS
