"""What is proposed in place of the model that runs."""

from training.choose import reason_against

CHAMPION = {"accuracy": 0.95, "f1_macro": 0.94, "log_loss": 0.2}


def test_better_is_proposed() -> None:
    assert reason_against(CHAMPION | {"log_loss": 0.19}, CHAMPION) == ""


def test_alike_and_worse_are_not() -> None:
    assert "log_loss is 0.2, and not below" in reason_against(CHAMPION, CHAMPION)
    assert "log_loss is 0.3, and not below" in reason_against(CHAMPION | {"log_loss": 0.3}, CHAMPION)


def test_what_is_lost_on_the_way_counts() -> None:
    found = reason_against(CHAMPION | {"accuracy": 0.9, "log_loss": 0.1}, CHAMPION)
    assert "accuracy fell from 0.95 to 0.9" in found
