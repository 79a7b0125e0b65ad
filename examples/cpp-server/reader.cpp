#include "reader.hpp"

#include "protocol.hpp"

using nlohmann::json;

namespace {

constexpr std::size_t most_depth = 32;        // a tensor of 16 dimensions has less
constexpr std::size_t most_members = 10'000;  // values beside the tensors' data
constexpr std::size_t most_text = 64u << 10;  // bytes of one text

[[noreturn]] void refuse(const std::string &message) { throw Refusal(400, message); }

}  // namespace

struct Reader::Sax final : json::json_sax_t {
  Sax(Reader &reader, std::size_t most) : to(reader), most_values(most) {}

  bool null() override { return value(nullptr); }
  bool boolean(bool v) override { return value(v); }
  bool number_integer(json::number_integer_t v) override {
    return packing() ? number(static_cast<double>(v), true) : value(v);
  }
  bool number_unsigned(json::number_unsigned_t v) override {
    return packing() ? number(static_cast<double>(v), true) : value(v);
  }
  bool number_float(json::number_float_t v, const std::string &) override {
    return packing() ? number(v, false) : value(v);
  }
  bool string(std::string &v) override { return bounded(v), value(std::move(v)); }
  bool binary(json::binary_t &v) override { return value(std::move(v)); }
  bool key(std::string &v) override { return bounded(v), key_ = std::move(v), true; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return open_.pop_back(), true; }
  bool start_array(std::size_t) override {
    if (packing()) return deeper();
    // The document, its inputs, one of them.
    if (open_.size() != 3 || key_ != "data") return open(json::array());
    // In its place stands what no text can give.
    add(json::binary({}, to.data_.size()));
    to.data_.emplace_back();
    leaf_ = 0;
    return deeper();
  }
  bool end_array() override {
    if (!packing()) return open_.pop_back(), true;
    auto &dim = to.data_.back().dims[sizes_.size() - 1];
    if (dim >= 0 && dim != sizes_.back()) ragged();
    dim = sizes_.back();
    sizes_.pop_back();
    return true;
  }
  bool parse_error(std::size_t at, const std::string &, const nlohmann::detail::exception &) override {
    refuse("the body is not JSON: see its byte " + std::to_string(at));
  }

 private:
  bool packing() const { return !sizes_.empty(); }
  [[noreturn]] static void ragged() {
    refuse("an input's data has arrays of different sizes or depths beside each other");
  }

  bool number(double v, bool whole) {
    if (leaf_ == 0) leaf_ = sizes_.size();
    if (leaf_ != sizes_.size() || leaf_ != to.data_.back().dims.size()) ragged();
    ++sizes_.back();
    if (values_++ == most_values) refuse("the inputs have more than " + std::to_string(most_values) + " values");
    auto &data = to.data_.back();
    data.values.push_back(v);
    // A double has these exactly.
    data.whole = data.whole && whole && v >= -0x1p53 && v <= 0x1p53;
    return true;
  }
  bool deeper() {
    if (packing()) {
      if (leaf_ != 0 && leaf_ <= sizes_.size()) ragged();
      ++sizes_.back();
    }
    sizes_.push_back(0);
    deep();
    auto &dims = to.data_.back().dims;
    if (dims.size() < sizes_.size()) dims.push_back(-1);
    return true;
  }
  bool value(json v) {
    if (packing()) refuse("an input's data has something else than numbers");
    return add(std::move(v)), true;
  }
  bool open(json v) {
    if (packing()) refuse("an input's data has something else than numbers");
    open_.push_back(add(std::move(v)));
    deep();
    return true;
  }
  json *add(json v) {
    if (members_++ == most_members)
      refuse("the request has more than " + std::to_string(most_members) + " values beside its tensors' data");
    if (open_.empty()) return to.document_ = std::move(v), &to.document_;
    json &parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(v));
    return parent.push_back(std::move(v)), &parent.back();
  }
  void deep() const {
    if (open_.size() + sizes_.size() > most_depth)
      refuse("the request has more than " + std::to_string(most_depth) + " arrays and objects in each other");
  }
  static void bounded(const std::string &text) {
    if (text.size() > most_text) refuse("the request has a text of more than " + std::to_string(most_text) + " bytes");
  }

  Reader &to;
  const std::size_t most_values;
  std::vector<json *> open_;         // arrays and objects that have not ended, but those in data
  std::vector<std::int64_t> sizes_;  // of the arrays in data that have not ended
  std::size_t leaf_ = 0;             // at which depth of data its numbers are; 0: there was none yet
  std::size_t values_ = 0, members_ = 0;
  std::string key_;
};

Reader::Reader(std::string_view text, std::size_t most_values) {
  Sax sax(*this, most_values);
  json::sax_parse(text, &sax);
  if (!document_.is_object()) refuse("the body is not a JSON object");
}

const Numbers *Reader::data(const json &tensor) const {
  const auto it = tensor.find("data");
  return it != tensor.end() && it->is_binary() ? &data_[it->get_binary().subtype()] : nullptr;
}
