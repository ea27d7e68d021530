"""Many attempts: plan, slots, threads on one machine."""
