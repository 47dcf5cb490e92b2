"""The sample and result formats that both worlds share: write, read, merge."""
