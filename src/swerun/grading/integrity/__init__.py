"""What a patch could do to its own verdict: told from the patch, left out, witnessed, judged."""
