"""The stacks of an environment, from plan to teardown. `python -m helpers.infra.stacks --help`."""

from helpers.infra.stacks.configuration import StackConfiguration, load_stacks
from helpers.infra.stacks.deploy import deploy
from helpers.infra.stacks.outputs import stack_outputs
from helpers.infra.stacks.plan import plan_all
from helpers.infra.stacks.teardown import teardown

__all__ = ["StackConfiguration", "deploy", "load_stacks", "plan_all", "stack_outputs", "teardown"]
