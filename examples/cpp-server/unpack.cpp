#include "unpack.hpp"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "protocol.hpp"

namespace {

struct End {
  void operator()(z_stream *stream) const { inflateEnd(stream); }
};

std::string inflated(const std::string &body, int window, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, End> ends(&stream);
  // zlib's own type is not const, and it does not write there.
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    char part[64 << 10];
    stream.next_out = reinterpret_cast<Bytef *>(part);
    stream.avail_out = sizeof part;
    status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END)
      throw Refusal(400, "the body is not what its Content-Encoding says, or ends too early");
    out.append(part, sizeof part - stream.avail_out);
    if (out.size() > limit)
      throw Refusal(413, "the body is larger than " + std::to_string(limit) + " bytes when it is unpacked");
  }
  if (stream.avail_in > 0) throw Refusal(400, "there are bytes behind the packed body");
  return out;
}

}  // namespace

std::string unpacked(std::string body, const std::string &encoding, std::size_t limit) {
  if (encoding.empty() || encoding == "identity") return body;
  // zlib tells gzip and zlib's own format, which is what HTTP calls deflate, apart by itself. Some send bare deflate:
  // its first byte is not that of zlib's.
  constexpr int either = MAX_WBITS + 32, bare = -MAX_WBITS;
  if (encoding == "gzip") return inflated(body, either, limit);
  if (encoding == "deflate") return inflated(body, !body.empty() && (body[0] & 0x0f) == 8 ? either : bare, limit);
  throw Refusal(415, "the Content-Encoding '" + encoding + "' is not taken; gzip and deflate are");
}
