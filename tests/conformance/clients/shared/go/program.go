// What the conformance programs in Go share: the words spoken with the harness
// (../../README.md) and the account of what was sent and read.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Numbers are the measured values that go into the verdict beside its text.
type Numbers map[string]any

// Scenario returns what it has shown in a few words, or the reason why it failed.
type Scenario func(ctx context.Context, env *Env) (detail string, numbers Numbers, err error)

// Env is what the harness gave: where the cluster is, and how the names of topics begin.
type Env struct {
	Bootstrap []string
	prefix    string
	answers   *bufio.Scanner
	asking    sync.Mutex
}

// Name is that of a topic, a group or a transactional id of this run alone.
func (e *Env) Name(suffix string) string { return e.prefix + "-" + suffix }

// Ask has the harness do something and waits until it is done.
func (e *Env) Ask(words ...any) error {
	e.asking.Lock()
	defer e.asking.Unlock()
	fmt.Fprintln(os.Stdout, strings.TrimSuffix("@"+fmt.Sprintln(words...), "\n"))
	if !e.answers.Scan() {
		return fmt.Errorf("the harness is gone: %v", e.answers.Err())
	}
	if answer := e.answers.Text(); answer != "ok" && !strings.HasPrefix(answer, "ok ") {
		return fmt.Errorf("asked the harness for %v: %s", words, answer)
	}
	return nil
}

// Run runs the scenario that the arguments name and prints the verdict. limit is longer than any
// scenario should take: what ends it is a failure with a reason instead of a killed process.
func Run(scenarios map[string]Scenario, limit time.Duration) {
	if len(os.Args) != 4 {
		fmt.Fprintf(os.Stderr, "usage: %s SCENARIO BOOTSTRAP PREFIX\n", os.Args[0])
		os.Exit(2)
	}
	scenario, known := scenarios[os.Args[1]]
	if !known {
		verdict("fail", "no such scenario: "+os.Args[1], nil)
	}
	env := &Env{
		Bootstrap: strings.Split(os.Args[2], ","),
		prefix:    os.Args[3],
		answers:   bufio.NewScanner(os.Stdin),
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	detail, numbers, err := scenario(ctx, env)
	if err != nil {
		verdict("fail", err.Error(), numbers)
	}
	verdict("pass", detail, numbers)
}

func verdict(word, detail string, numbers Numbers) {
	object := map[string]any{"verdict": word, "detail": detail}
	for name, value := range numbers {
		object[name] = value
	}
	line, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
	if word != "pass" {
		os.Exit(1)
	}
	os.Exit(0)
}

// Wait asks again and again until condition holds; its last error says what was missing.
func Wait(ctx context.Context, limit time.Duration, condition func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := condition()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("not within %v: %w", limit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Gaps keeps the longest time between two events.
type Gaps struct {
	mutex   sync.Mutex
	last    time.Time
	longest time.Duration
}

// Mark notes that an event happened now.
func (g *Gaps) Mark() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	now := time.Now()
	if !g.last.IsZero() && now.Sub(g.last) > g.longest {
		g.longest = now.Sub(g.last)
	}
	g.last = now
}

// LongestMs is the longest gap so far in whole milliseconds.
func (g *Gaps) LongestMs() int64 {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.longest.Milliseconds()
}
