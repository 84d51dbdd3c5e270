"""Whether a newly trained model, the challenger, is proposed in place of the one that runs, the champion. Yours."""

from collections.abc import Mapping

# This decides; smaller is better. It knows how sure a model was, where accuracy knows only on which side it came out.
DECIDES = "log_loss"
# How far these may fall all the same; larger is better.
KEPT = {"accuracy": 0.01, "f1_macro": 0.01}


def reason_against(challenger: Mapping[str, float], champion: Mapping[str, float]) -> str:
    """Return why the challenger is not proposed; empty if it is.

    Args:
        challenger: its metrics (`training.describe.metrics`).
        champion: those of the champion, on the same data, which neither has seen.
    """
    if challenger[DECIDES] >= champion[DECIDES]:
        return f"{DECIDES} is {challenger[DECIDES]:g}, and not below the champion's {champion[DECIDES]:g}"
    fallen = (
        f"{name} fell from {champion[name]:g} to {challenger[name]:g}, by more than {most:g}"
        for name, most in KEPT.items()
        if champion[name] - challenger[name] > most
    )
    return next(fallen, "")
