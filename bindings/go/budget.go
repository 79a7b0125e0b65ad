package smoothtopk

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"strconv"
)

// Schedule is how the statements of an AlphaBudget share its total. It is the library's text, which the library checks.
type Schedule string

const (
	// ScheduleSlow is for any number of statements, with shares that fall little faster than 1/i.
	ScheduleSlow Schedule = "slow"
	// ScheduleSquare is for any number of statements; the i-th gets 6/(pi^2 i^2) of the total.
	ScheduleSquare Schedule = "square"
	// ScheduleAsked gives each statement what it asks for (DrawOf), while there is enough.
	ScheduleAsked Schedule = "asked"
)

// ScheduleEven is for a known number of statements, with the same share each.
func ScheduleEven(statements uint64) Schedule {
	return Schedule("even:" + strconv.FormatUint(statements, 10))
}

// AlphaBudget is an alpha that many statements share: those about a data set, or about a day's requests. With every
// statement made at the alpha of a share of its own, drawn before the samples it rests on, the probability that any of
// them is wrong is at most the total, and the expected number of wrong ones at most what was spent; neither needs the
// statements to be independent. A share is spent when it is drawn, whether or not a statement comes of it.
//
// All methods may be called from any number of goroutines at once. A copy is the same budget, not a second one. The
// garbage collector frees it. One that NewAlphaBudget or OpenAlphaBudget did not make has no alpha: its methods panic.
type AlphaBudget struct {
	inner *nativeBudget
}

// nativeBudget owns the library's budget, for all copies of an AlphaBudget.
type nativeBudget struct {
	lib    *Library
	native *C.stk_budget
}

// Share is the part of an AlphaBudget that one statement may spend.
type Share struct {
	// Statement is which statement it is, from 1.
	Statement uint64
	// Alpha is the failure probability that it may be made at, as in Request.Alpha.
	Alpha float64
}

// NewAlphaBudget makes a budget of which nothing is spent. The total is above 0 and at most 1e12: from 1 up it bounds
// the expected number of wrong statements, and says nothing of their being all right.
func (l *Library) NewAlphaBudget(total float64, schedule Schedule) (*AlphaBudget, error) {
	text, err := cText("schedule", string(schedule))
	if err != nil {
		return nil, err
	}
	return l.newBudget(C.shim_budget_new(l.api(), C.double(total), text))
}

// OpenAlphaBudget opens a budget as it stood when Save gave this text.
func (l *Library) OpenAlphaBudget(saved []byte) (*AlphaBudget, error) {
	text, err := cText("text", string(saved))
	if err != nil {
		return nil, err
	}
	return l.newBudget(C.shim_budget_open(l.api(), text))
}

func (l *Library) newBudget(out C.shim_out) (*AlphaBudget, error) {
	if err := l.checked(out); err != nil {
		return nil, err
	}
	b := &nativeBudget{l, (*C.stk_budget)(out.value)}
	runtime.AddCleanup(b, func(native *C.stk_budget) { C.shim_budget_free(l.api(), native) }, b.native)
	return &AlphaBudget{b}, nil
}

// open is the library's budget, which the caller keeps alive.
func (b *AlphaBudget) open() *nativeBudget {
	if b == nil || b.inner == nil {
		panic("smoothtopk: an AlphaBudget that NewAlphaBudget or OpenAlphaBudget did not make")
	}
	return b.inner
}

// Save gives the budget as it stands, as a JSON object on one line. A server that may stop at any moment draws a number
// of shares ahead, saves the budget and only then uses them: what it had not used when it stopped is lost, never spent
// twice.
func (b *AlphaBudget) Save() ([]byte, error) {
	n := b.open()
	defer runtime.KeepAlive(n)
	var text [C.STK_BUDGET_TEXT_SIZE]C.char
	if err := n.lib.checked(C.shim_budget_save(n.lib.api(), n.native, &text[0], C.size_t(len(text)))); err != nil {
		return nil, err
	}
	return []byte(C.GoString(&text[0])), nil
}

// maxShares bounds what Draw allocates.
const maxShares = 1_000_000

// Draw draws the shares of the next statements, up to a million, all or none. It is not for ScheduleAsked. An exhausted
// budget gives an error of kind ErrInvalidArgument, and nothing is then spent.
func (b *AlphaBudget) Draw(number int) ([]Share, error) {
	if number < 1 || number > maxShares {
		message := fmt.Sprintf("must be from 1 to %d, got %d", maxShares, number)
		return nil, invalid(ErrInvalidArgument, "number", message)
	}
	n := b.open()
	defer runtime.KeepAlive(n)
	alphas := make([]float64, number)
	var first C.uint64_t
	err := n.lib.checked(C.shim_budget_draw(n.lib.api(), n.native, C.size_t(number), (*C.double)(&alphas[0]), &first))
	if err != nil {
		return nil, err
	}
	shares := make([]Share, number)
	for i, alpha := range alphas {
		shares[i] = Share{uint64(first) + uint64(i), alpha}
	}
	return shares, nil
}

// DrawOf draws alpha, from 1e-100 to 0.5, for one statement; it is for ScheduleAsked. Alpha must not depend on the
// samples of that statement. Where less is left the error is of kind ErrInvalidArgument, and nothing is spent.
func (b *AlphaBudget) DrawOf(alpha float64) (Share, error) {
	n := b.open()
	defer runtime.KeepAlive(n)
	var statement C.uint64_t
	if err := n.lib.checked(C.shim_budget_draw_of(n.lib.api(), n.native, C.double(alpha), &statement)); err != nil {
		return Share{}, err
	}
	return Share{uint64(statement), alpha}, nil
}

// Total is the alpha that all statements share.
func (b *AlphaBudget) Total() float64 {
	n := b.open()
	defer runtime.KeepAlive(n)
	return float64(C.shim_budget_total(n.lib.api(), n.native))
}

// Spent is what the shares that were drawn add to, rounded up.
func (b *AlphaBudget) Spent() float64 {
	n := b.open()
	defer runtime.KeepAlive(n)
	return float64(C.shim_budget_spent(n.lib.api(), n.native))
}

// Left is what is not spent, rounded down.
func (b *AlphaBudget) Left() float64 {
	n := b.open()
	defer runtime.KeepAlive(n)
	return float64(C.shim_budget_left(n.lib.api(), n.native))
}

// Drawn is how many shares were drawn.
func (b *AlphaBudget) Drawn() uint64 {
	n := b.open()
	defer runtime.KeepAlive(n)
	return uint64(C.shim_budget_drawn(n.lib.api(), n.native))
}
