from __future__ import annotations

from meetctl.web.rate import Bucket, Buckets


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


def test_a_network_of_ipv6_has_one_bucket_and_every_ipv4_address_its_own() -> None:
    buckets = Buckets(2, 1)
    near = buckets["2001:db8:1:2::1"]
    assert buckets["2001:db8:1:2:ffff::9"] is near
    assert buckets["2001:db8:1:3::1"] is not near
    assert buckets["203.0.113.9"] is buckets["::ffff:203.0.113.9"] is not buckets["203.0.113.10"]
