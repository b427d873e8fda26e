"""Checks what an account needs before the first deployment of an environment. Nothing is changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.command_line import make_command
from helpers.environments import Environment
from helpers.errors import UserError, explain
from helpers.infra.stacks.configuration import image_accounts, load_stacks
from helpers.infra.stacks.fixed_costs import fixed_costs
from helpers.infra.stacks.offerings import missing_offerings
from helpers.infra.stacks.outputs import outputs_if_deployed
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.pricing import load_prices
from helpers.spark.images import spark_image_accounts
from ml_pipeline.executions.job_logs import LOG_GROUP
from ml_pipeline.executions.quotas import JobInstances, instances_needed, insufficient_quotas
from ml_pipeline.executions.target import ALL, select_pipelines

if TYPE_CHECKING:
    from boto3 import Session

    from helpers.infra.stacks.configuration import StackConfiguration

JOB_LOGS = "infra/account/job_logs.yaml"
GITHUB_ISSUER = "token.actions.githubusercontent.com"
_PROVIDER = "ExistingOidcProviderArn"


@dataclass(frozen=True)
class Finding:
    """The result of a check."""

    check: str
    message: str
    actions: Sequence[str] = ()
    """What you must do, in this order; empty if there is no problem."""


@dataclass(frozen=True)
class Account:
    """An account, and the stacks to be deployed to it."""

    environment: Environment
    session: "Session"
    stacks: Sequence["StackConfiguration"]

    def value(self, name: str) -> str:
        """Return the value of a parameter from the first stack that has one, or an empty string."""
        return next(filter(None, (stack.value(name) for stack in self.stacks)), "")

    @property
    def file(self) -> str:
        """The path of the environment's parameter file, for messages."""
        return f"infra/parameters/{self.environment.file}"

    @cached_property
    def instances(self) -> Mapping[JobInstances, int]:
        """The number of instances that the pipelines need at the same time, by type and use."""
        return instances_needed(self.environment, select_pipelines(ALL))

    def missing(self) -> list[str]:
        """Return the names of the stacks that are not deployed."""
        cloudformation = self.session.client("cloudformation")
        return [each.name for each in self.stacks if not outputs_if_deployed(cloudformation, each.name)]


def run_checks(environment: Environment, connect: Callable[[Environment], "Session"]) -> Iterator[Finding]:
    """Yield findings about the account of an environment, in the order in which you must fix them.

    A check without the necessary permissions reports "not checked". Without credentials, the checks end.

    Args:
        environment: the environment.
        connect: returns a session, like `helpers.aws.connect`.
    """
    try:
        session = connect(environment)
        caller = session.client("sts").get_caller_identity()
    except Exception as error:
        if (known := explain(error)) is None:
            raise
        yield Finding(
            "credentials", known.message, [known.hint or "Sign in to the account of the environment"]
        )
        return
    yield Finding("credentials", f"{caller['Arn']} in {session.region_name}")
    try:
        stacks = load_stacks(environment)
    except UserError as error:
        yield Finding(
            "parameters", error.message, [error.hint or f"Correct infra/parameters/{environment.file}"]
        )
        return
    account = Account(environment, session, stacks)
    for name, check in CHECKS.items():
        yield _finding(name, partial(check, account))


def actions(findings: Sequence[Finding]) -> list[str]:
    """Return the steps of all findings in order, without duplicates. Deployment is the last one."""
    found = [step for finding in findings for step in finding.actions]
    return list(dict.fromkeys(found))


