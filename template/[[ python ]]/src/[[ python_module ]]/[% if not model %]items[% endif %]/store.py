"""Where items are kept."""

from itertools import dropwhile, islice
from typing import Protocol
from uuid import UUID

from .model import Item, Page


class ItemStore(Protocol):
    async def add(self, item: Item) -> None: ...

    async def get(self, item_id: UUID) -> Item | None: ...

    async def delete(self, item_id: UUID) -> bool:
        """Tell whether there was such an item."""

    async def page(self, limit: int, after: UUID | None) -> Page | None:
        """List items, oldest first; None where there is no item `after`."""


class InMemoryItemStore:
    """Safe for concurrent requests: no method waits for anything, so the event loop runs each one as a whole."""

    def __init__(self) -> None:
        self._items: dict[UUID, Item] = {}

    async def add(self, item: Item) -> None:
        self._items[item.id] = item

    async def get(self, item_id: UUID) -> Item | None:
        return self._items.get(item_id)

    async def delete(self, item_id: UUID) -> bool:
        return self._items.pop(item_id, None) is not None

    async def page(self, limit: int, after: UUID | None) -> Page | None:
        rest = iter(self._items.values())
        if after is not None:
            if after not in self._items:
                return None
            rest = islice(dropwhile(lambda item: item.id != after, rest), 1, None)
        items = list(islice(rest, limit + 1))
        more = len(items) > limit
        return Page(items=items[:limit], next=items[limit - 1].id if more else None)

    async def clear(self) -> None:
        self._items.clear()
