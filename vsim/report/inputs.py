"""What a report is made from: results, files of samples, scenarios that are simulated on the spot, and documents.

Each keeps its path as it was given and the digest of its content, for the receipt of every figure.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from vsim.errors import InputError, Place
from vsim.report.documents import Content, DocumentKind, document_kind, read_document
from vsim.samples.records import Samples, read_samples
from vsim.samples.result_files import read_result

if TYPE_CHECKING:
    from vsim.calibration import Profile
    from vsim.model.quantity import Quantity
    from vsim.model.stack import Architecture
    from vsim.model.workload import Service
    from vsim.samples.result import Result
    from vsim.scenario import Scenario

__all__ = ["DEFAULT_SCENARIO", "Document", "InputFile", "Inputs", "Measured", "Simulated", "read_inputs"]

DEFAULT_SCENARIO = "evolution"
# What is given to draw from, and what an input file may be beside it.
Given = Literal["result", "samples", "scenario"] | DocumentKind
Kind = Given | Literal["profile"]
# What a line of samples has near its beginning; the record of a validation has a name there.
_RECORD = re.compile(rb'"record"\s*:\s*"(?:run|sample|failure|done|resume)\b')
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file (or the name of a preset) as it was given, the SHA-256 of its content, and what it is."""

    path: str
    sha256: str
    kind: Kind


