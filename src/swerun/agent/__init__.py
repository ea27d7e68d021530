"""The loop, its prompts, its tools, and what the model is shown of a result."""
