package smoothtopk

import (
	"errors"
	"runtime"
	"sync"
	"testing"
)

func budget(t *testing.T, total float64, schedule Schedule) *AlphaBudget {
	t.Helper()
	b, err := library(t).NewAlphaBudget(total, schedule)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBudgetsAreSharedAndEnd(t *testing.T) {
	b := budget(t, 0.01, ScheduleEven(3))
	shares, err := b.Draw(2)
	if err != nil || shares[0].Statement != 1 || shares[1].Statement != 2 || shares[0].Alpha > 0.01/3 ||
		shares[1].Alpha < 0.0033 {
		t.Fatalf("%v, %v", shares, err)
	}
	if _, err := b.Draw(2); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("four of three: %v", err)
	}
	if b.Drawn() != 2 || b.Total() != 0.01 || b.Spent()+b.Left() > 0.01 || b.Spent() < 2*shares[0].Alpha {
		t.Errorf("drawn %d, total %v, spent %v, left %v", b.Drawn(), b.Total(), b.Spent(), b.Left())
	}
	saved, err := b.Save()
	if err != nil {
		t.Fatal(err)
	}
	resumed, err := library(t).OpenAlphaBudget(saved)
	if err != nil {
		t.Fatal(err)
	}
	if last, err := resumed.Draw(1); err != nil || last[0].Statement != 3 || resumed.Spent() <= b.Spent() {
		t.Errorf("resumed: %v, %v", last, err)
	}
	if _, err := resumed.Draw(1); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("a fourth: %v", err)
	}
	slow, square := budget(t, 1, ScheduleSlow), budget(t, 1, ScheduleSquare)
	first, err := slow.Draw(100)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := square.Draw(100); err != nil || first[0].Alpha >= second[0].Alpha || first[99].Alpha <= second[99].Alpha {
		t.Errorf("slow %v .. %v, square %v, %v", first[0], first[99], second, err)
	}
}

func TestBudgetsGiveWhatIsAsked(t *testing.T) {
	b := budget(t, 0.01, ScheduleAsked)
	if share, err := b.DrawOf(0.004); err != nil || share != (Share{1, 0.004}) {
		t.Errorf("%v, %v", share, err)
	}
	if _, err := b.DrawOf(0.007); !errors.Is(err, ErrInvalidArgument) || b.Drawn() != 1 || b.Spent() != 0.004 {
		t.Errorf("more than is left: %v, %d drawn, %v spent", err, b.Drawn(), b.Spent())
	}
	if _, err := b.Draw(1); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("a share that nobody asked for: %v", err)
	}
	if _, err := budget(t, 0.01, ScheduleSlow).DrawOf(0.001); !errors.Is(err, ErrInvalidArgument) {
		t.Errorf("a slow budget was asked: %v", err)
	}
}

func TestBudgetsRefuse(t *testing.T) {
	lib := library(t)
	for schedule, total := range map[Schedule]float64{"": 1, "even": 1, "even:0": 1, "fast": 1, "slow\x00": 1,
		ScheduleSlow: 0, ScheduleSquare: -1, ScheduleEven(1): 0.6, ScheduleEven(1 << 60): 1e-90} {
		if _, err := lib.NewAlphaBudget(total, schedule); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%v, %q: %v", total, schedule, err)
		}
	}
	for _, number := range []int{-1, 0, maxShares + 1} {
		if _, err := budget(t, 1, ScheduleSlow).Draw(number); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%d shares: %v", number, err)
		}
	}
	for _, text := range []string{"", "{}", "slow", "{\x00}", `{"total":1,"schedule":"slow","drawn":-1,"spent":0}`} {
		if _, err := lib.OpenAlphaBudget([]byte(text)); !errors.Is(err, ErrInvalidArgument) && !errors.Is(err, ErrInvalidData) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Each statement is drawn once, and all shares together are at most the total.
func TestGoroutinesShareABudget(t *testing.T) {
	b := budget(t, 0.5, ScheduleSlow)
	const goroutines, draws = 32, 20
	var mu sync.Mutex
	seen := map[uint64]bool{}
	total := 0.0
	var group sync.WaitGroup
	for range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range draws {
				shares, err := b.Draw(1 + i%2)
				if i%5 == 0 {
					runtime.GC()
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, share := range shares {
					if seen[share.Statement] {
						t.Errorf("statement %d was drawn twice", share.Statement)
					}
					seen[share.Statement] = true
					total += share.Alpha
				}
				mu.Unlock()
			}
		}()
	}
	group.Wait()
	if len(seen) != goroutines*draws*3/2 || b.Drawn() != uint64(len(seen)) || total > 0.5 || total > b.Spent()*(1+1e-12) {
		t.Errorf("%d statements, %d drawn, %v of %v", len(seen), b.Drawn(), total, b.Spent())
	}
}

// A copy outlives what it was copied from, and spends the same alpha.
func TestACopiedBudgetIsTheSame(t *testing.T) {
	keep := *budget(t, 0.01, ScheduleEven(100_000))
	other := keep
	for range 20 {
		runtime.GC()
		budget(t, 1, ScheduleSlow)
		if _, err := keep.Draw(1); err != nil {
			t.Fatal(err)
		}
	}
	if other.Drawn() != 20 || other.Total() != 0.01 {
		t.Errorf("%d drawn of %v", other.Drawn(), other.Total())
	}
}
