"""From evidence to a verdict.

For one subject (one architecture, one pair) a condition is met when the whole interval meets it, not met when none of
it does, and open otherwise. Over all subjects a statement

    holds            when every condition is met for every subject
    doesn't hold     when some condition is met for no subject, and open for none
    depends          when a condition is met for some subjects and not for others
    is open          in all other cases: the data can't settle it, because something is missing or an interval is wider
                     than the question
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vsim.report.myths.claims import Quantity
from vsim.report.myths.evidence import Basis, Evidence, Sources

__all__ = ["Condition", "Finding", "Myth", "Outcome", "Verdict", "judge"]

Outcome = Literal["holds", "depends", "doesn't hold", "open"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be so: a quantity, `at least` or `at most` a threshold in the quantity's unit."""

    quantity: Quantity
    bound: Literal["at least", "at most"]
    threshold: float

    def met(self, evidence: Evidence) -> bool | None:
        """Return whether `evidence` meets the condition; None where its interval doesn't say, or there is none."""
        span = evidence.span
        return self._met(span.low, span.high)

    def met_by_luck_alone(self, evidence: Evidence) -> bool | None:
        """Return the same with every parameter at its value: what is open then, replications can settle."""
        return self._met(evidence.span.luck_low, evidence.span.luck_high)

    def _met(self, low: float | None, high: float | None) -> bool | None:
        if low is None or high is None:
            return None
        if self.bound == "at least":
            return True if low >= self.threshold else False if high < self.threshold else None
        return True if high <= self.threshold else False if low > self.threshold else None


@dataclass(frozen=True, slots=True)
class Myth:
    """A statement that people repeat, and what it would take to be true; `reason` says why the threshold is there."""

    name: str
    statement: str
    conditions: tuple[Condition, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of evidence, and whether it meets its condition (None: its interval reaches over the threshold).

    `hangs_on` is the parameter without whose interval it would be settled.
    """

    condition: Condition
    evidence: Evidence
    met: bool | None
    hangs_on: Basis | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the data say about a statement. `why` is the reason why they don't settle it, else empty."""

    myth: Myth
    outcome: Outcome
    findings: tuple[Finding, ...]
    why: str = ""


def judge(myth: Myth, sources: Sources) -> Verdict:
    """Return the verdict on one statement."""
    findings: list[Finding] = []
    lacking: list[str] = []
    for condition in myth.conditions:
        found = [_finding(condition, evidence) for evidence in condition.quantity.evidence(sources)]
        findings += found
        if not found:
            lacking.append(condition.quantity.lacks())
    outcome = _outcome(myth, findings, bool(lacking))
    why = ""
    if outcome == "open":
        why = f"It takes {' and '.join(dict.fromkeys(lacking))}." if lacking else _undecided(findings)
    return Verdict(myth, outcome, tuple(findings), why)


def _finding(condition: Condition, evidence: Evidence) -> Finding:
    met = condition.met(evidence)
    hangs = evidence.span.widest if met is None and condition.met_by_luck_alone(evidence) is not None else None
    return Finding(condition, evidence, met, hangs)


def _outcome(myth: Myth, findings: Sequence[Finding], lacking: bool) -> Outcome:
    by_condition = {
        id(condition): [f.met for f in findings if f.condition is condition] for condition in myth.conditions
    }
    met = list(by_condition.values())
    if any(found and all(one is False for one in found) for found in met):
        return "doesn't hold"
    if any(True in found and False in found for found in met):
        return "depends"
    if not lacking and all(all(found) for found in met):
        return "holds"
    return "open"


def _undecided(findings: Iterable[Finding]) -> str:
    open_ones = [finding for finding in findings if finding.met is None]
    if any(finding.evidence.span.low is None for finding in open_ones):
        return "One replication has no interval."
    hangs = next((finding.hangs_on for finding in open_ones if finding.hangs_on), None)
    if hangs is not None:
        return f"It hangs on {hangs.name}, which is {hangs.kind}: its interval reaches over the threshold."
    return "The interval reaches over the threshold: more replications, or more samples, would tell more."
