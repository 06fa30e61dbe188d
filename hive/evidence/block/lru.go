package block

import (
	"container/list"
	"sync"
)

// LRU keeps what was used last, as much as a limit allows, but always the last. It is safe for concurrent use.
type LRU[K comparable, V any] struct {
	most  int // bytes
	mu    sync.Mutex
	size  int
	at    map[K]*list.Element // of order
	order *list.List          // of kept, the one last used first
}

type kept[K comparable, V any] struct {
	key   K
	value V
	size  int
}

// NewLRU returns an empty LRU for so many bytes.
func NewLRU[K comparable, V any](most int) *LRU[K, V] {
	return &LRU[K, V]{most: most, at: map[K]*list.Element{}, order: list.New()}
}

// Get returns what is kept under a key.
func (l *LRU[K, V]) Get(key K) (value V, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.at[key]
	if !ok {
		return value, false
	}
	l.order.MoveToFront(e)
	return e.Value.(kept[K, V]).value, true
}

// Add keeps a value of so many bytes under a key. What is there already stays: another reader was faster.
func (l *LRU[K, V]) Add(key K, value V, size int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.at[key]; ok {
		return
	}
	l.at[key] = l.order.PushFront(kept[K, V]{key, value, size})
	l.size += size
	for l.size > l.most && l.order.Len() > 1 {
		last := l.order.Remove(l.order.Back()).(kept[K, V])
		delete(l.at, last.key)
		l.size -= last.size
	}
}
