"""Which host takes an instance: first fit, best fit or spread, by free memory and free cores.

Free capacity is kept indexed: a query costs time that grows with the logarithm of the number of hosts.
"""

from __future__ import annotations

import sys
from typing import Literal, Protocol

from sortedcontainers import SortedList

__all__ = ["FirstFit", "Placement", "Ranked", "placement"]

# tolerance: free capacity is a difference of sums of doubles; an exact fit must not be refused for the last bits
SLACK = 1e-9


class Placement(Protocol):
    """An index of hosts by free memory (bytes) and free cores. A host is known by its number, from 0."""

    def set(self, host: int, memory: float, cores: float) -> None:
        """Say what is free on `host` from now on; negative memory takes the host out."""

    def find(self, memory: float, cores: float) -> int | None:
        """Return the host to use for this demand, or None if no host has room."""


class FirstFit:
    """The first host, in order of number, with room: a tree of maxima over the hosts."""

    def __init__(self) -> None:
        self._size = 1
        self._memory = [-1.0, -1.0]
        self._cores = [-1.0, -1.0]

    def set(self, host: int, memory: float, cores: float) -> None:
        """Say what is free on `host` from now on; negative memory takes the host out."""
        while host >= self._size:
            self._grow()
        tree_memory, tree_cores = self._memory, self._cores
        node = host + self._size
        tree_memory[node], tree_cores[node] = memory, cores
        node >>= 1
        while node:
            left = 2 * node
            tree_memory[node] = max(tree_memory[left], tree_memory[left + 1])
            tree_cores[node] = max(tree_cores[left], tree_cores[left + 1])
            node >>= 1

    def _grow(self) -> None:
        size = self._size
        leaves = [(self._memory[size + i], self._cores[size + i]) for i in range(size)]
        self._size = 2 * size
        self._memory = [-1.0] * (4 * size)
        self._cores = [-1.0] * (4 * size)
        for host, (memory, cores) in enumerate(leaves):
            self._memory[self._size + host], self._cores[self._size + host] = memory, cores
        for node in range(self._size - 1, 0, -1):
            self._memory[node] = max(self._memory[2 * node], self._memory[2 * node + 1])
            self._cores[node] = max(self._cores[2 * node], self._cores[2 * node + 1])

    def find(self, memory: float, cores: float) -> int | None:
        """Return the first host with room. A subtree is left out when its best in either resource is too little."""
        memory, cores = memory * (1 - SLACK), cores * (1 - SLACK)
        tree_memory, tree_cores, size = self._memory, self._cores, self._size
        stack = [1]
        while stack:
            node = stack.pop()
            if tree_memory[node] < memory or tree_cores[node] < cores or tree_memory[node] < 0:
                continue
            if node >= size:
                return node - size
            stack.append(2 * node + 1)
            stack.append(2 * node)
        return None


class Ranked:
    """Hosts in order of free memory: `best-fit` takes the fullest with room, `spread` the emptiest."""

    def __init__(self, policy: Literal["best-fit", "spread"]) -> None:
        # Among equally free hosts both take the one with the lowest number; `spread` walks from the end, so it
        # keeps the numbers negated.
        self._sign = 1 if policy == "best-fit" else -1
        self._order: SortedList[tuple[float, int]] = SortedList()
        self._free: dict[int, tuple[float, float]] = {}

    def set(self, host: int, memory: float, cores: float) -> None:
        """Say what is free on `host` from now on; negative memory takes the host out."""
        known = self._free.pop(host, None)
        if known is not None:
            self._order.remove((known[0], self._sign * host))
        if memory >= 0:
            self._free[host] = (memory, cores)
            self._order.add((memory, self._sign * host))

    def find(self, memory: float, cores: float) -> int | None:
        """Return the fullest (best fit) or emptiest (spread) host with room.

        Hosts with memory but too few cores are passed over one by one: cheap as long as memory binds first.
        """
        memory, cores = memory * (1 - SLACK), cores * (1 - SLACK)
        if self._sign == 1:
            candidates = self._order.irange((memory, -1))
        else:
            candidates = self._order.irange((memory, -sys.maxsize), reverse=True)
        for _, key in candidates:
            host = self._sign * key
            if self._free[host][1] >= cores:
                return int(host)
        return None


def placement(policy: Literal["first-fit", "best-fit", "spread"]) -> Placement:
    """Return an empty index for `policy`."""
    return FirstFit() if policy == "first-fit" else Ranked(policy)
