"""What runs in every rung: one root file system with the probe, and what is made from it."""

from vsim.bench.payload.payload import Payload, build_payload, host_architecture, probe_digest, probe_path

__all__ = ["Payload", "build_payload", "host_architecture", "probe_digest", "probe_path"]
