"""The simulation model: shared capacities, instances, placement, requests, failures, metering."""