@dataclass(frozen=True, eq=False)
class Simulated:
    """A result, where it comes from, and the profile that holds its numbers.

    `seed` is the seed that was asked for beyond what the scenario states (None: none, or a result that was read).
    `root` is the folder that relative paths start from.
    """

    result: Result
    file: InputFile
    profile_files: tuple[InputFile, ...] = ()
    seed: int | None = None
    root: Path = Path()

    @cached_property
    def base(self) -> Profile:
        """The profile before the result's own numbers are put into it."""
        from vsim.calibration import load_profile

        return load_profile(*(self.root / file.path for file in self.profile_files))

    @cached_property
    def changed(self) -> tuple[str, ...]:
        """The parameters whose values differ from those of the built-in profile."""
        from vsim.calibration import builtin

        known = builtin().quantities
        return tuple(
            parameter.name
            for parameter in self.result.parameters
            if parameter.name not in known or known[parameter.name].value != parameter.value
        )

    def changed_among(self, besides: Collection[str]) -> tuple[str, ...]:
        """Return :attr:`changed`, and which of the profile's numbers `besides` differ, in value or interval."""
        from vsim.calibration import builtin

        own, known = self.profile.quantities, builtin().quantities
        others = (
            name
            for name in besides
            if name not in known or _value_and_interval(own[name]) != _value_and_interval(known[name])
        )
        return tuple(dict.fromkeys([*self.changed, *others]))

    def numbers(self, besides: Collection[str]) -> str:
        """Return the SHA-256 of the numbers that were used: the result's, and of the profile those `besides`."""
        digest = str(self.result.profile.get("sha256", ""))
        if not besides:
            return digest
        own = self.profile.quantities
        used = [digest, *([name, *_value_and_interval(own[name])] for name in sorted(besides))]
        return hashlib.sha256(json.dumps(used).encode()).hexdigest()

    @cached_property
    def profile(self) -> Profile:
        """The profile with exactly the values that the result lists."""
        profile = self.base
        for parameter in self.result.parameters:
            known = profile.quantities.get(parameter.name)
            if known is not None and known.value != parameter.value:
                profile = profile.with_value(parameter.name, parameter.value)
        return profile

    @cached_property
    def lacking(self) -> str | None:
        """Why the layers of the result's architectures aren't known; None when they are."""
        known = self.base.quantities
        missing = [p.name for p in self.result.parameters if p.name not in known]
        if missing:
            return f"the profile at hand lacks {missing[0]}, which the result uses (give it with --profile)"
        try:
            for architecture in self.result.architectures:
                self.base.architecture(architecture.name)
        except InputError as error:
            return f"{error.message} (give the profile with --profile)"
        return None

    @cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        """The architectures of the result with their layers. Raises InputError where :attr:`lacking` says why."""
        if self.lacking:
            raise InputError(self.lacking)
        return tuple(self.profile.architecture(one.name) for one in self.result.architectures)

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The services of the scenario, as the result describes them; none where it has recorded demands or jobs."""
        workload = self.result.scenario.get("workload")
        found = workload.get("services") if isinstance(workload, dict) else None
        try:
            return tuple(_service(one) for one in found) if isinstance(found, list) else ()
        except (KeyError, TypeError, AttributeError):
            return ()

    @cached_property
    def scenario(self) -> Scenario | None:
        """The scenario, from the result's description; None where that doesn't hold all of it."""
        from vsim.experiment.describe import recall
        from vsim.scenario.scenario import Scenario

        try:
            return recall(Scenario, {**self.result.scenario, "sweep": None})
        except InputError:
            return None


@dataclass(frozen=True, eq=False)
class Measured:
    """A file of samples."""

    samples: Samples
    file: InputFile

    @cached_property
    def suites(self) -> frozenset[str]:
        """The suites that there are samples of."""
        return frozenset(sample.suite for sample in self.samples.samples)


@dataclass(frozen=True, eq=False)
class Document:
    """A file with something else than a result or samples: see :mod:`vsim.report.documents`."""

    content: Content
    file: InputFile


@dataclass(frozen=True, eq=False)
class Inputs:
    """All that a report is made from. `memory` keeps what figures have worked out from exactly these inputs."""

    simulated: tuple[Simulated, ...] = ()
    measured: tuple[Measured, ...] = ()
    documents: tuple[Document, ...] = ()
    memory: dict[object, Any] = field(default_factory=dict, repr=False)

    @property
    def files(self) -> tuple[InputFile, ...]:
        """All files, each once: results and scenarios, samples, documents, profiles."""
        own = [one.file for one in self.simulated] + [one.file for one in self.measured]
        own += [one.file for one in self.documents]
        profiles = [file for one in self.simulated for file in one.profile_files]
        return tuple(dict.fromkeys([*own, *profiles]))

    @property
    def result(self) -> Simulated:
        """The first result. Raises InputError when there is none."""
        if not self.simulated:
            raise InputError("there is no result to draw", hint="give a result's directory, or a scenario")
        return self.simulated[0]

    @property
    def samples(self) -> Samples:
        """All samples as one set, each run once. Raises InputError when there are none."""
        if not self.measured:
            raise InputError("there are no samples to draw", hint="give a file that `vsim bench` has written")
        return self.remember("samples", lambda: _together(self.measured))

    @property
    def seed(self) -> int | None:
        """The seed that was asked for in place of the scenarios' own."""
        return next((one.seed for one in self.simulated if one.seed is not None), None)

    def remember(self, key: object, make: Callable[[], _T]) -> _T:
        """Return what `make` returns, made only once for `key`."""
        if key not in self.memory:
            self.memory[key] = make()
        found: _T = self.memory[key]
        return found

    def contents(self, kind: type[_T]) -> list[_T]:
        """Return the contents of the documents of one kind."""
        return [one.content for one in self.documents if isinstance(one.content, kind)]

    def only(
        self, simulated: Iterable[Simulated], measured: Iterable[Measured], documents: Iterable[Document] = ()
    ) -> Inputs:
        """Return these inputs without the others; themselves if that is all of them."""
        chosen = tuple(simulated), tuple(measured), tuple(documents)
        if chosen == (self.simulated, self.measured, self.documents):
            return self
        return replace(self, simulated=chosen[0], measured=chosen[1], documents=chosen[2], memory={})

    def command(self, *options: str) -> str:
        """Return the command that reads these inputs, with `options`."""
        words = ["vsim", "report"]
        words += [file.path for file in self.files if file.kind != "profile"]
        for file in self.files:
            if file.kind == "profile":
                words += ["--profile", file.path]
        if self.seed is not None:
            words += ["--seed", str(self.seed)]
        return shlex.join([*words, *options])


