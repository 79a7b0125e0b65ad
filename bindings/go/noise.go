package smoothtopk

// #include "shim.h"
import "C"

import "fmt"

// Noise is a distribution with its parameter, in the units of the input. It is the library's text, which the library
// checks when it is used.
type Noise string

// NoiseGaussian is Gaussian noise of standard deviation sigma. Radii are l2 norms.
func NoiseGaussian(sigma float64) Noise { return Noise("gaussian:" + decimal(sigma)) }

// NoiseUniform is noise that is uniform on [-lambda, lambda] for each element. Radii are l1 norms.
func NoiseUniform(lambda float64) Noise { return Noise("uniform:" + decimal(lambda)) }

// NoiseAblation keeps pixels of an input at random, all channels of one together, and sets the others to 0. Radii are
// numbers of pixels. Settings follow the number: "ablate:40:channels=first:value=0.5".
func NoiseAblation(keep int) Noise { return Noise(fmt.Sprintf("ablate:%d", keep)) }

// NoiseBand shows every band of so many columns, the rest set to 0. All bands are classified, each once, so that no N,
// Alpha, Seed or Rule is taken. Radii are columns of a patch.
func NoiseBand(columns int) Noise { return Noise(fmt.Sprintf("band:%d", columns)) }

// NoiseBlock is as NoiseBand for square blocks. Radii are sides of a square patch, in pixels.
func NoiseBlock(side int) Noise { return Noise(fmt.Sprintf("block:%d", side)) }

// NoiseSplit is deterministic splitting noise for inputs that are multiples of 1/levels in [0, 1]. All splits are
// classified, as with NoiseBand. Radii are l1 norms.
func NoiseSplit(splits, levels int) Noise {
	return Noise(fmt.Sprintf("split:%d:levels=%d", splits, levels))
}

// Generator makes the random bits of noise.
type Generator int32

const (
	// Philox is Philox4x32-10, with a seed of 64 bits; the default.
	Philox Generator = C.STK_GENERATOR_PHILOX
	// ChaCha12 is a stream cipher, with a key of 256 bits: noise that was seen tells nothing of other noise, which
	// keeps an adversary who does not know the key from foreseeing it.
	ChaCha12 Generator = C.STK_GENERATOR_CHACHA12
)

// ChaCha12KeySize is the number of bytes of a key of ChaCha12.
const ChaCha12KeySize = C.STK_CHACHA12_KEY_SIZE

// noise is the text of the request's noise.
func (r *Request) noise() (Noise, error) {
	switch {
	case r.Noise == "":
		return NoiseGaussian(r.Sigma), nil
	case r.Sigma != 0:
		return "", invalid(ErrInvalidArgument, "sigma", fmt.Sprintf("is given beside the noise %q: leave one out", r.Noise))
	}
	return r.Noise, nil
}

// setGenerator refuses what contradicts itself, where C would let the later call count.
func (r *Request) setGenerator(out *C.shim_request) error {
	switch {
	case r.Generator != 0 && r.Generator != Philox && r.Generator != ChaCha12:
		return invalid(ErrInvalidArgument, "generator", fmt.Sprintf("must be Philox or ChaCha12, got %d", r.Generator))
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
