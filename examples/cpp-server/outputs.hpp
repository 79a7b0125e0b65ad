// The outputs: which there are, and what they hold.
#ifndef OUTPUTS_HPP
#define OUTPUTS_HPP

#include "parameters.hpp"
#include "protocol.hpp"

/// As a model's metadata has them.
nlohmann::json outputs_metadata();
/// Refuses those that the task does not have.
void check_outputs(const std::vector<WantedOutput> &wanted, Kind kind);
/// The response to a request, with the outputs that it wants.
InferResponse response_of(const std::string &model, const InferRequest &request, const Parameters &asked,
                          const smoothtopk::answers &answers);

#endif
