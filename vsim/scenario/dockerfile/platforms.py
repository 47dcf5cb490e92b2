"""Platforms of images: ``linux/arm64``, ``linux/arm/v7``, and which a machine runs without an emulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsim.scenario.validation import did_you_mean, listed

__all__ = ["NATIVE", "Platform"]

# The names of architectures that containerd brings to one (platforms/database.go).
_ALIASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "x86_64": ("amd64", ""),
        "x86-64": ("amd64", ""),
        "aarch64": ("arm64", ""),
        "i386": ("386", ""),
        "armhf": ("arm", "v7"),
        "armel": ("arm", "v6"),
    }
)
_ARCHITECTURES = ("amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "mips64le", "loong64")
_VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"arm": ("v5", "v6", "v7", "v8"), "arm64": ("v8", "v9"), "amd64": ("v1", "v2", "v3", "v4")}
)
# A capability that a machine offers -> the platforms that it runs itself. The cores of a Raspberry Pi 4 and 5
# (Cortex-A72 and A76) run 32-bit programs as well, as Arm's manuals of both say.
NATIVE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"x86-64": ("linux/amd64", "linux/386"), "aarch64": ("linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5")}
)


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, an architecture, and where it matters a variant of it."""

    system: str
    architecture: str
    variant: str = ""

    @classmethod
    def of(cls, text: str) -> Platform:
        """Return the platform that `text` names. Raises ValueError saying what is wrong with it."""
        parts = text.strip().lower().split("/")
        # an architecture alone is one of Linux
        system, architecture, *more = ["linux", *parts] if len(parts) == 1 else parts
        variant = "/".join(more)
        architecture, implied = _ALIASES.get(architecture, (architecture, ""))
        variant = variant or implied or ("v7" if architecture == "arm" else "")
        if system not in ("linux", "windows", "darwin"):
            raise ValueError(f"{text[:40]!r} is not a platform: it begins with the operating system, linux")
        if architecture not in _ARCHITECTURES:
            meant = did_you_mean(architecture, _ARCHITECTURES) or f"there are {listed(_ARCHITECTURES, 'and')}"
            raise ValueError(f"{text[:40]!r} is not a platform: {meant}")
        if variant and variant not in _VARIANTS.get(architecture, ()):
            raise ValueError(f"{text[:40]!r} is not a platform: {architecture} has no variant {variant[:20]!r}")
        if (architecture, variant) in (("arm64", "v8"), ("amd64", "v1")):
            variant = ""
        return cls(system, architecture, variant)

    def __str__(self) -> str:
        return "/".join(part for part in (self.system, self.architecture, self.variant) if part)
