"""Which host takes an instance: first fit, best fit or spread, by free memory and free cores.

Free capacity is kept indexed: a query costs time that grows with the logarithm of the number of hosts.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import Literal, Protocol

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
    """Hosts in order of free memory: `best-fit` takes the fullest with room, `spread` the emptiest.

    A treap (Seidel and Aragon, Algorithmica 16, 1996) over (free memory, number) in which every node knows the most
    free cores below it, so that hosts with memory but too few cores are passed over by the subtree and not one by one.
    Its shape is random and no answer depends on it.
    """

    def __init__(self, policy: Literal["best-fit", "spread"]) -> None:
        # `spread` looks for the first from the other end: its keys are negated. Among equally free hosts both take the
        # one with the lowest number.
        self._sign = 1 if policy == "best-fit" else -1
        self._root: _Node | None = None
        self._nodes: dict[int, _Node] = {}
        self._random = Random(0)

    def set(self, host: int, memory: float, cores: float) -> None:
        """Say what is free on `host` from now on; negative memory takes the host out."""
        known = self._nodes.pop(host, None)
        if known is not None:
            self._root = _without(self._root, known.key)
        if memory >= 0:
            node = self._nodes[host] = _Node((self._sign * memory, host), cores, self._random.random())
            self._root = _with(self._root, node)

    def find(self, memory: float, cores: float) -> int | None:
        """Return the fullest (best fit) or emptiest (spread) host with room."""
        memory, cores = memory * (1 - SLACK), cores * (1 - SLACK)
        node = _first(self._root, (memory, -1) if self._sign == 1 else (-inf, -1), cores)
        if node is None or self._sign * node.key[0] < memory:
            return None
        return node.key[1]


class _Node:
    """One host in the treap: its place in the order, its free cores, and the most free cores from here down."""

    __slots__ = ("best", "cores", "key", "left", "priority", "right")

    def __init__(self, key: tuple[float, int], cores: float, priority: float) -> None:
        self.key = key
        self.cores = self.best = cores
        self.priority = priority
        self.left: _Node | None = None
        self.right: _Node | None = None

    def settle(self) -> None:
        """Bring `best` up to date with the nodes below."""
        best = self.cores
        if self.left is not None and self.left.best > best:
            best = self.left.best
        if self.right is not None and self.right.best > best:
            best = self.right.best
        self.best = best


def _first(node: _Node | None, low: tuple[float, int], cores: float) -> _Node | None:
    """Return the first node in order, from `low` on, with so many `cores`."""
    while node is not None and node.best >= cores:
        if node.key >= low:
            found = _first(node.left, low, cores)
            if found is not None:
                return found
            if node.cores >= cores:
                return node
        node = node.right
    return None


def _with(tree: _Node | None, node: _Node) -> _Node:
    if tree is None:
        return node
    if node.priority > tree.priority:
        node.left, node.right = _split(tree, node.key)
        node.settle()
        return node
    if node.key < tree.key:
        tree.left = _with(tree.left, node)
    else:
        tree.right = _with(tree.right, node)
    if node.best > tree.best:
        tree.best = node.best
    return tree


def _without(tree: _Node | None, key: tuple[float, int]) -> _Node | None:
    assert tree is not None
    if key == tree.key:
        return _merge(tree.left, tree.right)
    if key < tree.key:
        tree.left = _without(tree.left, key)
    else:
        tree.right = _without(tree.right, key)
    tree.settle()
    return tree


def _split(tree: _Node | None, key: tuple[float, int]) -> tuple[_Node | None, _Node | None]:
    """Return the nodes before and after `key`, each part as a tree."""
    if tree is None:
        return None, None
    if tree.key < key:
        tree.right, after = _split(tree.right, key)
        tree.settle()
        return tree, after
    before, tree.left = _split(tree.left, key)
    tree.settle()
    return before, tree


def _merge(before: _Node | None, after: _Node | None) -> _Node | None:
    """Join two trees, all of one before all of the other."""
    if before is None:
        return after
    if after is None:
        return before
    if before.priority > after.priority:
        before.right = _merge(before.right, after)
        before.settle()
        return before
    after.left = _merge(before, after.left)
    after.settle()
    return after


def placement(policy: Literal["first-fit", "best-fit", "spread"]) -> Placement:
    """Return an empty index for `policy`."""
    return FirstFit() if policy == "first-fit" else Ranked(policy)
