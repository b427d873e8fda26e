from helpers.spark.event_log.profile import Profile, Scan
from helpers.spark.event_log.summary import summary_of
from tests.helpers.spark.event_log.conftest import executor, task


def test_a_location_that_is_scanned_twice_does_not_count_twice() -> None:
    run = Profile()
    run.scans = {
        43: Scan("InMemoryFileIndex(1 paths)[s3a://b/in.csv]", "CSV", 500),
        99: Scan("InMemoryFileIndex(1 paths)[s3a://b/in.csv]", "CSV", 500),
        120: Scan("InMemoryFileIndex(1 paths)[s3a://b/names]", "Parquet", 70),
    }

    assert summary_of(run).scanned_bytes == 570


def test_a_clock_that_is_set_back_during_the_run_makes_no_time_negative(run_of) -> None:
    summary = summary_of(run_of(executor(), task(start=1.0, seconds=4.0), seconds=-60.0))

    assert summary.complete
    assert summary.seconds == 5.0, "as long as the tasks show"
