"""What the user writes: scenarios, job lists and traces, turned into validated objects."""
