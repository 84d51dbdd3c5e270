"""What the suite asks of a service's own API: the items of the example, or the predictions of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Series = tuple[str, str, str]  # method, route, status
REF = "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"
INSTANCE = {
    "mean_radius": 11.4, "mean_texture": 18.6, "mean_perimeter": 73.3, "mean_area": 398, "mean_smoothness": 0.096,
    "mean_compactness": 0.085, "mean_concavity": 0.04, "mean_concave_points": 0.03, "mean_symmetry": 0.18,
    "mean_fractal_dimension": 0.063,
}  # fmt: skip


@dataclass(frozen=True)
class Surface:
    """An API.

    Attributes:
        ask: what can always be asked for, with its query.
        tail: how the answer to that ends while nothing was sent.
        path: to which something is sent.
        body: that is good, and needs no upstream.
        sent: the status of the answer to it.
        found: the route of what the answer's ``Location`` leads to; empty where it has none.
        series: of ``http_server_request_duration_seconds`` that are there from the start.
        upstream: whether it asks an upstream.
    """

    ask: str
    tail: bytes
    path: str
    body: Mapping[str, object]
    sent: int
    found: str
    series: tuple[Series, ...]
    upstream: bool

    @property
    def route(self) -> str:
        """The route of ``ask``."""
        return self.ask.partition("?")[0]

    @property
    def referring(self) -> Mapping[str, object]:
        """A body that lets the service ask its upstream, where it has one."""
        return {**self.body, "ref": REF} if self.upstream else self.body


ITEMS = Surface(
    ask="/v1/items?limit=1",
    tail=b'{"items":[],"next":null}',
    path="/v1/items",
    body={"name": "x", "quantity": 1},
    sent=201,
    found="/v1/items/{id}",
    series=(
        *(("POST", "/v1/items", status) for status in ("201", "400", "413", "415", "422", "500", "502")),
        *(("GET", "/v1/items", status) for status in ("200", "422", "500")),
        *(("GET", "/v1/items/{id}", status) for status in ("200", "404", "500")),
        *(("DELETE", "/v1/items/{id}", status) for status in ("204", "404", "500")),
    ),
    upstream=True,
)
PREDICTIONS = Surface(
    ask="/v1/model",
    tail=b'"classes":["malignant","benign"]}',
    path="/v1/predictions",
    body=INSTANCE,
    sent=200,
    found="",
    series=(
        *(
            ("POST", path, status)
            for path in ("/v1/predictions", "/v1/predictions/batch")
            for status in ("200", "400", "413", "415", "422", "500")
        ),
        *(("GET", path, status) for path in ("/v1/model", "/openapi.json") for status in ("200", "500")),
    ),
    upstream=False,
)


def surface_of(name: str) -> Surface:
    """Return the API of a service in a language, or of a kind."""
    return PREDICTIONS if name == "model" else ITEMS
