"""Mends of moto's CloudFormation, so that what deploys here deploys on AWS, and has the same effects."""

from helpers.local_aws.cloudformation.change_sets import mend_stacks_and_change_sets
from helpers.local_aws.cloudformation.deleted_stacks import remember_deleted_stacks
from helpers.local_aws.cloudformation.drift import detect_drift
from helpers.local_aws.cloudformation.imports import know_imports
from helpers.local_aws.cloudformation.logs import name_all_streams
from helpers.local_aws.cloudformation.s3 import leave_conditions_to_aws

__all__ = ["mend_cloudformation"]


def mend_cloudformation() -> None:
    """Mend moto in this process; call it before the first request. A second call changes nothing."""
    mend_stacks_and_change_sets()
    know_imports()
    remember_deleted_stacks()
    detect_drift()
    leave_conditions_to_aws()
    name_all_streams()
