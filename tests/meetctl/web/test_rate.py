from __future__ import annotations

from meetctl.web.rate import Bucket


def test_a_burst_at_once_and_then_one_at_a_time() -> None:
    bucket = Bucket(3, 0.5)
    waits = []
    for now in (10, 10, 10, 10, 11, 12, 12):
        waits.append(bucket.wait_s(now))
        if waits[-1] == 0:
            bucket.take()
    assert waits == [0, 0, 0, 2, 1, 0, 2]


def test_who_waited_long_has_a_burst_again_and_no_more() -> None:
    bucket = Bucket(2, 1)
    for _ in range(2):
        assert bucket.wait_s(0) == 0
        bucket.take()
    for _ in range(2):
        assert bucket.wait_s(1000) == 0
        bucket.take()
    assert bucket.wait_s(1000) == 1