def read_inputs(
    paths: Sequence[str | Path] = (),
    *,
    profile: Sequence[str | Path] = (),
    seed: int | None = None,
    root: str | Path = "",
) -> Inputs:
    """Read results, samples and documents, and simulate scenarios (default: the evolution); `profile` lies on top.

    `seed` goes with scenarios; `root` is the folder that relative paths start from. Raises InputError for what is none
    of them, and as :func:`vsim.simulate`.
    """
    start = Path(root)
    profiles = tuple(InputFile(str(path), _digest(start / path), "profile") for path in profile)
    simulated: list[Simulated] = []
    measured: list[Measured] = []
    documents: list[Document] = []
    for path in paths or (DEFAULT_SCENARIO,):
        kind, digest = _kind(str(path), start)
        file = InputFile(str(path), digest, kind)
        if kind == "samples":
            measured.append(Measured(read_samples(start / path), file))
        elif kind == "result":
            simulated.append(Simulated(read_result(start / path), file, profiles, root=start))
        elif kind == "scenario":
            from vsim.api import load_profile, simulate

            scenario = str(path) if _is_preset(str(path)) else start / path
            result = simulate(scenario, profile=load_profile(*(start / one for one in profile)), seed=seed)
            simulated.append(Simulated(result, file, profiles, seed, start))
        else:
            documents.append(Document(read_document(start / path, kind), file))
    return Inputs(tuple(simulated), tuple(measured), tuple(documents))


def _is_preset(path: str) -> bool:
    from vsim.scenario.loading import preset_names

    # a preset's name comes first, as everywhere: `./evolution` is the file of that name
    return path in preset_names()


def _kind(path: str, root: Path) -> tuple[Given, str]:
    """Return what `path` is, and the digest of its content."""
    if _is_preset(path):
        from vsim.scenario.loading import PRESETS

        return "scenario", _digest(PRESETS / f"{path}.yaml")
    file = root / path
    if file.is_dir():
        return "result", _digest(file / "result.json")
    if file.is_file():
        return _kind_of_file(file), _digest(file)
    raise InputError(
        f"there is no {path}", hint="give a result's directory, a file of samples, a scenario, or a preset's name"
    )


def _kind_of_file(file: Path) -> Given:
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            start = opened.read(2000).lstrip()
    except (OSError, EOFError) as error:
        raise InputError(f"can't be read: {error}", place=Place(str(file))) from None
    if file.suffix in (".yaml", ".yml"):
        return document_kind(file, start) or "scenario"
    if start.startswith(b"{") and _RECORD.search(start.partition(b"\n")[0][:200]):
        return "samples"
    document = document_kind(file, start)
    if document is not None:
        return document
    return "result" if start.startswith(b"{") else "scenario"


def _value_and_interval(quantity: Quantity) -> tuple[float, float, float]:
    return quantity.value, quantity.low, quantity.high


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror or error}", place=Place(str(file))) from None


def _service(described: Mapping[str, Any]) -> Service:
    """Return a service from its description in a result; keys of a later version are left out."""
    from dataclasses import fields

    from vsim.model.workload import Arrivals, Image, Request, Service

    known = {field.name for field in fields(Service)}
    own = {key: value for key, value in described.items() if key in known}
    own["image"] = Image(own["image"]["name"], own["image"]["bytes"])
    for key, kind in (("request", Request), ("arrivals", Arrivals)):
        if own.get(key) is not None:
            names = {field.name for field in fields(kind)}
            given: dict[str, Any] = {k: v for k, v in own[key].items() if k in names and not isinstance(v, list | dict)}
            own[key] = kind(**given)
    return Service(**{**own, "requires": frozenset(own.get("requires", ())), "calls": tuple(own.get("calls", ()))})


def _together(measured: Sequence[Measured]) -> Samples:
    """Return the samples of all files, a run that is in several of them once."""
    if len(measured) == 1:
        return measured[0].samples
    seen: dict[str, int] = {}
    for number, one in enumerate(measured):
        for run in one.samples.runs:
            seen.setdefault(run.run_id, number)
    own = list(enumerate(one.samples for one in measured))
    return Samples(
        runs=tuple(run for number, samples in own for run in samples.runs if seen[run.run_id] == number),
        samples=tuple(s for number, samples in own for s in samples.samples if seen[s.run_id] == number),
        failures=tuple(f for number, samples in own for f in samples.failures if seen[f.run_id] == number),
        done=frozenset(key for number, samples in own for key in samples.done if seen[key[0]] == number),
    )
