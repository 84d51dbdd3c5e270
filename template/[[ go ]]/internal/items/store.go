package items

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// ErrNotFound is returned for an id that is not in the store.
var ErrNotFound = errors.New("no such item")

// Store keeps items, in the order in which they were added. It is used by many requests at once.
type Store interface {
	Add(ctx context.Context, item Item) error
	Get(ctx context.Context, id uuid.UUID) (Item, error)
	// List returns up to limit items, those behind after where it is not nil, and whether there are more.
	List(ctx context.Context, after *uuid.UUID, limit int) (items []Item, more bool, err error)
	Delete(ctx context.Context, id uuid.UUID) error
}

// MemoryStore is a Store that forgets everything when the process ends.
type MemoryStore struct {
	mu    sync.RWMutex
	items []Item
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{}
}

// Add implements Store.
func (s *MemoryStore) Add(_ context.Context, item Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, item)
	return nil
}

// Get implements Store.
func (s *MemoryStore) Get(_ context.Context, id uuid.UUID) (Item, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at := s.index(id)
	if at < 0 {
		return Item{}, ErrNotFound
	}
	return s.items[at], nil
}

// List implements Store.
func (s *MemoryStore) List(_ context.Context, after *uuid.UUID, limit int) ([]Item, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rest := s.items
	if after != nil {
		at := s.index(*after)
		if at < 0 {
			return nil, false, ErrNotFound
		}
		rest = rest[at+1:]
	}
	count := min(limit, len(rest))
	return append([]Item{}, rest[:count]...), len(rest) > count, nil
}

// Delete implements Store.
func (s *MemoryStore) Delete(_ context.Context, id uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.index(id)
	if at < 0 {
		return ErrNotFound
	}
	s.items = slices.Delete(s.items, at, at+1)
	return nil
}

func (s *MemoryStore) index(id uuid.UUID) int {
	return slices.IndexFunc(s.items, func(item Item) bool { return item.ID == id })
}
