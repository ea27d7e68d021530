"""Recorded conversations as files: what a model replied, and what it was shown then."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pydantic import ValidationError

from swerun.errors import InputError
from swerun.names import flaw_of, shown
from swerun.records import Limits, Record, Sampling, Step, Stored, Usage

INFO = "recording.json"


class RecordingInfo(Stored):
    """recording.json: where the conversations of a folder come from. `limits` are set by demo/*."""

    name: str
    recorded_from: str  # the model, or "handwritten"
    note: str = ""
    quantisation: str = ""
    server: str = ""
    licence: str = ""
    date: str
    protocol: str
    prompt_hash: str | None = None
    limits: Limits = Limits()
    sampling: Sampling = Sampling()


class RecordedReply(Record):
    """A line of <instance_id>.jsonl: one reply, and the texts that answered its calls.

    `message` and `usage` are in the wire format of chat completions; both of the others are None
    where they are not known.
    """

    message: Mapping[str, Any]
    finish_reason: str = "stop"
    usage: Mapping[str, Any] | None = None
    observations: tuple[str, ...] | None = None


def shipped() -> Path:
    """The folder of the recordings that come with swerun, one folder below it each."""
    return Path(str(files("swerun.models"))) / "recordings"


def recordings() -> dict[str, RecordingInfo]:
    """What demo/NAME may be."""
    return {
        path.parent.name: read_info(path.parent) for path in sorted(shipped().glob(f"*/{INFO}"))
    }


def read_info(folder: Path) -> RecordingInfo:
    """Raises InputError with the file's name where it is no recording."""
    try:
        return RecordingInfo.model_validate_json((folder / INFO).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{folder / INFO} is no recording: {error}") from error


def read_replies(folder: Path, instance_id: str) -> list[RecordedReply]:
    """Raises KeyError where the instance has not been recorded."""
    path = folder / f"{instance_id}.jsonl"
    if flaw_of(instance_id) or not path.is_file():
        raise KeyError(instance_id)
    lines = path.read_text(encoding="utf-8").split("\n")  # a reply may hold other ends of lines
    return [RecordedReply.model_validate_json(line) for line in lines if line.strip()]


def made_now(folder: Path, fresh: RecordingInfo) -> RecordingInfo:
    """`fresh`, with what somebody wrote of its origin into the recording.json that is there.

    The endpoint does not tell quantisation, server and licence. Raises InputError where the file
    is no recording's.
    """
    if not (folder / INFO).exists():
        return fresh
    told = {"recorded_from", "note", "quantisation", "server", "licence"}
    return fresh.model_copy(update=read_info(folder).model_dump(include=told))


def write_recording(
    folder: Path, info: RecordingInfo, conversations: Mapping[str, Sequence[Step]]
) -> None:
    """Write trajectories, by instance, in place of the recordings of these that there were.

    Raises InputError where they cannot be written there, and for what is no instance's id.
    """
    for flawed in filter(flaw_of, conversations):
        said = f"{shown(flawed)} is no instance's id: {flaw_of(flawed)}"
        raise InputError(f"no recording can be written to {folder}: {said}")
    texts = {INFO: info.model_dump_json(indent=1) + "\n"}
    for instance_id, steps in conversations.items():
        lines = [recorded(step).model_dump_json() + "\n" for step in steps]
        texts[f"{instance_id}.jsonl"] = "".join(lines)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            temporary = folder / f".{name}.tmp"
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(folder / name)
    except OSError as error:
        raise InputError(f"no recording can be written to {folder}: {error}") from error


def check_writable(folder: Path) -> None:
    """Raises InputError where nothing could be written to `folder`, which need not be there yet.

    Leaves nothing behind.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise InputError(f"no recording can be written to {folder}: {error}") from error


def recorded(step: Step) -> RecordedReply:
    """A step as a line of a recording."""
    return RecordedReply(
        # all that was said, also what the protocol does not send back
        message=dict(step.reply.raw) | {"content": step.reply.text},
        finish_reason=step.reply.finish_reason,
        usage=_served(step.reply.usage),
        observations=tuple(o.text for o in step.observations),
    )


def _served(usage: Usage) -> dict[str, Any] | None:
    """`usage` as endpoints serve it: what they do not tell is not there."""
    if usage.unreported:
        return None
    served: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total,
    }
    if usage.cached_tokens:
        served["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    if usage.reasoning_tokens:
        served["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return served


# what differs from one run of the same command to the next, and means nothing
VARIES = re.compile(
    r"\b(?:\d+m)?\d+\.\d+ ?s(?:ec(?:onds)?)?\b"  # durations
    r"|@[0-9a-f]{12}\b"  # the name that an engine gives a container
    r"|0x[0-9a-f]{6,}"  # addresses
    r"|/tmp/[\w.-]+"  # temporary names
    r"|\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"  # moments
    r"|\b[A-Z][a-z]{2} +\d{1,2} +\d\d:\d\d\b"  # moments of `ls -l`
)


def same(shown: Sequence[str], recorded: Sequence[str]) -> bool:
    """Whether two lists of observations differ in nothing but what always does."""
    return [VARIES.sub("~", text) for text in shown] == [VARIES.sub("~", t) for t in recorded]
