// Reads a request's JSON piece by piece, so that what is too deep or too large is refused where it begins to be, and
// the numbers of tensors take 8 bytes each.
#ifndef READER_HPP
#define READER_HPP

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

/// The numbers of a tensor's "data", flat or in arrays in arrays.
struct Numbers {
  std::vector<double> values;
  std::vector<std::int64_t> dims;  // sizes of the arrays, those of one depth all alike
  bool whole = true;               // integers alone, up to 2^53
};

class Reader {
 public:
  /// The document of `text`, which must be an object; throws Refusal. All data together may have `most_values` numbers.
  Reader(std::string_view text, std::size_t most_values);

  const nlohmann::json &document() const noexcept { return document_; }
  /// Of a tensor of the document; null where it has no array for its data.
  const Numbers *data(const nlohmann::json &tensor) const;

 private:
  struct Sax;
  nlohmann::json document_;
  std::vector<Numbers> data_;
};

#endif
