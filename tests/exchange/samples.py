"""What peers write of an attempt, made by hand in their formats, as small as they get."""

from __future__ import annotations

import json

ID, DIFF = "org__repo-1", "diff --git a/a b/a\n"


def mini(instance_id=ID, submission=DIFF, **changes):
    """mini-swe-agent 2: two commands at once, a reply without any, the end."""
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    cached = usage | {"prompt_tokens_details": {"cached_tokens": 60}}
    response = {"model": "m-served", "choices": [{"finish_reason": "tool_calls"}], "usage": cached}
    calls = [mini_call("c1", "ls"), mini_call("c2", "cat a")]
    actions = [{"command": "ls", "tool_call_id": "c1"}, {"command": "cat a", "tool_call_id": "c2"}]
    spoken = {"message": {"role": "assistant", "content": "Done?"}, "finish_reason": "stop"}
    refused = {"model": "m-served", "choices": [spoken], "usage": usage}
    end = {"exit_status": "Submitted", "submission": submission}
    last = mini_call("c3", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt")
    messages = [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "Fix it."},
        {
            "role": "assistant",
            "content": "I look.",
            "reasoning_content": "Hm.",
            "tool_calls": calls,
            "extra": {"actions": actions, "response": response, "cost": 0.01, "timestamp": 1e9},
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": "<returncode>0</returncode>\n<output>\na\n</output>",
            "extra": {"returncode": 0, "raw_output": "a\n", "timestamp": 1e9 + 1},
        },
        {
            "role": "tool",
            "tool_call_id": "c2",
            "content": "<exception>it timed out after 60 seconds</exception>",
            "extra": {"returncode": -1, "exception_info": "it timed out after 60 seconds"},
        },
        {
            "role": "user",
            "content": "No tool calls found.",
            "extra": {"interrupt_type": "FormatError", "response": refused, "cost": 0.01},
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "I am done."}],
            "tool_calls": [last],
            "extra": {
                "actions": [{"command": "...", "tool_call_id": "c3"}],
                "response": response,
                "timestamp": 1e9 + 9,
            },
        },
        {"role": "exit", "content": submission, "extra": end},
    ]
    return {
        "info": {
            "model_stats": {"instance_cost": 0.03, "api_calls": 3},
            "config": {
                "agent": {
                    "system_template": "You are helpful.",
                    "instance_template": "{{task}}",
                    "step_limit": 250,
                    "cost_limit": 3.0,
                    "wall_time_limit_seconds": 0,
                    "max_consecutive_format_errors": 3,
                },
                "agent_type": "minisweagent.agents.default.DefaultAgent",
                "model": {
                    "model_name": "org/m",
                    "model_kwargs": {"temperature": 0.5, "api_key": "sk-secret-0123456789abcdef"},
                },
                "model_type": "minisweagent.models.litellm_model.LitellmModel",
                "environment": {"timeout": 60, "cwd": "/testbed"},
            },
            "mini_version": "2.4.6",
            "exit_status": "Submitted",
            "submission": submission,
            **changes,
        },
        "messages": messages,
        "trajectory_format": "mini-swe-agent-1.1",
        "instance_id": instance_id,
    }


def mini_call(call_id, command):
    function = {"name": "bash", "arguments": json.dumps({"command": command})}
    return {"id": call_id, "type": "function", "function": function}


def mini_1(submission=DIFF):
    """mini-swe-agent 1: commands in the text, two of them once."""
    return {
        "info": {
            "exit_status": "Submitted",
            "submission": submission,
            "model_stats": {"instance_cost": 0.0, "api_calls": 3},
            "mini_version": "1.17.0",
        },
        "messages": [
            {"role": "system", "content": "You are helpful.", "timestamp": 1e9},
            {"role": "user", "content": "Fix it.", "timestamp": 1e9},
            {
                "role": "assistant",
                "content": "```bash\nls\n```\n```bash\nls\n```",
                "timestamp": 1e9,
            },
            {"role": "user", "content": "One command, please.", "timestamp": 1e9},
            {"role": "assistant", "content": "I look.\n\n```bash\nls\n```", "timestamp": 1e9 + 2},
            {"role": "user", "content": "<returncode>2</returncode>\n<output>\n</output>"},
            {"role": "assistant", "content": "```mswea_bash_command\nsubmit it\n```"},
            {"role": "user", "content": submission, "timestamp": 1e9 + 5},
        ],
        "trajectory_format": "mini-swe-agent-1",
        "instance_id": ID,
    }


