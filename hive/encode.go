package hive

import (
	"errors"
	"io"
	"runtime"
	"sync"
)

// FullBuffer is the size at which a buffer counts as full, in bytes.
const FullBuffer = 64 << 10

// Encoder encodes a part of a walk. It appends to b and returns what is not written yet; on the way it exchanges each full buffer for an
// empty one.
type Encoder func(b []byte, part Part, exchange func(full []byte) (empty []byte)) (rest []byte)

// Encode encodes the key and everything below it, and writes that in the order of the walk. Several encoders work on parts of the walk in
// parallel, each on one part at a time; their output waits for its turn in a limited amount of memory, however large a part becomes. A
// single encoder gets the parts in order.
//
// A panic in any of them ends them all and is raised again.
//
// subkeys is [Key.Keys] or [Key.Stored], for the order of [Key.Walk] or [Key.WalkStored].
func (k *Key) Encode(w io.Writer, encoders int, subkeys func(*Key) []*Key, encoder func() Encoder) error {
	var (
		out     = newSequence(w, 4*encoders)
		waiting = make(chan Part, 4*encoders)
		others  sync.WaitGroup
	)
	drain := func(encode Encoder) {
		defer out.recover()
		for part := range waiting {
			out.add(part, encode)
		}
	}
	for range encoders - 1 {
		others.Go(func() { drain(encoder()) })
	}
	// Walking takes less time than encoding. So the goroutine that walks also encodes, whenever enough parts are waiting: waking
	// another goroutine for each part takes longer than encoding it.
	encode := encoder()
	walk := func() {
		defer out.recover()
		defer close(waiting)
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
	}
	walk()
	drain(encode)
	others.Wait()
	if out.panicked != nil {
		panic(out.panicked)
	}
	return out.err
}

// Encoders returns the number of encoders that keeps all cores busy.
func Encoders() int { return runtime.GOMAXPROCS(0) }

// sequence writes the encoded parts in the order of their numbers, whichever is done first.
type sequence struct {
	mu      sync.Mutex
	changed sync.Cond // signaled when next or err changes
	w       io.Writer
	err     error
	next    int       // number of the part whose turn it is
	begun   []pending // part n is at n modulo the length
	used    int       // buffers that an encoder holds or that wait for their turn
	empty   [][]byte  // buffers to be used again

	panicked any // what an encoder or the walk panicked with, or nil
}

var errPanicked = errors.New("an encoder panicked")

// recover ends the sequence if the function that defers it panicked.
func (s *sequence) recover() {
	if r := recover(); r != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.panicked, s.err = r, errPanicked
		s.changed.Broadcast()
	}
}

// pending is the output of a part that is not written yet.
type pending struct {
	buffers [][]byte
	done    bool // the part is complete
}

// newSequence returns a sequence that holds at most as many unwritten parts as most says, and at most as many buffers.
func newSequence(w io.Writer, most int) *sequence {
	s := &sequence{w: w, begun: make([]pending, most)}
	s.changed.L = &s.mu
	return s
}

// add encodes a part. If it is its turn, add writes it; else whoever ends the part before it does.
func (s *sequence) add(part Part, encode Encoder) {
	b := s.begin(part.Number)
	b = encode(b, part, func(full []byte) []byte { return s.exchange(part.Number, full) })
	s.end(part.Number, b)
}

// begin returns a buffer for a part as soon as there is room for one.
func (s *sequence) begin(number int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.await(number)
	return s.buffer()
}

// await waits until there is room for another buffer of a part. There always is for the part whose turn it is, so that one of them goes on.
// The caller holds mu.
func (s *sequence) await(number int) {
	for number > s.next && (s.used >= len(s.begun) || number >= s.next+len(s.begun)) && s.err == nil {
		s.changed.Wait()
	}
}

// buffer returns an empty buffer. The caller holds mu.
func (s *sequence) buffer() []byte {
	s.used++
	last := len(s.empty) - 1
	if last < 0 {
		return make([]byte, 0, FullBuffer+8<<10)
	}
	b := s.empty[last]
	s.empty = s.empty[:last]
	return b
}

// exchange takes a full buffer, which waits for its turn, and returns an empty one.
func (s *sequence) exchange(number int, full []byte) (empty []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(number, full)
	if s.next == number {
		s.writePending()
	}
	s.await(number)
	return s.buffer()
}

// end notes that a part is complete, and writes all parts whose turn has come.
func (s *sequence) end(number int, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(number, b)
	s.part(number).done = true
	for s.part(s.next).done {
		s.writePending()
		s.part(s.next).done = false
		s.next++
		s.changed.Broadcast()
	}
}

func (s *sequence) part(number int) *pending { return &s.begun[number%len(s.begun)] }

// put appends a buffer to those of its part. The caller holds mu.
func (s *sequence) put(number int, b []byte) {
	p := s.part(number)
	p.buffers = append(p.buffers, b)
}

// writePending writes the buffers of the part whose turn it is, unless an earlier write failed. The caller holds mu.
func (s *sequence) writePending() {
	p := s.part(s.next)
	for _, b := range p.buffers {
		if s.err == nil && len(b) > 0 {
			_, s.err = s.w.Write(b)
		}
		if cap(b) <= 2*FullBuffer { // else it grew for something very long, which is rare
			s.empty = append(s.empty, b[:0])
		}
	}
	s.used -= len(p.buffers)
	clear(p.buffers)
	p.buffers = p.buffers[:0]
	if s.err != nil {
		s.changed.Broadcast()
	}
}

func (s *sequence) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}
