// The end of the process. When --exit-timeout-secs has passed Triton ends it whatever runs, and ONNX Runtime's statics
// go while the library's threads use them. So what runs is cancelled and answered before.
#ifndef SHUTDOWN_HPP
#define SHUTDOWN_HPP

class Model;

/// Loads ONNX Runtime, and has exit() call abandon() of every model that is open. What is registered after ONNX Runtime
/// was loaded is called before its statics are destroyed. Throws Failure.
void prepare_shutdown();

void opened(Model *model);
void closed(Model *model);

#endif
