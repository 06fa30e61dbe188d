package hive

import (
	"errors"
	"io"
	"runtime"
	"runtime/debug"
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
// A panic of any of them, also one that [Mapped.Guard] is there for, ends them all and is raised again.
//
// Subkeys is [Key.Keys] or [Key.Stored], for the order of [Key.Walk] or [Key.WalkStored].
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
		others.Go(func() {
			debug.SetPanicOnFault(true) // so that it becomes one that can be raised again
			drain(encoder())
		})
	}
	// To walk takes less time than to encode. So the one who walks is an encoder as well, and takes a part whenever enough of
	// them are waiting: to hand over each part to somebody who sleeps takes longer than to encode it.
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

// Encoders is the number of encoders that keeps all cores busy.
func Encoders() int { return runtime.GOMAXPROCS(0) }

// sequence writes what becomes of parts in the order of their numbers, whoever is done first.
type sequence struct {
	mu      sync.Mutex
	changed sync.Cond // next or err is another
	w       io.Writer
	err     error
	next    int       // number of the part whose turn it is
	begun   []pending // the part with the number n at n modulo the length
	used    int       // buffers that an encoder has, or that wait for their turn
	empty   [][]byte  // buffers that can be used again

	panicked any // what an encoder or the walk panicked with
}

var errPanicked = errors.New("an encoder panicked")

// recover ends the sequence where the function that defers it panicked.
func (s *sequence) recover() {
	if r := recover(); r != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.panicked, s.err = r, errPanicked
		s.changed.Broadcast()
	}
}

// pending is what there is of a part and not written.
type pending struct {
	buffers [][]byte
	done    bool // that is all
}

// newSequence makes a sequence in which so many parts at most are begun and not written, and as many buffers are used.
func newSequence(w io.Writer, most int) *sequence {
	s := &sequence{w: w, begun: make([]pending, most)}
	s.changed.L = &s.mu
	return s
}

// add encodes a part and writes what becomes of it, at once or, when it is not its turn yet, in the name of the part before it.
func (s *sequence) add(part Part, encode Encoder) {
	b := s.begin(part.Number)
	b = encode(b, part, func(full []byte) []byte { return s.exchange(part.Number, full) })
	s.end(part.Number, b)
}

// begin gives a buffer for a part, as soon as there is room for it.
func (s *sequence) begin(number int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.await(number)
	return s.buffer()
}

// await waits until there is room for another buffer of a part. There always is for the part whose turn it is, so that somebody goes on.
// It is called while mu is held.
func (s *sequence) await(number int) {
	for number > s.next && (s.used >= len(s.begun) || number >= s.next+len(s.begun)) && s.err == nil {
		s.changed.Wait()
	}
}

// buffer gives an empty buffer. It is called while mu is held.
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

// exchange gives an empty buffer for a full one, which waits for its turn.
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

// end notes that a part is done, and writes all whose turn has come.
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

// put puts a buffer of a part behind the others of it. It is called while mu is held.
func (s *sequence) put(number int, b []byte) {
	p := s.part(number)
	p.buffers = append(p.buffers, b)
}

// writePending writes what there is of the part whose turn it is, unless something before it could not be written. It is called while mu
// is held.
func (s *sequence) writePending() {
	p := s.part(s.next)
	for _, b := range p.buffers {
		if s.err == nil && len(b) > 0 {
			_, s.err = s.w.Write(b)
		}
		if cap(b) <= 2*FullBuffer { // else it held something very long, which is rare
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
