"""Adds a step to the module of a pipeline, in the list that `steps` returns."""

import ast
import re

from helpers.errors import UserError


def add_step(source: str, step: str, file: str) -> str:
    """Return the source of a pipeline's module with an added Spark step at the end.

    If the module already contains the step, the source is returned unchanged.

    Raises:
        UserError: the module cannot be edited; the hint contains the line to add.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UserError(
            f"{file}, line {error.lineno}: {error.msg}",
            hint=f"Correct line {error.lineno} of {file}, then run the command again",
        ) from error
    line = f'SparkStep("{step}"),'
    if step in _declared(tree):
        return source
    if not _imports_spark_step(tree):
        raise UserError(f"{file} does not import SparkStep", hint=_by_hand(line))
    returned = _returned_list(tree)
    edited = _with_element(source, returned, line) if returned else None
    if edited is None:
        raise UserError(f"steps() of {file} does not return a plain list of steps", hint=_by_hand(line))
    return edited


def _by_hand(line: str) -> str:
    return f"Add it yourself, then run this command again: from ml_pipeline.steps import SparkStep; {line}"


def _declared(tree: ast.Module) -> set[str]:
    """Return the names of the Spark steps that the module creates with literal names."""
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SparkStep"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def _imports_spark_step(tree: ast.Module) -> bool:
    return any(
        alias.name == "SparkStep" and not alias.asname
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


def _returned_list(tree: ast.Module) -> ast.List | None:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "steps"]
    returns = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.Return)]
    value = returns[0].value if len(returns) == 1 else None
    return value if isinstance(value, ast.List) else None


def _with_element(source: str, elements: ast.List, line: str) -> str | None:
    """Return the source with an added element, or None if the list is not formatted by Ruff."""
    lines = source.splitlines(keepends=True)
    first, last = elements.lineno - 1, (elements.end_lineno or elements.lineno) - 1
    indent = re.match(" *", lines[first])[0]  # type: ignore[index]  # it matches everywhere
    if first == last:
        encoded = lines[first].encode()
        inside = [ast.get_source_segment(source, each) or "" for each in elements.elts]
        own = "".join(f"\n{indent}    {each}" for each in (*(f"{each}," for each in inside), line))
        before, after = encoded[: elements.col_offset], encoded[elements.end_col_offset :]
        lines[first] = f"{before.decode()}[{own}\n{indent}]{after.decode()}"
        return "".join(lines)
    tail = "".join(lines[(elements.elts[-1].end_lineno or 0) - 1 : last])
    if not lines[last].lstrip().startswith("]") or not re.sub("#.*", "", tail).rstrip().endswith(","):
        return None
    lines.insert(last, f"{indent}    {line}\n")
    return "".join(lines)
