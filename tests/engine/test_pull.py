"""Pulls: against times worked out by hand, and laws that hold whatever the layers are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from vsim.calibration.profile_file import builtin
from vsim.engine.pull import HostCapacities, ImageStore, Order, RegistryLink, simulate_pulls
from vsim.model.image import Image, ImageLayer, Puller, Registry
from vsim.model.quantity import Quantity, Source

MB = 1_000_000
HOST = HostCapacities(
    cores=2, core_speed=1, link_bytes_per_s=1000 * MB, disk_write_bytes_per_s=1000 * MB, memory_bytes=1e12
)


def quantity(value: float) -> Quantity:
    return Quantity("test", value, "1", Source("assumed", why="by hand"), value, value)


def puller(**values: float) -> Puller:
    """Return a puller that costs nothing but what `values` say; three downloads at a time."""
    free = {field.name: 0.0 for field in dataclasses.fields(Puller)[2:]}
    free |= {"downloads": 3.0, "bytes_per_file": 1.0, "write_back_fraction": 1.0, **values}
    return Puller("test", "Test", **{name: quantity(value) for name, value in free.items()})


def registry(bytes_per_s: float = 10 * MB, round_trip_s: float = 0.0, connection: float | None = None) -> Registry:
    limit = None if connection is None else quantity(connection)
    return Registry("test", "Test", quantity(bytes_per_s), quantity(round_trip_s), limit)


def image(*sizes: float, name: str = "app", unpacked: float = 0.0, files: int | None = 0) -> Image:
    """Return an image whose layers have these compressed sizes in MB."""
    return Image(
        name,
        tuple(
            ImageLayer(f"sha256:{name}{number}", round(size * MB), round(unpacked * MB), files)
            for number, size in enumerate(sizes)
        ),
    )


def seconds(orders: Sequence[Order], costs: Puller, source: Registry, host: HostCapacities = HOST) -> list[float]:
    return [pull.seconds for pull in simulate_pulls(orders, costs, source, host)]


def test_one_layer_takes_its_size_over_the_link() -> None:
    assert seconds([Order(image(100))], puller(), registry()) == pytest.approx([10])


def test_the_manifest_and_each_layer_take_round_trips() -> None:
    costs = puller(manifest_round_trips=4, layer_round_trips=2, manifest_wait_s=0.5, downloads=1)
    # 0.5 + 4 × 0.1, and for each of two layers one after another 2 × 0.1 + 1
    assert seconds([Order(image(10, 10))], costs, registry(round_trip_s=0.1)) == pytest.approx([0.9 + 2 * 1.2])


def test_three_downloads_share_the_link_and_the_fourth_waits() -> None:
    pull = simulate_pulls([Order(image(30, 20, 10, 20))], puller(), registry(), HOST)[0]
    # three at 10/3 MB/s: the third (10 MB) ends at 3 s; then 20, 10 and the fourth's 20 left: the second ends at 6 s;
    # then 10 and 10 left, at 5 MB/s each: both end at 8 s
    assert [layer.download_end_s for layer in pull.layers] == pytest.approx([8, 6, 3, 8])
    assert [layer.download_begin_s for layer in pull.layers] == pytest.approx([0, 0, 0, 3])


def test_one_connection_gets_no_more_than_the_registry_allows() -> None:
    assert seconds([Order(image(10, 10))], puller(), registry(connection=2 * MB)) == pytest.approx([5])


def test_a_slow_host_is_limited_by_its_own_link() -> None:
    host = dataclasses.replace(HOST, link_bytes_per_s=4 * MB)
    # two hosts at 4 MB/s each: the registry's 10 are not reached
    assert seconds([Order(image(8), 0), Order(image(8), 1)], puller(), registry(), host) == pytest.approx([2, 2])
    # four hosts: 2.5 MB/s each
    orders = [Order(image(10), number) for number in range(4)]
    assert seconds(orders, puller(), registry(), host) == pytest.approx([4] * 4)


def test_what_a_slow_host_leaves_a_fast_one_takes() -> None:
    env = simpy.Environment()
    link = RegistryLink(env, registry())
    slow = ImageStore(env, puller(), dataclasses.replace(HOST, link_bytes_per_s=2 * MB))
    fast = ImageStore(env, puller(), HOST)
    # the slow host's two downloads get 1 MB/s each, the fast one's gets the other 8
    pulls = [slow.pull(image(10, 10, name="slow"), link), fast.pull(image(80), link)]
    env.run()
    assert [pull.value.seconds for pull in pulls if pull.value] == pytest.approx([10, 10])


def test_downloads_of_a_host_share_its_link_again_when_one_ends() -> None:
    host = dataclasses.replace(HOST, link_bytes_per_s=4 * MB)
    pull = simulate_pulls([Order(image(4, 12))], puller(), registry(), host)[0]
    # 2 MB/s each until 2 s, then 4 MB/s for the 8 MB that are left
    assert [layer.download_end_s for layer in pull.layers] == pytest.approx([2, 4])


def test_layers_are_unpacked_one_after_another_from_the_lowest() -> None:
    costs = puller(unpack_core_s=1.0, unpack_wait_s=0.5)
    pull = simulate_pulls([Order(image(30, 10))], costs, registry(), HOST)[0]
    # downloaded at 4 s and 2 s; the upper one waits for the lower one
    assert [layer.download_end_s for layer in pull.layers] == pytest.approx([4, 2])
    assert [layer.unpack_begin_s for layer in pull.layers] == pytest.approx([4, 5.5])
    assert pull.seconds == pytest.approx(7)


def test_unpacking_counts_bytes_and_files_on_the_machines_cores() -> None:
    costs = puller(unpack_core_s=0.1, unpack_core_s_per_byte=1e-8, unpack_core_s_per_file=1e-3)
    host = dataclasses.replace(HOST, core_speed=0.5)
    # (0.1 + 100 MB × 10 ns + 400 × 1 ms) on a core of half the speed
    orders = [Order(image(0, unpacked=100, files=400))]
    assert seconds(orders, costs, registry(), host) == pytest.approx([2 * (0.1 + 1.0 + 0.4)])


def test_files_that_nobody_counted_have_a_usual_size() -> None:
    costs = puller(unpack_core_s_per_file=1e-3, bytes_per_file=50_000)
    assert seconds([Order(image(0, unpacked=100, files=None))], costs, registry()) == pytest.approx([2.0])


def test_two_images_are_unpacked_at_the_same_time_on_two_cores_but_not_on_one() -> None:
    costs = puller(unpack_core_s=1.0)
    orders = [Order(image(0, name="a")), Order(image(0, name="b"))]
    assert seconds(orders, costs, registry()) == pytest.approx([1, 1])
    assert seconds(orders, costs, registry(), dataclasses.replace(HOST, cores=1)) == pytest.approx([2, 2])


def test_receiving_takes_a_core_and_can_be_slower_than_the_link() -> None:
    assert seconds([Order(image(10))], puller(receive_core_s_per_byte=4e-7), registry()) == pytest.approx([4])


def test_who_writes_waits_for_the_disk_when_the_page_cache_is_full() -> None:
    host = dataclasses.replace(HOST, disk_write_bytes_per_s=10 * MB, memory_bytes=100 * MB)
    costs = puller(write_back_fraction=0.2)
    # 100 MB unpacked, of which 20 MB may wait in memory: the other 80 MB have to be on the disk
    assert seconds([Order(image(0, unpacked=100))], costs, registry(), host) == pytest.approx([8])
    assert seconds([Order(image(0, unpacked=20))], costs, registry(), host) == pytest.approx([0])


def test_a_warm_pull_takes_the_manifest_only() -> None:
    costs = puller(manifest_wait_s=0.3, unpack_core_s=1.0)
    app = image(50, 50)
    warm = simulate_pulls([Order(app)], costs, registry(), HOST, cached=app.chains)[0]
    assert warm.seconds == pytest.approx(0.3)
    assert (warm.layers, warm.transferred_bytes) == ((), 0)


def test_an_image_that_shares_layers_pulls_the_others() -> None:
    base = image(80, name="base")
    app = Image("app", (*base.layers, *image(10, name="app").layers))
    first, second = simulate_pulls([Order(base), Order(app, at_s=20)], puller(), registry(), HOST)
    assert [first.seconds, second.seconds] == pytest.approx([8, 1])
    assert second.transferred_bytes == 10 * MB


def test_two_pulls_that_want_the_same_layer_share_its_download() -> None:
    base = image(80, name="base")
    app = Image("app", (*base.layers, *image(10, name="app").layers))
    first, second = simulate_pulls([Order(base), Order(app)], puller(), registry(), HOST)
    # 80 MB and 10 MB share the link: the small one ends at 2 s, the large one at 9 s, and both images with it
    assert [first.seconds, second.seconds] == pytest.approx([9, 9])


def test_a_layer_that_comes_twice_is_downloaded_once() -> None:
    layer = image(10).layers[0]
    costs = puller(unpack_core_s=1.0)
    pull = simulate_pulls([Order(Image("twice", (layer, layer)))], costs, registry(), HOST)[0]
    assert pull.seconds == pytest.approx(1 + 1 + 1)
    assert pull.transferred_bytes == 10 * MB


def test_the_same_host_shares_downloads_over_all_its_pulls() -> None:
    # two images of two layers: three downloads at a time, not six
    orders = [Order(image(10, 10, name="a")), Order(image(10, 10, name="b"))]
    pulls = simulate_pulls(orders, puller(), registry(), HOST)
    assert [layer.download_begin_s for pull in pulls for layer in pull.layers] == pytest.approx([0, 0, 0, 3])


LAYERS = st.lists(
    st.tuples(st.integers(0, 50 * MB), st.integers(0, 200 * MB), st.integers(0, 500)), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers=LAYERS, slots=st.integers(1, 5), cached=st.integers(0, 8))
def test_no_pull_is_faster_than_its_parts_or_slower_than_their_sum(
    layers: list[tuple[int, int, int]], slots: int, cached: int
) -> None:
    costs = puller(
        downloads=slots,
        receive_core_s_per_byte=5e-9,
        unpack_core_s=0.05,
        unpack_core_s_per_byte=8e-9,
        manifest_wait_s=0.03,
    )
    app = Image("app", tuple(ImageLayer(f"sha256:{i}", *layer) for i, layer in enumerate(layers)))
    there = app.chains[:cached]
    pull = simulate_pulls([Order(app)], costs, registry(), HOST, cached=there)[0]
    missing = app.missing(there)
    sent = sum(layer.compressed_bytes for layer in missing)
    work = sum(costs.unpack_work_core_s(layer) for layer in missing)
    assert pull.transferred_bytes == sent
    assert tuple(layer.layer for layer in pull.layers) == missing
    least = 0.03 + max(sent / (10 * MB), work)
    most = 0.03 + sent / (10 * MB) + sent * 5e-9 + work * 2
    assert least - 1e-6 <= pull.seconds <= most + 1e-6
    # what is there doesn't make it slower
    cold = simulate_pulls([Order(app)], costs, registry(), HOST)[0]
    assert pull.seconds <= cold.seconds + 1e-6


def test_a_thousand_hosts_are_limited_by_the_registry() -> None:
    orders = [Order(image(10, 5), number) for number in range(1000)]
    times = seconds(orders, puller(), registry(1000 * MB))
    # 15 GB over 1 GB/s; all hosts alike
    assert times == pytest.approx([15] * 1000, rel=1e-6)


def test_with_the_profiles_numbers_a_pull_from_a_near_registry_is_limited_by_unpacking() -> None:
    profile = builtin()
    costs = profile.pullers["docker-pull"]
    app = Image("python", (ImageLayer("sha256:a", 50 * MB, 130 * MB), ImageLayer("sha256:b", 100 * MB, 300 * MB)))
    host = HostCapacities.of(profile.machines["rack-server"])
    pull = simulate_pulls([Order(app)], costs, profile.registries["local-registry"], host)[0]
    unpacking = sum(costs.unpack_work_core_s(layer) for layer in app.layers)
    assert unpacking > 150 * MB / profile.registries["local-registry"].bytes_per_s.value
    assert unpacking < pull.seconds < unpacking + 2
