"""The endpoint client, protocols of tool calls, retry, and the recorded endpoint."""
