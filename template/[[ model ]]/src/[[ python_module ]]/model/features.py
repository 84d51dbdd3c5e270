"""What the model takes: the API checks each request against it, and the training its data."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Features(BaseModel):
    """One instance. The fields, in this order, are the columns of the model.

    Each is a number or an integer, with the least and the greatest value that make sense; one that may be missing is
    `float | None`. Whoever changes a field trains the model anew: the service refuses one that takes something else.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    mean_radius: Annotated[float, Field(ge=1, le=50)]
    mean_texture: Annotated[float, Field(ge=1, le=100)]
    mean_perimeter: Annotated[float, Field(ge=10, le=350)]
    mean_area: Annotated[float, Field(ge=10, le=5000)]
    mean_smoothness: Annotated[float, Field(ge=0, le=1)]
    mean_compactness: Annotated[float, Field(ge=0, le=1)]
    mean_concavity: Annotated[float, Field(ge=0, le=1)]
    mean_concave_points: Annotated[float, Field(ge=0, le=1)]
    mean_symmetry: Annotated[float, Field(ge=0, le=1)]
    mean_fractal_dimension: Annotated[float, Field(ge=0, le=1)]
