package telemetry

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

// blocked is a reader that has stopped, until it goes on.
type blocked struct {
	goOn chan struct{}
	mu   sync.Mutex
	got  bytes.Buffer
}

func (b *blocked) Write(lines []byte) (int, error) {
	<-b.goOn
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.got.Write(lines)
}

func TestOutputCountsWhatDoesNotFit(t *testing.T) {
	file := &blocked{goOn: make(chan struct{})}
	var lost int
	output := NewOutput(file, func(lines int) { lost += lines })
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const lines = 3 * maxPending / 1024
	for range lines {
		if n, err := output.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	start := time.Now()
	output.Flush(50 * time.Millisecond)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("waited %s for a reader that has stopped", took)
	}
	close(file.goOn)
	output.Flush(10 * time.Second)
	if kept := bytes.Count(file.got.Bytes(), line); kept < maxPending/1024 || kept+lost != lines || lost == 0 {
		t.Errorf("%d lines were written and %d counted as lost, of %d", kept, lost, lines)
	}
}
