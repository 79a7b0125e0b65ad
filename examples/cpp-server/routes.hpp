// Which path is what.
#ifndef ROUTES_HPP
#define ROUTES_HPP

#include <map>
#include <memory>
#include <string>

#include "service.hpp"

class Routes {
 public:
  void add(const std::string &model, std::unique_ptr<Service> service);
  /// `ready` is what the server says of itself.
  Cancel handle(Request request, Answer answer, bool ready) const;

 private:
  Reply metrics() const;
  std::map<std::string, std::unique_ptr<Service>> services_;
};

#endif
