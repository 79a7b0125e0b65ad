package smoothtopk

// #include "shim.h"
import "C"

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Counts says how many noisy samples of one input gave each label, and knows all that decides what they prove: the
// noise and what its rounding costs, why the samples ended, which samples they are, and of which model and input. So
// what is asked of counts takes the costs, and the bounds that are valid, by itself.
//
// Counts remember that a statement was made from them. Samples that are added after it may have been added for what was
// seen, so the sum takes bounds that hold at all looks.
//
// Counts come from Model.Sample, from answers, and from Library.CountsFromJSON and Library.AssumeCounts. All methods
// may be called from any number of goroutines at once. Close frees them, or the garbage collector does, some time
// later. They are used by pointer and must not be copied: Clone makes a copy.
type Counts struct {
	lib     *Library
	cleanup runtime.Cleanup

	mu     sync.RWMutex
	native *C.stk_counts // nil once closed
	labels []uint64
	n      uint64
	bad    uint64
}

// Assumed is what the caller states of bare numbers. Noise is needed.
type Assumed struct {
	// Noise is what the samples were drawn with.
	Noise Noise
	// N is the number of samples, valid and invalid: at least the sum of the counts, which it is if 0.
	N uint64
	// RadiusCost is what rounding the noise takes off every radius, in the units of the input.
	RadiusCost float64
	// Validity says why the samples ended: ValidityFixed, the default, for a number that was fixed before they were
	// drawn; ValidityAnytime or ValidityAnytimeTo where looks at the counts may have ended them.
	Validity Validity
}

// nativeCounts is the number of counts that are open in the library: tests look at it.
var nativeCounts atomic.Int64

// AssumeCounts makes counts of bare numbers by label, such as those of a paper or of a loop of one's own. What is
// certified from them is as true as what is stated of them, and says so: Certificate.Assumed.
func (l *Library) AssumeCounts(labels []uint64, assumed Assumed) (*Counts, error) {
	noise, err := cText("noise", string(assumed.Noise))
	if err != nil {
		return nil, err
	}
	validity, err := cText("validity", string(assumed.Validity))
	if err != nil {
		return nil, err
	}
	return l.takeCounts(C.shim_counts_assume(l.api(), (*C.uint64_t)(unsafe.SliceData(labels)), C.size_t(len(labels)),
		C.uint64_t(assumed.N), noise, C.double(assumed.RadiusCost), validity))
}

// CountsFromJSON reads counts that any language wrote, with or without the secret. Those that were damaged, or that a
// newer version wrote with fields that this one does not know, are refused. It cannot tell whether the numbers are
// true: read what you trust.
func (l *Library) CountsFromJSON(text []byte) (*Counts, error) {
	json, err := cText("counts", string(text))
	if err != nil {
		return nil, err
	}
	return l.takeCounts(C.shim_counts_from_json(l.api(), json))
}

// takeCounts owns the counts that a call gave; nil where it gave none.
func (l *Library) takeCounts(out C.shim_out) (*Counts, error) {
	if err := l.checked(out); err != nil || out.value == nil {
		return nil, err
	}
	return l.newCounts((*C.stk_counts)(out.value))
}

func (l *Library) newCounts(native *C.stk_counts) (*Counts, error) {
	nativeCounts.Add(1)
	c := &Counts{lib: l, native: native}
	if err := c.read(); err != nil {
		l.freeCounts(native)
		return nil, err
	}
	c.cleanup = runtime.AddCleanup(c, l.freeCounts, native)
	return c, nil
}

func (l *Library) freeCounts(native *C.stk_counts) {
	C.shim_counts_free(l.api(), native)
	nativeCounts.Add(-1)
}

// read copies the numbers.
func (c *Counts) read() (err error) {
	c.labels, err = array[uint64](c.lib, C.shim_counts_labels(c.lib.api(), c.native))
	c.n, c.bad = uint64(C.shim_counts_n(c.lib.api(), c.native)), uint64(C.shim_counts_invalid(c.lib.api(), c.native))
	return err
}

// mustBeMade gives the reason where Go would tell of a nil pointer.
func (c *Counts) mustBeMade() {
	if c == nil || c.lib == nil {
		panic("smoothtopk: Counts that no call of this package made")
	}
}

