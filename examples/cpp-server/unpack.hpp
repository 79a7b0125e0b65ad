// Bodies that a client has packed (Content-Encoding).
#ifndef UNPACK_HPP
#define UNPACK_HPP

#include <string>

/// The body as it was before it was packed, by gzip or deflate; an empty encoding, or "identity", is for none. Refused
/// (see protocol.hpp) where it is damaged, or larger than `limit` bytes.
std::string unpacked(std::string body, const std::string &encoding, std::size_t limit);

#endif
