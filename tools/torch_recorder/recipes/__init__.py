"""What is trained, by the configuration's key `recipe`."""

from ..refusal import Refusal
from .gan import Gan

RECIPES = {"gan": Gan}


def recipe_of(config, classes):
    name = config["recipe"]
    if name not in RECIPES:
        raise Refusal(f"recipe = {name} is not recorded; {', '.join(RECIPES)} can be")
    return RECIPES[name](config, classes)
