"""From attempts to tables. Pure."""
