import json
import os
import subprocess
import sys
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber

from helpers.errors import UserError
from helpers.pricing import PRICES, load_prices
from helpers.pricing.__main__ import main
from helpers.pricing.price_list import ask, refreshed
from ml_pipeline.params.api_limits import limits

TODAY = date(2027, 1, 2)


@pytest.fixture
def answer() -> list[str]:
    """A response of GetProducts, based on the API's documentation; it was not recorded from AWS."""
    products = json.loads(Path(__file__).with_name("price_list.json").read_text())
    return [json.dumps(product) for product in products]


def test_the_file_prices_processing_instances_that_exist() -> None:
    assert load_prices().instance_types <= set(limits("ProcessingInstanceType").values)


def test_the_larger_sizes_cost_in_proportion() -> None:
    prices = load_prices()
    units = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "12xlarge": 48, "24xlarge": 96}
    for family in ("m5", "r5"):
        unit = prices.hourly_price(f"ml.{family}.24xlarge") / 96
        for size, vcpus in units.items():
            assert prices.hourly_price(f"ml.{family}.{size}") == pytest.approx(unit * vcpus, abs=0.001)


def test_an_unknown_price_is_not_guessed() -> None:
    prices = load_prices()
    assert prices.hourly_price("ml.m5.4xlarge") == 0.922
    assert prices.hourly_price("ml.m7i.4xlarge") is None
    assert prices.resource("kms_key_month").usd == 1
    with pytest.raises(
        UserError, match=r"no price of nat_gateway_hour in us-east-1 is known; known are: .*kms"
    ):
        prices.resource("nat_gateway_hour")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d.pop("region"),
            r"prices.json: not a file of prices:\n  - region: Field required\nHint: .*make prices",
        ),
        (lambda d: d["resources"].update(x={"usd": -1}), r"resources.x.usd: .*greater than or equal to 0"),
        (
            lambda d: d["instance_hours"][0]["usd"].update({"ml.m5.large": 0}),
            r"ml.m5.large: .*greater than 0",
        ),
        (
            lambda d: d["instance_hours"][1]["usd"].update({"ml.m5.large": 1}),
            r"priced twice: ml.m5.large\nHint: Keep",
        ),
        (lambda d: d.update(instance_hours=[]), r"instance_hours: no instance has a price"),
    ],
)
def test_a_broken_file_names_the_key_and_the_fix(tmp_path, change, message) -> None:
    document = json.loads(PRICES.read_text())
    change(document)
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(document))
    with pytest.raises(UserError, match=message):
        load_prices(file)


def test_a_missing_file_is_reported(tmp_path) -> None:
    with pytest.raises(UserError, match=r"prices.json: there is no such file\nHint: .*make prices"):
        load_prices(tmp_path / "prices.json")


def test_the_price_list_gives_instance_hours_and_nothing_else(answer) -> None:
    before = load_prices()
    after = refreshed(before, answer, "us-east-1", TODAY)
    assert after.instance_types == {"ml.m5.xlarge", "ml.m6i.4xlarge"}
    assert after.hourly_price("ml.m6i.4xlarge") == 0.925
    assert after.as_of == TODAY
    assert after.resources == before.resources


def test_fixed_prices_of_another_region_are_not_carried_over(answer) -> None:
    after = refreshed(load_prices(), answer, "eu-central-1", TODAY)
    assert (after.region, after.resources) == ("eu-central-1", {})


def test_contradictory_and_empty_answers_change_nothing(answer) -> None:
    more_expensive = answer[0].replace("0.2300000000", "0.2500000000")
    with pytest.raises(UserError, match=r"two prices of ml.m5.xlarge in us-east-1: 0.23 and 0.25"):
        refreshed(load_prices(), [*answer, more_expensive], "us-east-1", TODAY)
    with pytest.raises(UserError, match=r"no price of SageMaker Processing in 'mars-1'"):
        refreshed(load_prices(), [], "mars-1", TODAY)


def test_the_api_is_asked_page_by_page(answer) -> None:
    client = boto3.client("pricing", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    question = {"ServiceCode": "AmazonSageMaker", "Filters": ANY}
    with Stubber(client) as stub:
        stub.add_response("get_products", {"PriceList": answer[:1], "NextToken": "more"}, question)
        stub.add_response("get_products", {"PriceList": answer[1:]}, {**question, "NextToken": "more"})
        assert list(ask(client, "us-east-1")) == answer
        stub.assert_no_pending_responses()


def test_the_command_writes_what_the_api_answers(tmp_path, answer, capsys, monkeypatch) -> None:
    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps({"FormatVersion": "aws_v1", "PriceList": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_) -> None: ...

    file = tmp_path / "prices.json"
    file.write_bytes(PRICES.read_bytes())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = main(["--file", str(file)])
        server.shutdown()
    assert code == 0
    assert "2 instance types in us-east-1" in capsys.readouterr().out
    assert load_prices(file).hourly_price("ml.m6i.4xlarge") == 0.925
    assert load_prices(file).resources == load_prices().resources


def test_without_aws_the_command_reports_that_and_leaves_the_file(tmp_path) -> None:
    file = tmp_path / "prices.json"
    file.write_bytes(PRICES.read_bytes())
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    result = subprocess.run(
        [sys.executable, "-m", "helpers.pricing", "--file", str(file)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "No usable AWS credentials" in result.stderr
    assert file.read_bytes() == PRICES.read_bytes()
    assert list(tmp_path.iterdir()) == [file]
