"""Published ports: ``80``, ``"8080:80"``, ``"127.0.0.1:8000-8002:80-82/udp"``, and the long form.

The short form's rules are those of docker/go-connections, nat.ParsePortSpec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsim.scenario.compose.parts import Part
from vsim.scenario.compose.project import Port
from vsim.scenario.compose.units import text_of
from vsim.scenario.validation import Refused, listed, shown

__all__ = ["read_ports"]

_PROTOCOLS = ("tcp", "udp", "sctp")
_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_HINT = 'write "HOST:CONTAINER", for example "8080:80", or "80" alone'


def read_ports(part: Part) -> Iterator[Port]:
    """Yield the ports that one entry of `ports:` publishes; a range of them gives one each.

    Raises InputError, with its place, for what isn't a port.
    """
    try:
        yield from _long(part) if isinstance(part.value, dict) else _short(part, str(part.value))
    except Refused as error:
        raise part.error(str(error), error.hint or _HINT) from None


def _short(part: Part, text: str) -> Iterator[Port]:
    if isinstance(part.value, float) or len(text) > 200:
        raise Refused(f"{shown(part.value)} is not a port")
    rest, slash, protocol = text.partition("/")
    protocol = protocol.lower() if slash else "tcp"
    host_ip: str | None = None
    if rest.startswith("["):
        host_ip, _, rest = rest[1:].partition("]:")
        fields = ["", *rest.split(":")] if ":" in rest else ["", "", rest]
    else:
        fields = rest.rsplit(":", 2)
        if len(fields) == 3:
            host_ip = fields[0] or None
    target = fields[-1]
    published = fields[-2] if len(fields) > 1 else ""
    if host_ip is not None and not _is_address(host_ip):
        raise Refused(f"{shown(host_ip)} is not an address", hint='write "127.0.0.1:8080:80"')
    yield from _expand(part, published, target, protocol, host_ip, "ingress")


def _long(part: Part) -> Iterator[Port]:
    target = text_of(part.get("target"))
    if target is None:
        raise Refused("the key 'target' is missing in this port", hint="add `target:`, the container's port")
    protocol = (text_of(part.get("protocol")) or "tcp").lower()
    published = text_of(part.get("published")) or ""
    mode = text_of(part.get("mode")) or "ingress"
    if mode not in ("ingress", "host"):
        raise Refused(f"`mode` can't be {shown(mode)}", hint="it is ingress or host")
    if "-" in target:
        raise Refused(f"{shown(target)} is not one port", hint="the long form has one `target`")
    yield from _expand(part, published, target, protocol, text_of(part.get("host_ip")) or None, mode)


def _expand(part: Part, published: str, target: str, protocol: str, host_ip: str | None, mode: str) -> Iterator[Port]:
    if protocol not in _PROTOCOLS:
        raise Refused(f"{shown(protocol)} is not a protocol", hint=f"it is {listed(_PROTOCOLS)}")
    place = part.place()
    first, last = _range(target, least=1)
    if not published:
        for port in range(first, last + 1):
            yield Port(port, None, None, protocol, host_ip, mode, place)
        return
    low, high = _range(published, least=0)
    if first == last:
        # one port of the container, behind whichever of a range is free
        many = high if high != low else None
        yield Port(first, low or None, many, protocol, host_ip, mode, place)
        return
    if high - low != last - first:
        raise Refused(
            f"{published} are {high - low + 1} ports, {target} are {last - first + 1}", hint="ranges are equally long"
        )
    for step in range(last - first + 1):
        yield Port(first + step, low + step, None, protocol, host_ip, mode, place)


def _range(text: str, least: int) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise Refused(f"{shown(text)} is not a port" if text else "the container's port is missing")
    first = int(match.group(1))
    last = int(match.group(2) or first)
    if not least <= first <= last <= 65535:
        raise Refused(
            f"{shown(text)} is not a port"
            if first > 65535 or last > 65535 or first < least
            else f"{text} runs backwards",
            hint=f"ports are {least} to 65535",
        )
    return first, last


def _is_address(text: str) -> bool:
    from ipaddress import ip_address

    try:
        ip_address(text)
    except ValueError:
        return False
    return True