def mini_responses():
    """mini-swe-agent 2 by the Responses API: a reply is a whole response."""
    call = {
        "type": "function_call",
        "call_id": "f1",
        "name": "bash",
        "arguments": '{"command": "ls"}',
    }
    said = {"type": "message", "content": [{"type": "output_text", "text": "I look."}]}
    return {
        "info": {"exit_status": "LimitsExceeded", "submission": "", "mini_version": "2.0.0"},
        "messages": [
            {"role": "user", "content": "Fix it."},
            {
                "object": "response",
                "model": "m",
                "output": [{"type": "reasoning", "summary": []}, said, call],
                "usage": {"input_tokens": 7, "output_tokens": 3},
                "extra": {"actions": [{"command": "ls", "tool_call_id": "f1"}]},
            },
            {
                "type": "function_call_output",
                "call_id": "f1",
                "output": "a",
                "extra": {"returncode": 0},
            },
        ],
        "trajectory_format": "mini-swe-agent-1.1",
    }


def swe_agent(submission=DIFF, **info):
    """SWE-agent 1.1: a command, a reply without one, and its own last words."""
    query = [{"role": "system", "content": "You are helpful."}]
    config = {
        "agent": {
            "model": {
                "name": "org/m",
                "per_instance_cost_limit": 2.0,
                "per_instance_call_limit": 0,
                "temperature": 0.0,
                "top_p": 1.0,
                "api_key": "sk-secret-0123456789abcdef",
            },
            "tools": {"parse_function": {"type": "function_calling"}, "execution_timeout": 30},
        }
    }
    turn = {"state": {}, "query": query, "extra_info": {}}
    return {
        "trajectory": [
            turn
            | {
                "action": "ls -F\n",
                "observation": "a\n",
                "response": "I look.",
                "thought": "I look.",
                "execution_time": 0.25,
            },
            turn
            | {
                "action": "",
                "observation": "",
                "response": "Hm.",
                "thought": "Hm.",
                "execution_time": 0.0,
            },
            {
                "action": "",
                "observation": "Exited (autosubmitted)",
                "response": "Exit due to cost limit",
                "thought": "Exit due to cost limit",
                "execution_time": 0.0,
                "state": {},
                "query": [{}],
            },
        ],
        "history": [],
        "info": {
            "submission": submission,
            "exit_status": "submitted (exit_cost)",
            "model_stats": {
                "instance_cost": 2.5,
                "tokens_sent": 1000,
                "tokens_received": 50,
                "api_calls": 2,
            },
            "swe_agent_version": "1.1.0",
            **info,
        },
        "replay_config": json.dumps(config),
        "environment": "swe_main",
    }


