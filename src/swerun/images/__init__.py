"""From an instance to an image on this engine: pull, build, check."""
