package hive

import (
	"io"
	"runtime"
	"sync"
)

// FullBuffer is the number of bytes from which a buffer is full.
const FullBuffer = 64 << 10

// Encoder makes something of a part of a walk. It appends to b and gives the rest; a buffer that is full it exchanges on the way
// for an empty one.
type Encoder func(b []byte, part Part, exchange func(full []byte) (empty []byte)) (rest []byte)

// Encode writes what encoders make of the key and all below it, in the order of the walk. Several work on parts of the walk side by
// side, each on one at a time, and what they make waits until it is its turn: the memory for it has a limit, however large a part
// becomes. Where there is one encoder, it gets the parts in their order.
//
// Subkeys is [Key.Keys] or [Key.Stored], for the order of [Key.Walk] or [Key.WalkStored].
func (k *Key) Encode(w io.Writer, encoders int, subkeys func(*Key) []*Key, encoder func() Encoder) error {
	var (
		out     = newSequence(w, 4*encoders)
		waiting = make(chan Part, 4*encoders)
		others  sync.WaitGroup
	)
	for range encoders - 1 {
		others.Go(func() {
			encode := encoder()
			for part := range waiting {
				out.add(part, encode)
			}
		})
	}
	// To walk takes less time than to encode. So the one who walks is an encoder as well, and takes a part whenever enough of
	// them are waiting: to hand over each part to somebody who sleeps takes longer than to encode it.
	encode := encoder()
	for part := range k.parts(subkeys) {
		for queued := false; !queued; {
			select {
			case waiting <- part:
				queued = true
			default:
				select {
				case oldest := <-waiting:
					out.add(oldest, encode)
				default:
				}
			}
		}
		if out.failed() {
			break
		}
	}
	close(waiting)
	for part := range waiting {
		out.add(part, encode)
	}
	others.Wait()
	return out.err
}

// Encoders is the number of encoders that keeps all cores busy.
func Encoders() int { return runtime.GOMAXPROCS(0) }

// sequence writes what becomes of parts in the order of their numbers, whoever is done first.
type sequence struct {
	mu      sync.Mutex
	changed sync.Cond // next or err is another
	w       io.Writer
	err     error
	next    int      // number of the part whose turn it is
	done    [][]byte // the parts that are done before their turn: that with the number n at n modulo the length
	empty   [][]byte // buffers that can be used again
}

// newSequence makes a sequence in which so many parts at most are begun and not written.
func newSequence(w io.Writer, most int) *sequence {
	s := &sequence{w: w, done: make([][]byte, most)}
	s.changed.L = &s.mu
	return s
}

// add encodes a part and writes what becomes of it, at once or, when it is not its turn yet, in the name of the part before it.
func (s *sequence) add(part Part, encode Encoder) {
	b := s.begin(part.Number)
	b = encode(b, part, func(full []byte) []byte {
		s.mu.Lock()
		defer s.mu.Unlock()
		for s.next != part.Number && s.err == nil {
			s.changed.Wait()
		}
		s.write(full)
		return full[:0]
	})
	s.end(part.Number, b)
}

// begin gives a buffer for a part, as soon as there is room for it.
func (s *sequence) begin(number int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number >= s.next+len(s.done) && s.err == nil {
		s.changed.Wait()
	}
	last := len(s.empty) - 1
	if last < 0 {
		return make([]byte, 0, FullBuffer+8<<10)
	}
	b := s.empty[last]
	s.empty = s.empty[:last]
	return b
}

// end notes that a part is done, and writes all whose turn has come.
func (s *sequence) end(number int, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.done[number%len(s.done)] = b
	for {
		turn := &s.done[s.next%len(s.done)]
		if *turn == nil {
			return
		}
		s.write(*turn)
		if cap(*turn) <= 2*FullBuffer { // else it held something very long, which is rare
			s.empty = append(s.empty, (*turn)[:0])
		}
		*turn = nil
		s.next++
		s.changed.Broadcast()
	}
}

// write writes a buffer, unless an earlier one could not be written. It is called while mu is held.
func (s *sequence) write(b []byte) {
	if s.err != nil || len(b) == 0 {
		return
	}
	if _, s.err = s.w.Write(b); s.err != nil {
		s.changed.Broadcast()
	}
}

func (s *sequence) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}
