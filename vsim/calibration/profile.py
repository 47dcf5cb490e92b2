"""A profile: every number that a simulation takes, with its source, and what is built from the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from vsim.calibration.build import Parts, build
from vsim.calibration.resolve import Resolver
from vsim.calibration.specification import Figure, ProfileError, Specification
from vsim.errors import InputError
from vsim.model.building import Builder, Emulator
from vsim.model.catalogue import CataloguedImage
from vsim.model.image import Puller, Registry
from vsim.model.layer import Layer
from vsim.model.machine import Chassis, Machine, Site
from vsim.model.orchestration import Orchestrator, Supervision
from vsim.model.quantity import Quantity, quantities
from vsim.model.stack import Architecture, Stack
from vsim.scenario.validation import did_you_mean, listed

__all__ = ["Profile"]


class Profile:
    """Layers, stacks, machines, chassis and the site, and every quantity in them by name.

    A profile doesn't change: :meth:`with_value` returns another one. `warnings` says which values of a later file were
    not taken, because their source is of a worse kind.
    """

    def __init__(
        self,
        name: str,
        tree: Mapping[str, Any],
        specifications: Mapping[str, Specification],
        figures: Mapping[str, Figure],
        citations: Mapping[str, str],
        *,
        warnings: tuple[str, ...] = (),
        pinned: Mapping[str, float] | None = None,
        known: Mapping[str, Quantity] | None = None,
    ) -> None:
        self.name = name
        self.figures = figures
        self.citations = citations
        self.warnings = warnings
        self.tree = tree
        self.specifications = specifications
        self.pinned: Mapping[str, float] = dict(pinned or {})
        currency = str((tree.get("site") or {}).get("currency", Site.__dataclass_fields__["currency"].default))
        resolver = Resolver(specifications, figures, citations, currency, self.pinned, known)
        self.quantities: Mapping[str, Quantity] = resolver.all()
        self._parts: Parts = build(tree, self.quantities)

    def __repr__(self) -> str:
        return f"<Profile {self.name}: {len(self.quantities)} quantities>"

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The layers by name."""
        return self._parts.layers

    @property
    def stacks(self) -> Mapping[str, Stack]:
        """The stacks by name."""
        return self._parts.stacks

    @property
    def machines(self) -> Mapping[str, Machine]:
        """The kinds of machines by name."""
        return self._parts.machines

    @property
    def chassis(self) -> Mapping[str, Chassis]:
        """The kinds of chassis by name."""
        return self._parts.chassis

    @property
    def images(self) -> Mapping[str, CataloguedImage]:
        """The catalogue of common application images by name."""
        return self._parts.images

    @property
    def registries(self) -> Mapping[str, Registry]:
        """The registries by name."""
        return self._parts.registries

    @property
    def pullers(self) -> Mapping[str, Puller]:
        """What pulls images, by name."""
        return self._parts.pullers

    @property
    def builders(self) -> Mapping[str, Builder]:
        """The builders of images by name."""
        return self._parts.builders

    @property
    def emulators(self) -> Mapping[str, Emulator]:
        """The emulators of processors by name."""
        return self._parts.emulators

    @property
    def supervision(self) -> Mapping[str, Supervision]:
        """What checking, stopping and removing an instance costs, by the layer that does it."""
        return self._parts.supervision

    @property
    def orchestrators(self) -> Mapping[str, Orchestrator]:
        """What brings applications up, by name."""
        return self._parts.orchestrators

    @property
    def site(self) -> Site:
        """The place that houses the machines."""
        return self._parts.site

    def architecture(self, name: str) -> Architecture:
        """Return the architecture ``STACK@MACHINE``.

        Raises InputError for a stack or a machine that the profile doesn't have, and, saying why, for a stack that
        makes no sense on the machine.
        """
        stack_name, at, machine_name = name.partition("@")
        if not at:
            raise InputError(
                f"{name!r} is not an architecture", hint="write STACK@MACHINE, for example container@rack-server"
            )
        stack = self._known("stack", stack_name, self.stacks)
        machine = self._known("machine", machine_name, self.machines)
        misfit = stack.misfit(machine)
        if misfit is not None:
            raise InputError(f"{name} makes no sense: {misfit}", hint=self._fitting(stack, machine))
        return Architecture(stack, machine)

    def architectures(self) -> list[str]:
        """Return the names of all architectures that make sense: each stack on each machine that it fits."""
        pairs = ((stack, machine) for stack in self.stacks.values() for machine in self.machines.values())
        return [f"{stack.name}@{machine.name}" for stack, machine in pairs if stack.misfit(machine) is None]

    def _fitting(self, stack: Stack, machine: Machine) -> str:
        """Return a hint that says where the stack fits, and what fits the machine."""
        where = [other.name for other in self.machines.values() if stack.misfit(other) is None]
        what = [other.name for other in self.stacks.values() if other.misfit(machine) is None]
        return (
            f"{stack.name} fits {listed(where, 'and') or 'no machine of the profile'}; "
            f"on {machine.name} there can be {listed(what, 'and') or 'no stack of the profile'}"
        )

    def with_value(self, name: str, value: float) -> Profile:
        """Return this profile with the quantity `name` at `value` (in its own unit); what derives from it follows.

        A curve keeps its shape. Raises InputError for an unknown name or a value that isn't finite and at least 0.
        """
        if name not in self.quantities:
            raise InputError(f"there is no parameter {name!r}", hint=did_you_mean(name, list(self.quantities)))
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} can't be {value}: a parameter is a finite number, zero or more")
        # thousands of profiles with one value changed are made by a sensitivity analysis: compute what follows, only
        changed = {name, *self._followers(name)}
        try:
            return Profile(
                self.name,
                self.tree,
                self.specifications,
                self.figures,
                self.citations,
                warnings=self.warnings,
                pinned={**self.pinned, name: float(value)},
                known={key: quantity for key, quantity in self.quantities.items() if key not in changed},
            )
        except ProfileError as error:
            raise InputError(f"{name} can't be {value:g}: {error.message}", hint=error.hint) from None

    @cached_property
    def _derived_from(self) -> Mapping[str, tuple[str, ...]]:
        """For each quantity, those whose rules take it directly."""
        followers: dict[str, list[str]] = {}
        for quantity in self.quantities.values():
            for name in quantity.source.inputs:
                followers.setdefault(name, []).append(quantity.name)
        return {name: tuple(found) for name, found in followers.items()}

    def _followers(self, name: str) -> set[str]:
        """Return the quantities whose rules take `name`, directly or through others."""
        found: set[str] = set()
        ahead = [name]
        while ahead:
            for follower in self._derived_from.get(ahead.pop(), ()):
                if follower not in found:
                    found.add(follower)
                    ahead.append(follower)
        return found

    def used_by(self, architecture: Architecture) -> list[Quantity]:
        """Return the quantities that `architecture` and the site consist of, each once, in the order of the stack."""
        described = (architecture.stack, architecture.machine, self.site)
        return list({quantity.name: quantity for part in described for quantity in quantities(part)}.values())

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """For each quantity, the stacks, machines and rules that use it; ``site`` for what the site charges."""
        users: dict[str, dict[str, None]] = {name: {} for name in self.quantities}
        named = (
            self.stacks,
            self.machines,
            self.images,
            self.registries,
            self.pullers,
            self.builders,
            self.emulators,
            self.supervision,
            self.orchestrators,
        )
        owners = [*(item for one in named for item in one.items()), ("site", self.site)]
        for owner, described in owners:
            for quantity in quantities(described):
                users[quantity.name][owner] = None
        for quantity in self.quantities.values():
            for name in quantity.source.inputs:
                if name in users:
                    users[name][quantity.name] = None
        return {name: tuple(found) for name, found in users.items()}

    @staticmethod
    def _known(what: str, name: str, known: Mapping[str, Any]) -> Any:
        if name not in known:
            hint = did_you_mean(name, known) or f"the profile has {', '.join(known)}"
            raise InputError(f"there is no {what} {name!r}", hint=hint)
        return known[name]
