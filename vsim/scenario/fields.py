"""The types of the values in a scenario file, for pydantic: quantities with units, counts, names."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import core_schema

from vsim.scenario.units import json_schema, parse
from vsim.scenario.validation import Refused, shown

__all__ = [
    "Bytes",
    "Cores",
    "Count",
    "Fraction",
    "Mean",
    "Name",
    "Part",
    "PositiveTime",
    "Rate",
    "Ratio",
    "Time",
    "Whole",
    "Work",
    "Years",
]

# Far beyond any machine or data centre; below it nothing overflows and a run ends.
MOST_BYTES = 2.0**60
MOST_SECONDS = 10 * 365 * 86400.0
MOST_INSTANCES = 1_000_000


class Part(BaseModel):
    """A mapping in a scenario file: unknown keys are refused, and 1 is not true."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Measured:
    """Marks a float that is written as a number in `base` units or as text with a unit."""

    def __init__(self, base: str, *, maximum: float = math.inf, positive: bool = False) -> None:
        self.base = base
        self.maximum = maximum
        self.positive = positive

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def read(value: object) -> float:
            return parse(value, self.base, maximum=self.maximum, positive=self.positive)

        return core_schema.no_info_plain_validator_function(read)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return json_schema(self.base, maximum=self.maximum, positive=self.positive)


Time = Annotated[float, _Measured("s", maximum=MOST_SECONDS)]
PositiveTime = Annotated[float, _Measured("s", maximum=MOST_SECONDS, positive=True)]
Work = Annotated[float, _Measured("core-s", maximum=MOST_SECONDS)]
Years = Annotated[float, _Measured("years", maximum=10_000)]
Bytes = Annotated[float, _Measured("bytes", maximum=MOST_BYTES)]
Rate = Annotated[float, _Measured("1/s", maximum=1e7, positive=True)]
Cores = Annotated[float, _Measured("cores", maximum=1e6)]
Fraction = Annotated[float, _Measured("1", maximum=1)]
# a factor or a coefficient: not a part of something, so it may exceed 1
Ratio = Annotated[float, _Measured("1", maximum=1000, positive=True)]
Mean = Annotated[float, _Measured("1", maximum=1e6)]
Count = Annotated[int, Field(ge=1, le=MOST_INSTANCES)]
Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]


def _name(value: str) -> str:
    if not re.fullmatch(_NAME, value):
        raise Refused(
            f"{shown(value)} can't be a name",
            hint="a name has letters, digits, `_`, and then also `-` and `.`; at most 100 of them",
        )
    return value


# names are parts of paths (`services.web.replicas`) and of tables
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME}$"})]
