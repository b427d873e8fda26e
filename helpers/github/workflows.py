"""The sections of .github/workflows that list environments, generated from infra/parameters.

A section is a key whose line ends in `# make workflows`, with the more deeply indented lines below it.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from helpers.environments import PREVIEW, EnvironmentSettings
from helpers.errors import UserError

WORKFLOWS = Path(__file__).parents[2] / ".github" / "workflows"
SECTION = re.compile(r"^(?P<indent> *)[\w-]+:.* # make workflows\n(?:\n*(?P=indent) .*\n)*", re.MULTILINE)


def sections(promoted: Mapping[str, EnvironmentSettings]) -> dict[str, str]:
    """Return the sections of the workflows that list environments, by the name of the workflow.

    Args:
        promoted: the environments that a merge is deployed to, in promotion order.
    """
    unattended = [name for name, settings in promoted.items() if not settings.approval]
    return {
        "deploy": _chain(promoted),
        "plan": _plan_roles(promoted),
        "drift": _plan_roles(promoted),
        "rollback": _list("options", promoted),
        "promote-model": _promotion_inputs(promoted) if len(promoted) > 1 else "",  # part: model life cycle
        "sweep": _sweeps(unattended) if unattended else "",
    }


def generate(promoted: Mapping[str, EnvironmentSettings], folder: Path = WORKFLOWS) -> dict[Path, str]:
    """Return the workflows whose text would change, with their new text.

    Args:
        promoted: see `sections`.
        folder: the folder of the workflows; deleted workflows are not created again.

    Raises:
        UserError: there is no environment to deploy to, or a workflow has no section.
    """
    if not promoted:
        raise UserError(
            "No file of infra/parameters has a PromotionOrder",
            hint="Add PromotionOrder to the environments that a merge is deployed to",
        )
    changed = {}
    for path in sorted(folder.glob("*.yml")):
        if section := sections(promoted).get(path.stem):
            text = path.read_text(encoding="utf-8")
            wanted = _with_section(path, text, section)
            if wanted != text:
                changed[path] = wanted
    return changed


def unused_workflows(
    promoted: Mapping[str, EnvironmentSettings], *, previews: bool, folder: Path = WORKFLOWS
) -> list[Path]:
    """Return the workflows that no environment uses, so that you can delete them.

    Args:
        promoted: see `sections`.
        previews: whether pull requests have previews.
        folder: the folder of the workflows.
    """
    unused = {name for name, section in sections(promoted).items() if not section}
    return [
        path
        for path in sorted(folder.glob("*.yml"))
        if path.stem.removesuffix("-environment") in unused
        or (path.stem.startswith(PREVIEW) and not previews)
    ]


def _with_section(path: Path, text: str, section: str) -> str:
    found = list(SECTION.finditer(text))
    if len(found) != 1:
        raise UserError(
            f"{path} has {len(found)} lines that end in '# make workflows' instead of one",
            hint="Put that comment on the key whose value lists environments, and on no other line",
        )
    indent = found[0]["indent"]
    indented = "".join(indent + line if line.strip() else line for line in section.splitlines(keepends=True))
    return text[: found[0].start()] + indented + text[found[0].end() :]


def _plan_roles(names: Iterable[str]) -> str:
    roles = (
        f"  - environment: {name}\n"
        f"    role: ${{{{ vars.PLAN_ROLE_ARN_{name.upper()} }}}}\n"
        f"    region: ${{{{ vars.AWS_REGION_{name.upper()} }}}}\n"
        for name in names
    )
    return "include: # make workflows\n" + "".join(roles)


def _list(key: str, names: Iterable[str]) -> str:
    return f"{key}: [{', '.join(names)}] # make workflows\n"


# begin: model life cycle
def _promotion_inputs(names: Iterable[str]) -> str:
    """Return the inputs of a promotion, two of which list the environments."""
    options = f"    options: [{', '.join(names)}]\n    required: true\n"
    return (
        "inputs: # make workflows\n"
        "  version:\n"
        "    description: Version of the model, as `make models` lists them\n"
        "    type: string\n"
        "    required: true\n"
        "  from:\n"
        "    description: The environment that has approved it\n"
        "    type: choice\n"
        f"{options}"
        "  environment:\n"
        "    description: The environment to promote it to\n"
        "    type: choice\n"
        f"{options}"
    )


# end: model life cycle
_DEPLOYS = """\
    permissions:
      contents: read # to check out
      id-token: write # to assume the role
"""


def _chain(promoted: Mapping[str, EnvironmentSettings]) -> str:
    """Return one job for each environment, which needs the previous one and deploys the same code.

    Approval is a separate job before it. A job that waits for approval would block its concurrency group,
    and each job of an environment with reviewers would wait for an approval of its own.
    """
    jobs = []
    before = ""
    for name, settings in promoted.items():
        needs = [*([before] if before else []), *([approval_of(name)] if settings.approval else [])]
        if settings.approval:
            jobs.append(_approval(name, before))
        jobs.append(
            f"  {name}:\n"
            f"    name: {name}\n"
            + (f"    needs: [{', '.join(needs)}]\n" if needs else "")
            + f"    if: {_is_set_up(name)}\n"
            "    concurrency:\n"
            f"      group: environment-{name}\n"
            "      cancel-in-progress: false\n"
            "      queue: max\n"
            "    uses: ./.github/workflows/deploy-environment.yml\n"
            f"{_DEPLOYS}"
            "    with:\n"
            f"      environment: {name}\n"
            + (f"      code: ${{{{ needs.{before}.outputs.code }}}}\n" if before else "")
            + ("      stop-executions: false\n" if settings.protected else "")
        )
        before = name
    return "jobs: # make workflows\n" + "\n".join(jobs)


def approval_of(environment: str) -> str:
    """Return the name of the GitHub environment whose reviewers approve deployments to another one."""
    return f"{environment}-approval"


def _approval(name: str, before: str) -> str:
    return (
        f"  {approval_of(name)}:\n"
        f"    name: Approval of {name}\n"
        + (f"    needs: {before}\n" if before else "")
        + f"    if: {_is_set_up(name)}\n"
        "    runs-on: ubuntu-latest\n"
        "    timeout-minutes: 5\n"
        f"    environment: {approval_of(name)}\n"
        "    permissions: {}\n"
        "    concurrency: # one per run: waiting for approval blocks no other run\n"
        f"      group: {approval_of(name)}-${{{{ github.run_id }}}}\n"
        "      cancel-in-progress: false\n"
        "    steps:\n"
        "      - name: Record the approval\n"
        '        run: echo "Approved." >>"$GITHUB_STEP_SUMMARY"\n'
    )


def _sweeps(names: Iterable[str]) -> str:
    jobs = (
        f"  {name}:\n"
        f"    name: {name}\n"
        f"    if: {_is_set_up(name)}\n"
        "    uses: ./.github/workflows/sweep-environment.yml\n"
        f"{_DEPLOYS}"
        "    with:\n"
        f"      environment: {name}\n"
        for name in names
    )
    return "jobs: # make workflows\n" + "\n".join(jobs)


def _is_set_up(name: str) -> str:
    """Return the condition that an environment is set up on GitHub, which it is not in a new repository."""
    return f"vars.{region_variable(name)} != ''"


def region_variable(name: str) -> str:
    """Return the variable of the repository that marks an environment as set up on GitHub."""
    return f"AWS_REGION_{name.upper()}"
