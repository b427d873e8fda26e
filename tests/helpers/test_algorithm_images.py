from helpers.algorithm_images import algorithm_image_accounts, algorithm_versions


def test_the_version_that_pipelines_train_with_is_the_newest() -> None:
    assert algorithm_versions()[-1] == "3.2-0"
    assert "1" not in algorithm_versions(), "it lies in another repository, of other accounts"


def test_each_region_has_an_account_of_its_own() -> None:
    accounts = algorithm_image_accounts()

    assert accounts["us-east-1"] == "683313688378"
    assert accounts["eu-west-1"] == "141502667606"
    assert all(account.isdecimal() and len(account) == 12 for account in accounts.values())
