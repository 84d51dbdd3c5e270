import type { Item } from "./item.ts";

export interface Page {
  items: Item[];
  next: string | null;
}

export interface ItemStore {
  add(item: Item): Promise<void>;
  get(id: string): Promise<Item | undefined>;
  /** Oldest first, from the item after `after`; undefined when there is no such item. */
  list(limit: number, after?: string): Promise<Page | undefined>;
  /** Whether there was such an item. */
  remove(id: string): Promise<boolean>;
}

/** Keeps items until the process ends. No method waits halfway, so concurrent requests cannot disturb each other. */
export class MemoryItemStore implements ItemStore {
  readonly #items = new Map<string, Item>(); // keeps the order of insertion

  async add(item: Item): Promise<void> {
    this.#items.set(item.id, item);
  }

  async get(id: string): Promise<Item | undefined> {
    return this.#items.get(id);
  }

  async list(limit: number, after?: string): Promise<Page | undefined> {
    if (after !== undefined && !this.#items.has(after)) return undefined;
    const all = [...this.#items.values()];
    const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const items = all.slice(start, start + limit);
    const more = start + limit < all.length;
    return { items, next: (more && items.at(-1)?.id) || null };
  }

  async remove(id: string): Promise<boolean> {
    return this.#items.delete(id);
  }
}
