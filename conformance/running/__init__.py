"""A run, from what stands in its way to what it leaves: its plan, its hold on the target, and its checks."""
