"""What is trained, by the configuration's key `recipe`."""

from ..refusal import Refusal
from .classify import Classify
from .gan import Gan
from .restore import Restore
from .vae import Vae

RECIPES = {"classify": Classify, "gan": Gan, "restore": Restore, "vae": Vae}


def recipe_of(config, classes):
    name = config["recipe"]
    if name not in RECIPES:
        raise Refusal(f"recipe = {name} is not recorded; {', '.join(RECIPES)} can be")
    return RECIPES[name](config, classes)
