// What an answer says: one table of outputs.
#ifndef OUTPUTS_HPP
#define OUTPUTS_HPP

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "options.hpp"
#include "response.hpp"

/// For a config that has none.
nlohmann::json output_configs(bool batched);
/// Throws Failure for one that there is not, or of another type.
void check_output(const std::string &name, const std::string &data_type);

/// What a request wants of its task. Naming none asks Triton for all that the config lists: then those of the task are
/// meant. Else one that the task has not is an error, before anything is computed.
std::set<std::string> wanted_outputs(TRITONBACKEND_Request *request, Task task, std::size_t listed);

/// Puts them into the response: shapes [inputs, 1], [inputs, ks] or [inputs, largest k].
void write_outputs(Response &response, const stk::answers &answers, const Asked &asked,
                   const std::set<std::string> &wanted);

#endif
