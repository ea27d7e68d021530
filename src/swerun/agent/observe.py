"""What the model is shown of a result. Pure text in, pure text out."""

from __future__ import annotations

from swerun.ports import ExecResult


def elide(text: str, keep: int) -> str:
    """At most about `keep` characters: the first and the last half, and what lies between said."""
    cut = len(text) - keep
    if cut <= 0:
        return text
    head, tail = text[: keep // 2], text[-(keep - keep // 2) :]
    return f"{head}\n[... {cut} characters left out; print less to see them ...]\n{tail}"


def observation(result: ExecResult, *, timeout: float, keep: int) -> str:
    """The exit code, then the output. In brackets, so that small models do not take it for a form
    of reply and say it themselves."""
    said = f"exit code {result.exit_code}"
    if result.timed_out:
        said = f"stopped: it was not done after {timeout:g} seconds, and was killed"
    if not result.output:
        said += ", and it printed nothing"
    if result.truncated:
        said += " (so much output that only its beginning and its end were kept)"
    return f"[{said}]\n{elide(result.output, keep)}".rstrip("\n")
