"""Generated loans, and the declaration of a model for them: two classes, missing values, a text as key."""

import math
import random
from collections.abc import Iterator

from etl.ingestion.fields import Date, Double, Integer, String
from model_quality.data import ModelData

LOANS = ModelData(
    fields=(
        Date("applied"),
        String("purpose", choices=("car", "home", "other")),
        Double("amount", minimum=0),
        Integer("months", minimum=1),
        Double("income", minimum=0, required=False),
        String("repaid", choices=("no", "yes")),
    ),
    label="repaid",
    key=String("loan"),
    ignored=("applied",),
    slices=("purpose",),
)


def training_rows(count: int, seed: int = 1) -> Iterator[str]:
    """Yield rows whose label depends on income, amount, purpose and chance."""
    for purpose, amount, months, income, repaid in _loans(count, seed):
        yield f"2026-03-{months % 28 + 1:02},{purpose},{amount:.2f},{months},{income},{repaid}"


def scoring_rows(count: int, seed: int = 2, factor: float = 1.0) -> Iterator[str]:
    """Yield rows with a key and without a label; `factor` scales the amounts."""
    for number, (purpose, amount, months, income, _) in enumerate(_loans(count, seed)):
        yield f"L-{number:06},{purpose},{amount * factor:.2f},{months},{income}"


def _loans(count: int, seed: int) -> Iterator[tuple[str, float, int, str, str]]:
    chance = random.Random(seed)
    for _ in range(count):
        purpose = chance.choice(("car", "home", "home", "other"))
        amount, income = chance.lognormvariate(9, 1), chance.lognormvariate(8, 0.5)
        odds = 6 - amount / income + (purpose == "home")
        repaid = chance.random() < 1 / (1 + math.exp(-max(-30.0, min(odds, 30.0))))
        shown = "" if chance.random() < 0.1 else f"{income:.2f}"
        yield purpose, amount, chance.randint(6, 72), shown, "yes" if repaid else "no"
