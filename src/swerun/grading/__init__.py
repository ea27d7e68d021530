"""Apply a patch, run the eval script, parse the log, judge."""
