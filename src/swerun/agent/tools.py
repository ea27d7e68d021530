"""The actions an agent may take, as they are described to a model."""

from __future__ import annotations

from swerun.ports import Tool

BASH = Tool(
    name="bash",
    description=(
        "Run a bash command in the repository's folder and see what it prints. Each call is a"
        " fresh shell: files stay, variables and the current folder do not."
    ),
    parameters={
        "type": "object",
        "properties": {
            "command": {"type": "string", "description": "What to run, as for `bash -c`."}
        },
        "required": ["command"],
    },
)

SUBMIT = Tool(
    name="submit",
    description="End the work: the repository's files as they are now are your answer.",
    parameters={"type": "object", "properties": {}},
)

TOOLS = (BASH, SUBMIT)
