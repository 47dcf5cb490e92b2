from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from vsim.bench.output import MOST_BYTES, Output


def test_a_byte_is_timed_when_it_arrives() -> None:
    with Output.pipe() as output:
        assert output.write_end is not None
        write_end = os.dup(output.write_end)
        output.started()
        sent: list[float] = []

        def send() -> None:
            time.sleep(0.05)
            sent.append(time.monotonic())
            os.write(write_end, b"v")
            os.write(write_end, b"sim 1\nready\n")
            os.close(write_end)

        thread = threading.Thread(target=send)
        thread.start()
        first = output.first(5.0)
        thread.join()
        assert first is not None
        assert 0 <= first - sent[0] < 0.04
        assert output.wait_for("ready", 5.0) is not None


def test_the_end_and_an_error_stop_the_waiting() -> None:
    output = Output()
    output.feed(b"vsim 1\r\nerror mmap 12\n")
    begin = time.monotonic()
    assert output.wait_for("ready", 5.0) is None
    output = Output()
    output.end()
    assert output.first(5.0) is None
    assert output.wait_for("ready", 5.0) is None
    assert time.monotonic() - begin < 1


def test_a_line_is_found_by_its_first_word_and_without_the_carriage_return() -> None:
    output = Output()
    output.feed(b"beginning\nbegin ca")
    assert output.find("begin", 0.0) is None
    output.feed(b"ll\r\nend call\n")
    found = output.find("begin", 0.0)
    assert found is not None
    assert found[1] == "begin call"
    assert output.text == "beginning\nbegin call\nend call"


def test_what_does_not_stop_talking_does_not_fill_the_memory() -> None:
    output = Output()
    for _ in range(3 * MOST_BYTES // 1000):
        output.feed(b"x" * 999 + b"\n")
    assert len(output.text) <= MOST_BYTES


def test_descriptors_are_given_back() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        output = Output.pipe()
        output.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
