"""Pure descriptions and closed forms: layers, stacks, machines, workloads, plans, power, cost."""
