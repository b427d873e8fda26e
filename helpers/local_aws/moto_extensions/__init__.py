"""Extends moto where its responses differ from those of AWS; imported after moto is configured.

A subclass of a service's backend or responses replaces that of moto. If moto has no such extension point, a
function is replaced. Both check at startup that moto still has what they extend.
"""

from moto.budgets import urls as budgets_urls
from moto.cloudformation import urls as cloudformation_urls
from moto.cloudformation.models import cloudformation_backends
from moto.kms.models import kms_backends
from moto.logs import urls as logs_urls
from moto.sagemaker.models import sagemaker_backends

from helpers.local_aws.cloudformation.backend import Backend
from helpers.local_aws.cloudformation.responses import Response
from helpers.local_aws.moto_extensions.budgets import BudgetsExtension
from helpers.local_aws.moto_extensions.extending import extend_backend, extend_responses, replace_all
from helpers.local_aws.moto_extensions.kms import KmsExtension, make_no_pair_of_keys
from helpers.local_aws.moto_extensions.logs import LogsExtension
from helpers.local_aws.moto_extensions.s3 import ignore_conditional_statements
from helpers.local_aws.moto_extensions.sagemaker import SageMakerExtension
from helpers.local_aws.moto_extensions.service_models import load_quickly
from helpers.local_aws.moto_extensions.timestamps import read_quickly

__all__ = ["extend_moto"]

REPLACEMENTS = (ignore_conditional_statements, load_quickly, make_no_pair_of_keys, read_quickly)
"""All replaced functions of moto, with their replacements."""


def extend_moto() -> None:
    """Extend moto in this process, before its first request. A second call has no effect.

    Raises:
        ExtensionError: moto no longer has what is extended here.
    """
    extend_backend(cloudformation_backends, Backend)
    extend_backend(sagemaker_backends, SageMakerExtension)
    extend_backend(kms_backends, KmsExtension)
    extend_responses(cloudformation_urls, Response)
    extend_responses(logs_urls, LogsExtension)
    extend_responses(budgets_urls, BudgetsExtension)
    replace_all(REPLACEMENTS)
