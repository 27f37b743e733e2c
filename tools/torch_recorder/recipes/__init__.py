"""What is trained, by the configuration's key `recipe`."""

from ..refusal import Refusal
from .classify import Classify
from .cut import Cut
from .cyclegan import CycleGan
from .gan import Gan
from .restore import Restore
from .tryon import Tryon
from .vae import Vae

RECIPES = {"classify": Classify, "cut": Cut, "cyclegan": CycleGan, "gan": Gan, "restore": Restore, "tryon": Tryon, "vae": Vae}


def recipe_of(config, classes):
    name = config["recipe"]
    if name not in RECIPES:
        raise Refusal(f"recipe = {name} is not recorded; {', '.join(RECIPES)} can be")
    return RECIPES[name](config, classes)