// use keeps the counts open, and unchanged, until release; release also keeps the garbage collector away.
func (c *Counts) use() error {
	c.mustBeMade()
	c.mu.RLock()
	if c.native == nil {
		c.mu.RUnlock()
		return ErrClosed
	}
	return nil
}

func (c *Counts) release() { c.mu.RUnlock() }

// Labels are the numbers of samples that gave each label. It may be called after Close, as may N and Invalid.
func (c *Counts) Labels() []uint64 {
	c.mustBeMade()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Clone(c.labels)
}

// N is the number of samples, valid and invalid.
func (c *Counts) N() uint64 {
	c.mustBeMade()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.n
}

// Invalid is the number of samples whose scores were not finite, so that they have no label. Bounds count them for
// every rival.
func (c *Counts) Invalid() uint64 {
	c.mustBeMade()
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.bad
}

// Assumptions is what is assumed of bare numbers, in words, one assumption a line; empty for samples that the library
// drew.
func (c *Counts) Assumptions() (string, error) {
	return c.text(func(native *C.stk_counts) C.shim_out { return C.shim_counts_assumptions(c.lib.api(), native) })
}

// JSON is the written form that every language reads (smoothtopk-counts 1.0), with a digest in the place of the seed or
// key: for showing to others. A short seed can be guessed from its digest.
func (c *Counts) JSON() ([]byte, error) {
	text, err := c.text(func(native *C.stk_counts) C.shim_out { return C.shim_counts_json(c.lib.api(), native) })
	return []byte(text), err
}

// JSONWithSecret is JSON with the seed or key, so that the samples can be drawn again. Whoever reads it knows the
// noise.
func (c *Counts) JSONWithSecret() ([]byte, error) {
	text, err := c.text(func(native *C.stk_counts) C.shim_out { return C.shim_counts_json_with_secret(c.lib.api(), native) })
	return []byte(text), err
}

// MarshalJSON is JSON.
func (c *Counts) MarshalJSON() ([]byte, error) { return c.JSON() }

// text copies a text, which lives until counts are added to.
func (c *Counts) text(get func(*C.stk_counts) C.shim_out) (string, error) {
	if err := c.use(); err != nil {
		return "", err
	}
	defer c.release()
	out := get(c.native)
	if err := c.lib.checked(out); err != nil {
		return "", err
	}
	return C.GoString((*C.char)(out.value)), nil
}

// Clone makes a copy, which remembers what the counts do.
func (c *Counts) Clone() (*Counts, error) {
	if err := c.use(); err != nil {
		return nil, err
	}
	defer c.release()
	return c.lib.takeCounts(C.shim_counts_clone(c.lib.api(), c.native))
}

// Add adds the counts of other samples of the same model, input and noise. Refused, with the counts unchanged, are
// samples of another model, arithmetic, input or noise, samples that are counted already, and bare numbers on one side
// only.
//
// The sum is of a number fixed beforehand where both are, and no statement was made from either; else it takes bounds
// that hold at all looks.
func (c *Counts) Add(other *Counts) error {
	c.mustBeMade()
	if c == other {
		return invalid(ErrInvalidArgument, "other", "is the counts themselves: samples count once")
	}
	// A copy: two goroutines that add a to b and b to a must not wait for each other.
	part, err := other.Clone()
	if err != nil {
		return err
	}
	defer part.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.native == nil {
		return ErrClosed
	}
	if err := c.lib.checked(C.shim_counts_add(c.lib.api(), c.native, part.native)); err != nil {
		return err
	}
	return c.read()
}

// SetGrowing says, before the first look, that samples may be added after looks: every statement then takes bounds that
// hold at all numbers of samples, so that all looks together are false with probability at most alpha. Counts that are
// only added to make two statements: the first, and all later ones. last is the most samples that there may come to be,
// which exact noise needs; 0 if that is not known.
func (c *Counts) SetGrowing(last uint64) error {
	c.mustBeMade()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.native == nil {
		return ErrClosed
	}
	return c.lib.checked(C.shim_counts_set_growing(c.lib.api(), c.native, C.uint64_t(last)))
}

// Close frees the counts. What is asked of them later gives ErrClosed. The error is always nil.
func (c *Counts) Close() error {
	c.mustBeMade()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.native != nil {
		c.cleanup.Stop()
		c.lib.freeCounts(c.native)
		c.native = nil
	}
	return nil
}
