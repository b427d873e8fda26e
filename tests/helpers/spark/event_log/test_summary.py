from helpers.spark.event_log.profile import Profile, Scan
from helpers.spark.event_log.summary import summary_of


def test_a_place_that_is_scanned_again_is_no_more_data() -> None:
    run = Profile()
    run.scans = {
        43: Scan("InMemoryFileIndex(1 paths)[s3a://b/in.csv]", "CSV", 500),
        99: Scan("InMemoryFileIndex(1 paths)[s3a://b/in.csv]", "CSV", 500),
        120: Scan("InMemoryFileIndex(1 paths)[s3a://b/names]", "Parquet", 70),
    }

    assert summary_of(run).scanned_bytes == 570
