"""Data and models as datasets of OpenLineage."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from golden_path.data.checks import Outcome
from golden_path.data.contract import Contract
from golden_path.data.lineage import Dataset, Job


def digest(frame: pd.DataFrame) -> str:
    """The digest of data, whatever they came in: of names and values, in their order."""
    total = hashlib.sha256(repr([(str(name), str(frame[name].dtype)) for name in frame.columns]).encode())
    total.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return total.hexdigest()


def data(job: Job, frame: pd.DataFrame, contract: Contract, outcomes: Iterable[Outcome], name: str = "") -> Dataset:
    """Return what a job read.

    Args:
        job: that read it.
        frame: the data.
        contract: of the data.
        outcomes: of the check.
        name: of the data; by default the contract's table.
    """
    fields = [
        {"name": one.column, "type": one.type, **({"description": one.description} if one.description else {})}
        for one in contract.fields
    ]
    missing = {str(name): {"nullCount": int(frame[name].isna().sum())} for name in dict.fromkeys(frame.columns)}
    assertions = [
        {
            "assertion": one.assertion,
            "success": one.success,
            **({"column": one.column} if one.column else {}),
            **({} if one.success else {"description": one.said}),
        }
        for one in outcomes
    ]
    return Dataset(
        name or contract.table,
        {
            "schema": job.facet("SchemaDatasetFacet", {"fields": fields}),
            "version": job.facet("DatasetVersionDatasetFacet", {"datasetVersion": f"sha256:{digest(frame)}"}),
        },
        {
            "dataQualityMetrics": job.facet(
                "DataQualityMetricsInputDatasetFacet", {"rowCount": len(frame), "columnMetrics": missing}
            ),
            "dataQualityAssertions": job.facet("DataQualityAssertionsDatasetFacet", {"assertions": assertions}),
        },
    )


def model(job: Job, service: str, card: Mapping[str, Any], size: int) -> Dataset:
    """Return a model: its version is its digest.

    Args:
        job: that made it, or read it.
        service: whose model it is.
        card: of the model.
        size: of its file; 0 where it was read.
    """
    features = [
        {"name": one["feature"]["name"], "type": one["feature"]["type"]} for one in card["columns"]
    ]  # fmt: skip
    facets = {
        "schema": job.facet("SchemaDatasetFacet", {"fields": features}),
        "version": job.facet("DatasetVersionDatasetFacet", {"datasetVersion": f"sha256:{card['sha256']}"}),
        "datasetType": job.facet("DatasetTypeDatasetFacet", {"datasetType": "MODEL"}),
    }
    written = {"outputStatistics": job.facet("OutputStatisticsOutputDatasetFacet", {"size": size, "fileCount": 1})}
    return Dataset(f"{service}-model", facets, written if size else {})