def _finding(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except UserError as error:
        return Finding(name, error.message, [error.hint or f"Correct what {name} reports"])
    except ClientError as error:
        known = explain(error)
        return Finding(name, f"not checked: {known.message if known else error}")


def _region(account: Account) -> Finding:
    with_regional_values(account.session.client("ec2"), account.stacks)
    return Finding("region", f"{account.session.region_name} has the prefix list of S3")


def _images(account: Account) -> Finding:
    region = account.session.region_name
    own, allowed = image_accounts(str(region)), account.value("ImageAccountIds")
    if str(region) not in spark_image_accounts():
        return Finding(
            "images",
            f"SageMaker has no Spark image in {region}",
            [f"Choose another Region in {account.file}, or set ImageAccountIds to the account of your image"],
        )
    if allowed and (missing := " and ".join(each for each in own if each not in allowed.split(","))):
        lacking = f"ImageAccountIds {allowed} lacks {missing}, the source of AWS images in {region}"
        return Finding("images", lacking, [f"Add {missing} to ImageAccountIds in {account.file}"])
    return Finding("images", f"AWS's images come from {' and '.join(own)}")


def _zones(account: Account) -> Finding:
    lacking = missing_offerings(
        account.session.client("ec2"), account.stacks, {each.instance_type for each in account.instances}
    )
    if lacking:
        return Finding(
            "zones", f"{len(lacking)} do not offer all endpoint services and instance types", lacking
        )
    return Finding("zones", "they offer all endpoint services and instance types")


def _quotas(account: Account) -> Finding:
    low = insufficient_quotas(account.session.client("service-quotas"), account.instances)
    asked = ", ".join(f"{count} x {each.instance_type}" for each, count in account.instances.items())
    return Finding("quotas", f"{len(low)} are too low for {asked}" if low else f"enough for {asked}", low)


def _provider(account: Account) -> Finding:
    """Check the OIDC provider of GitHub. An account can have only one; a second stack would fail."""
    name = next((stack.name for stack in account.stacks if stack.name.endswith("github-oidc")), None)
    if name is None:
        later = "GitHub's roles are not among the stacks; make github-trust adds them"
        return Finding("OIDC provider", later)
    iam = account.session.client("iam")
    providers = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    there = next((arn for arn in providers if arn.endswith(f"/{GITHUB_ISSUER}")), "")
    given = account.value(_PROVIDER)
    if there and given != there and name in account.missing():
        return Finding(
            "OIDC provider",
            f"the account has {there}, and cannot have another",
            [f"Set {_PROVIDER} to {there} in {account.file}"],
        )
    if given and given != there:
        gone = f"{_PROVIDER} is {given}, which does not exist"
        return Finding("OIDC provider", gone, [f"Remove {_PROVIDER} from {account.file}"])
    return Finding("OIDC provider", there or "none yet: the stack creates it")


def _costs(account: Account) -> Finding:
    prices = load_prices()
    usd = sum(line.usd_per_month for line in fixed_costs(account.stacks, prices))
    message = f"about {usd:.2f} USD a month even if nothing runs ({prices.region}, {prices.as_of})"
    return Finding("costs", message)


def _alarms(account: Account) -> Finding:
    address = account.value("AlarmEmail")
    if address or not any("AlarmEmail" in stack.template for stack in account.stacks):
        return Finding("alarms", address or "the environment has no stack with alarms")
    return Finding(
        "alarms", "have no recipient", [f"Set AlarmEmail in {account.file} to be notified of failures"]
    )


def _job_logs(account: Account) -> Finding:
    """Check the log group that environments share. SageMaker creates it without encryption and retention."""
    groups = account.session.client("logs").describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    group = next((each for each in groups if each["logGroupName"] == LOG_GROUP), None)
    days = group.get("retentionInDays") if group else None
    if group and days and "kmsKeyId" in group:
        return Finding("job logs", f"are kept for {days} days, encrypted with {group['kmsKeyId']}")
    lacking = "have no encryption key or no retention" if group else "have no log group yet"
    step = f"Deploy {JOB_LOGS} once in the account and region, as its first lines describe"
    protected = any(stack.protected for stack in account.stacks)
    return Finding("job logs", lacking, [step] if protected else ())


def _stacks(account: Account) -> Finding:
    missing = account.missing()
    message = f"{len(account.stacks) - len(missing)} of {len(account.stacks)} are deployed"
    steps = [
        f"Review the changes with: {make_command('plan', ENV=account.environment)}",
        f"Deploy them with: {make_command('deploy', ENV=account.environment)}",
    ]
    return Finding("stacks", message, steps if missing else ())


CHECKS: dict[str, Callable[[Account], Finding]] = {
    "region": _region,
    "images": _images,
    "zones": _zones,
    "quotas": _quotas,
    "OIDC provider": _provider,
    "alarms": _alarms,
    "job logs": _job_logs,
    "costs": _costs,
    "stacks": _stacks,
}
"""The checks, in the order in which you must fix their findings."""
