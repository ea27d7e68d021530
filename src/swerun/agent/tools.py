"""The actions an agent may take, as they are described to a model."""

from __future__ import annotations

from collections.abc import Mapping

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

# the names of its commands and parameters are those that models know from SWE-agent and OpenHands
EDIT = Tool(
    name="edit",
    description=(
        "View and change files exactly. `view` shows a file with line numbers (or the lines of"
        " view_range), or what is in a folder; `create` makes a new file of file_text;"
        " `str_replace` puts new_str in place of old_str, which has to be in the file exactly once,"
        " blanks and all; `insert` puts new_str as lines after line insert_line (0: at the"
        " beginning); `undo_edit` takes back the last change that this tool made of the file."
    ),
    parameters={
        "type": "object",
        "properties": {
            "command": {
                "type": "string",
                "enum": ["view", "create", "str_replace", "insert", "undo_edit"],
            },
            "path": {
                "type": "string",
                "description": "Of the file or folder, absolute or in the repository's folder.",
            },
            "view_range": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "For view: the first and the last line, as [11, 20]; -1 is the end.",
            },
            "file_text": {"type": "string", "description": "For create: all of the file."},
            "old_str": {"type": "string", "description": "For str_replace: without line numbers."},
            "new_str": {"type": "string", "description": "For str_replace and insert."},
            "insert_line": {"type": "integer", "description": "For insert."},
        },
        "required": ["command", "path"],
    },
)

TOOLS = (BASH, SUBMIT)
TOOLSETS: Mapping[str, tuple[Tool, ...]] = {"bash": TOOLS, "bash,edit": (BASH, EDIT, SUBMIT)}
