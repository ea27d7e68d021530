"""The only writer below runs/, and its reader."""
