package telemetry

import (
	"io"
	"sync"
	"time"
)

// What waits to be written; about four thousand lines.
const maxPending = 1 << 20

// Output writes what it is given from a goroutine of its own, so that nobody waits for who reads it: a reader may be
// slow, have stopped, or be gone. What does not fit is lost, in whole lines, and counted.
type Output struct {
	onLoss func(lines int)
	wake   chan struct{}

	mu      sync.Mutex
	pending []byte
	lost    int
	writing bool
}

// NewOutput calls onLoss once lines were lost and there is room again.
func NewOutput(file io.Writer, onLoss func(lines int)) *Output {
	output := &Output{onLoss: onLoss, wake: make(chan struct{}, 1)}
	go output.run(file)
	return output
}

// Write takes one line. It never waits and never fails.
func (o *Output) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending)+len(line) > maxPending {
		o.lost++
		return len(line), nil
	}
	o.pending = append(o.pending, line...)
	select {
	case o.wake <- struct{}{}:
	default: // it is awake
	}
	return len(line), nil
}

// Flush waits until all is written, for so long at most.
func (o *Output) Flush(limit time.Duration) {
	for end := time.Now().Add(limit); o.busy() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

func (o *Output) busy() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.writing || len(o.pending) > 0
}

func (o *Output) run(file io.Writer) {
	for range o.wake {
		for lines := o.take(); len(lines) > 0; lines = o.take() {
			_, _ = file.Write(lines) // where nobody can be told that it failed
		}
	}
}

func (o *Output) take() []byte {
	o.mu.Lock()
	lines, lost := o.pending, o.lost
	o.pending, o.lost, o.writing = nil, 0, len(lines) > 0
	o.mu.Unlock()
	if lost > 0 {
		o.onLoss(lost)
	}
	return lines
}
