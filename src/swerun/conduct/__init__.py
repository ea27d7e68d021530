"""What an agent did, told from its steps: what it sought, whom it called, what it changed."""
