"""Git repositories: a history as a stream, a repository at a commit with nothing after it."""
