package smoothtopk

// #include "shim.h"
import "C"

import "fmt"

// Generator is where the noise's bits come from.
type Generator int32

const (
	// Philox is Philox4x32-10, with a seed of 64 bits; the default.
	Philox Generator = C.STK_GENERATOR_PHILOX
	// ChaCha12 is a stream cipher, with a key of 256 bits: noise that was seen tells nothing of other noise, which keeps
	// an adversary who does not know the key from foreseeing it.
	ChaCha12 Generator = C.STK_GENERATOR_CHACHA12
)

// ChaCha12KeySize is the number of bytes of a key of ChaCha12.
const ChaCha12KeySize = C.STK_CHACHA12_KEY_SIZE

var generatorNames = map[Generator]string{C.STK_GENERATOR_NONE: "none", Philox: "philox", ChaCha12: "chacha12"}

// String is the generator's name: philox, chacha12, or none for 0.
func (g Generator) String() string {
	if name, known := generatorNames[g]; known {
		return name
	}
	return fmt.Sprintf("Generator(%d)", int32(g))
}

// setGenerator refuses what contradicts itself, where C would let the later call count.
func (r *Request) setGenerator(out *C.shim_request) error {
	switch {
	case r.Generator != 0 && r.Generator != Philox && r.Generator != ChaCha12:
		return invalid(ErrInvalidArgument, "generator", fmt.Sprintf("must be Philox or ChaCha12, got %v", r.Generator))
	case r.Generator == Philox && r.ChaCha12Key != nil:
		return invalid(ErrInvalidArgument, "chacha12_key", "is given, and the generator is Philox: leave one of them out")
	case r.Seed != nil && (r.Generator == ChaCha12 || r.ChaCha12Key != nil):
		return invalid(ErrInvalidArgument, "seed", "is for Philox: ChaCha12 takes a key")
	}
	if r.Seed != nil {
		out.set |= C.SHIM_SET_SEED
		out.seed = C.uint64_t(*r.Seed)
	}
	if r.Generator == ChaCha12 {
		out.set |= C.SHIM_SET_CHACHA12
	}
	if r.ChaCha12Key != nil {
		out.set |= C.SHIM_SET_CHACHA12 | C.SHIM_SET_CHACHA12_KEY
		for i, b := range r.ChaCha12Key {
			out.chacha12_key[i] = C.uint8_t(b)
		}
	}
	return nil
}
