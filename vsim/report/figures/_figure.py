"""What a figure is: a table, a finding computed from it, words for who can't see it, and a drawing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from vsim.errors import InputError
from vsim.report.documents import MAKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from vsim.model.workload import Service
    from vsim.report.inputs import Inputs, Measured, Simulated
    from vsim.report.styles import Style

__all__ = ["LONGEST", "Cell", "Figure", "LayersOfService", "Table", "most_stacks", "remembered"]

# Letters that the two lines of a slide's title hold in any case.
LONGEST = 112

Cell = str | int | float | None
Table = tuple[Sequence[str], Sequence[Sequence[Cell]]]
_T = TypeVar("_T")
_F = TypeVar("_F", bound="Figure")


class Figure(ABC):
    """One figure. `needs` says from what it is made: ``result``, ``samples``, a kind of document, or several of them.

    All methods take any inputs that :meth:`lacking` finds nothing wrong with, and use the part that is theirs:
    :meth:`narrowed`. A figure of samples has those of the suites in `suites`; a figure of a result has the first one
    that it :meth:`accepts`.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    suites: ClassVar[frozenset[str]] = frozenset()
    # what is shown beside the rest where it is there: `samples`, or a kind of document
    wants: ClassVar[tuple[str, ...]] = ()

    def accepts(self, simulated: Simulated) -> str | None:
        """Return why the figure can't be drawn from that result, or None when it can."""
        return None

    def best(self, accepted: list[Simulated]) -> Simulated:
        """Return the result to draw of those that can be drawn; the first one if nothing else is said."""
        return accepted[0]

    def suits(self, measured: Measured) -> bool:
        """Return whether that file of samples has something for the figure."""
        return not self.suites.isdisjoint(measured.suites)

    def kept(self, measured: list[Measured]) -> list[Measured]:
        """Return the files of samples to draw of those that suit; all if nothing else is said."""
        return measured

    def lacking(self, inputs: Inputs) -> str | None:
        """Return why the figure can't be drawn from these inputs, or None when it can."""
        if "samples" in self.needs and not any(map(self.suits, inputs.measured)):
            return f"it needs samples of {' or '.join(sorted(self.suites))}"
        given = {one.file.kind for one in inputs.documents}
        for kind, maker in MAKERS.items():
            if kind in self.needs and kind not in given:
                return f"it needs {maker}"
        if "result" in self.needs:
            reasons = [self.accepts(one) for one in inputs.simulated]
            if None not in reasons:
                return next((reason for reason in reasons if reason), "it needs a result, or a scenario")
        try:
            return self.poor(self._narrowed(inputs))
        except InputError as error:
            return error.message

    def besides(self, inputs: Inputs) -> Collection[str]:
        """Return which of the profile's numbers the figure is made from besides those that the result lists."""
        return ()

    def poor(self, inputs: Inputs) -> str | None:
        """Return why there is nothing to see in the figure's own inputs, or None when there is."""
        return None

    def narrowed(self, inputs: Inputs) -> Inputs:
        """Return the part of the inputs that the figure is made from. Raises InputError when something is lacking."""
        lack = self.lacking(inputs)
        if lack is not None:
            raise InputError(f"the figure {self.name} can't be drawn: {lack}")
        return self._narrowed(inputs)

    def _narrowed(self, inputs: Inputs) -> Inputs:
        def make() -> Inputs:
            accepted = [one for one in inputs.simulated if self.accepts(one) is None]
            own = self.kept([one for one in inputs.measured if self.suits(one)])
            return inputs.only(
                [self.best(accepted)] if accepted and "result" in self.needs else (),
                own if "samples" in self.needs + self.wants else (),
                [one for one in inputs.documents if one.file.kind in self.needs + self.wants],
            )

        return inputs.remember((self.name, "narrowed"), make)

    @abstractmethod
    def table(self, inputs: Inputs) -> Table:
        """Return header and rows: every number that the figure shows, in base units."""

    @abstractmethod
    def title(self, inputs: Inputs) -> str:
        """Return the finding, in one sentence without a full stop."""

    @abstractmethod
    def alt(self, inputs: Inputs) -> str:
        """Return what the figure shows, for who can't see it."""

    @abstractmethod
    def caption(self, inputs: Inputs) -> str:
        """Return how to read it: what marks and intervals are."""

    @abstractmethod
    def draw(self, inputs: Inputs, style: Style, figure: Any) -> None:
        """Draw on `figure`, a matplotlib (sub)figure that title, caption and footer don't belong to."""


class LayersOfService(Figure):
    """What layers cost one instance of the service that needs the least memory: beside it they are largest.

    Of several results the one with the most different stacks is drawn.
    """

    needs = ("result",)

    def accepts(self, simulated: Simulated) -> str | None:
        """Return that layers or services aren't known, if so."""
        return simulated.lacking or (None if simulated.services else "it needs a scenario with services")

    def best(self, accepted: list[Simulated]) -> Simulated:
        """Return the result with the most stacks."""
        return most_stacks(accepted)

    @staticmethod
    def service(inputs: Inputs) -> Service:
        """Return the service that is shown."""
        return min(inputs.result.services, key=lambda service: (service.memory_bytes, service.name))


def most_stacks(accepted: list[Simulated]) -> Simulated:
    """Return the result with the most different stacks, the first of several: what layers do shows best there."""

    def stacks(one: Simulated) -> int:
        return len({architecture.name.partition("@")[0] for architecture in one.result.architectures})

    return max(accepted, key=stacks)


def remembered(method: Callable[[_F, Inputs], _T]) -> Callable[[_F, Inputs], _T]:
    """Work out once for the same inputs what `method` returns for the figure's own part of them."""

    def once(self: _F, inputs: Inputs) -> _T:
        # not `narrowed`, which asks `poor`, which may ask this
        own = self._narrowed(inputs)
        return own.remember((self.name, method.__name__), lambda: method(self, own))

    return once
