from helpers.spark.images import spark_image_accounts, spark_versions


def test_versions_are_those_with_an_image_of_the_pipelines_python() -> None:
    assert "3.5" in spark_versions()
    assert "3.3" not in spark_versions(), "its images have Python 3.9 alone"


def test_the_account_of_the_spark_images_is_known_where_aws_has_them() -> None:
    accounts = spark_image_accounts()

    assert accounts["us-east-1"] == "173754725891"
    assert len(accounts) > 30
    assert all(len(account) == 12 and account.isdigit() for account in accounts.values())
