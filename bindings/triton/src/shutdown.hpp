// The end of the process. When --exit-timeout-secs has passed Triton ends it whatever runs, and ONNX Runtime's statics
// go while the library's threads use them. So what runs is cancelled and answered before: exit() calls first what was
// registered last. ONNX Runtime makes some of its statics when a model first needs them, so each model that was not
// opened before has its end registered anew.
#ifndef SHUTDOWN_HPP
#define SHUTDOWN_HPP

#include <string>

class Model;

/// Once the library has opened the model whose file has this hash. Throws Failure.
void register_end(const std::string &sha256);

/// From opened() to closed() exit() calls the model's abandon().
void opened(Model *model);
void closed(Model *model);

#endif
