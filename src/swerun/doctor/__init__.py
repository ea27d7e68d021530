"""Is everything in place? What is found out about this machine and about a model's endpoint."""