def openhands(instance_id=ID, patch=DIFF, error=None):
    """A line of OpenHands' benchmarks: two calls of one reply, a message, the end."""
    return {
        "instance_id": instance_id,
        "attempt": 1,
        "test_result": {"git_patch": patch},
        "instruction": "Fix it.",
        "error": error,
        "metadata": {
            "llm": {
                "model": "litellm_proxy/m",
                "temperature": 0.0,
                "top_p": None,
                "max_output_tokens": 4096,
                "native_tool_calling": True,
                "api_key": "sk-secret-0123456789abcdef",
            },
            "max_iterations": 100,
            "openhands_sdk_version": "1.11.0",
            "agent_type": "default",
        },
        "metrics": {
            "accumulated_cost": 0.5,
            "accumulated_token_usage": {
                "prompt_tokens": 300,
                "completion_tokens": 30,
                "cache_read_tokens": 100,
                "reasoning_tokens": 5,
            },
            "token_usages": [
                {"prompt_tokens": 100, "completion_tokens": 10, "response_id": "r1"},
                {"prompt_tokens": 150, "completion_tokens": 12, "response_id": "r2"},
            ],
        },
        "history": [
            {"kind": "SystemPromptEvent", "source": "agent", "timestamp": "2026-01-01T00:00:00"},
            oh_message("user", "Fix it."),
            oh_action(
                "r1", "t1", "terminal", {"command": "ls"}, thought="I look.", reasoning="Hm."
            ),
            oh_action("r1", "t2", "file_editor", {"command": "view", "path": "/a"}),
            oh_seen("t1", "a", exit_code=0),
            oh_seen("t2", "1 x"),
            oh_message("agent", "Done?", llm_response_id="r2"),
            oh_message("user", "Please go on."),
            oh_action("r3", "t3", "terminal", "{no json", thought=""),
            {"kind": "AgentErrorEvent", "tool_call_id": "t3", "error": "no such arguments"},
            {"kind": "Condensation", "source": "environment"},
            oh_action("r4", "t4", "finish", {"message": "Fixed."}),
            oh_seen("t4", "Fixed."),
            {"kind": "ConversationStateUpdateEvent", "timestamp": "2026-01-01T00:01:30"},
        ],
    }


def oh_action(reply, call_id, tool, arguments, thought="", reasoning=None):
    own = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {
        "kind": "ActionEvent",
        "source": "agent",
        "timestamp": "2026-01-01T00:00:10",
        "thought": [{"type": "text", "text": thought}] if thought else [],
        "reasoning_content": reasoning,
        "tool_name": tool,
        "tool_call_id": call_id,
        "tool_call": {"id": call_id, "name": tool, "arguments": own, "origin": "completion"},
        "llm_response_id": reply,
    }


def oh_seen(call_id, text, exit_code=None):
    observation = {"content": [{"type": "text", "text": text}], "exit_code": exit_code}
    return {"kind": "ObservationEvent", "tool_call_id": call_id, "observation": observation}


def oh_message(source, text, **more):
    said = {"role": source, "content": [{"type": "text", "text": text}]}
    return {"kind": "MessageEvent", "source": source, "llm_message": said, **more}


def openhands_0(patch=DIFF, *, paired=False, error=None):
    """A line of OpenHands before its SDK."""
    response = {
        "id": "r1",
        "model": "m-served",
        "choices": [
            {
                "message": {
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "t1",
                            "function": {"name": "execute_bash", "arguments": '{"command": "ls"}'},
                        }
                    ],
                }
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2},
    }
    called = {"function_name": "execute_bash", "tool_call_id": "t1", "model_response": response}
    ask = {"id": 1, "source": "user", "action": "message", "args": {"content": "Fix it."}}
    run = {
        "id": 2,
        "source": "agent",
        "timestamp": "2025-01-01T00:00:00",
        "action": "run",
        "args": {"command": "ls", "thought": "I look.", "is_input": False},
        "tool_call_metadata": called,
    }
    saw = {
        "id": 3,
        "source": "agent",
        "cause": 2,
        "observation": "run",
        "content": "a",
        "extras": {"command": "ls", "metadata": {"exit_code": 1}},
    }
    read = {"id": 4, "source": "agent", "action": "read", "args": {"path": "/a", "thought": "Hm."}}
    got = {"id": 5, "source": "agent", "cause": 4, "observation": "read", "content": "x"}
    end = {"id": 6, "source": "agent", "action": "finish", "args": {"thought": "Fixed."}}
    recall = {"id": 7, "source": "user", "action": "recall", "args": {}}
    flat = [ask, recall, run, saw, read, got, end]
    pairs = [[ask, {}], [run, saw], [read, got], [end, {}]]
    return {
        "instance_id": ID,
        "test_result": {"git_patch": patch},
        "metadata": {
            "agent_class": "CodeActAgent",
            "llm_config": {"model": "openai/m", "temperature": 0.0, "top_p": 1.0},
            "max_iterations": 30,
        },
        "history": pairs if paired else flat,
        "metrics": {"accumulated_cost": 0.0},
        "error": error,
    }
