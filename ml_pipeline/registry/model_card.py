"""Formats the content of a model card as text."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def card_facts(content: str) -> tuple[tuple[str, str], ...]:
    """Return the content of a card by name; empty if the card is empty or not valid JSON."""
    try:
        card = json.loads(content)
    except ValueError:
        return ()
    return tuple(_facts(card)) if isinstance(card, dict) else ()


def _facts(card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in ("intended_uses", "business_details", "additional_information"):
        for name, value in card.get(part, {}).items():
            if isinstance(value, str):
                yield name.replace("_", " ").capitalize(), value
    training = card.get("training_details", {}).get("training_job_details", {})
    if found := training.get("training_datasets"):
        yield "Training data", ", ".join(found)
    if found := training.get("hyper_parameters"):
        yield "Hyperparameters", ", ".join(f"{each['name']} {each['value']}" for each in found)
    for evaluation in card.get("evaluation_details", []):
        if observation := evaluation.get("evaluation_observation"):
            yield f"Evaluation on {evaluation['name']}", observation
        for group in evaluation.get("metric_groups", []):
            metrics = (f"{each['name']} {_shown(each['value'])}" for each in group["metric_data"])
            yield f"Metrics of {group['name']}", ", ".join(metrics)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
