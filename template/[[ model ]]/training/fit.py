"""The model itself. Replace it with your own: anything that skl2onnx converts, with a seed."""

from sklearn.ensemble import RandomForestClassifier

from .data import Data

SEED = 20


def fit(data: Data) -> RandomForestClassifier:
    """Train on this data; the same data gives the same model, in one thread and whatever the processor."""
    return RandomForestClassifier(n_estimators=50, min_samples_leaf=2, random_state=SEED, n_jobs=1).fit(
        data.rows, data.labels
    )
