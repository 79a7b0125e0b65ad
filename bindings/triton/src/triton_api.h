// The part of Triton's C interface for backends that this one uses: names, values and signatures as NVIDIA documents
// them in triton/core/tritonbackend.h and tritonserver.h (TRITONBACKEND API 1.19), written down here so that nothing of
// Triton is needed to build. The server that loads the backend has the functions.
#ifndef TRITON_API_H
#define TRITON_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {

struct TRITONSERVER_Error;
struct TRITONSERVER_Message;
struct TRITONSERVER_Metric;
struct TRITONSERVER_MetricFamily;
struct TRITONSERVER_Parameter;
struct TRITONSERVER_Server;
struct TRITONBACKEND_Backend;
struct TRITONBACKEND_Input;
struct TRITONBACKEND_Model;
struct TRITONBACKEND_ModelInstance;
struct TRITONBACKEND_Output;
struct TRITONBACKEND_Request;
struct TRITONBACKEND_Response;
struct TRITONBACKEND_ResponseFactory;

// Enumerations are passed as int.
typedef enum {
  TRITONSERVER_ERROR_UNKNOWN,
  TRITONSERVER_ERROR_INTERNAL,
  TRITONSERVER_ERROR_NOT_FOUND,
  TRITONSERVER_ERROR_INVALID_ARG,
  TRITONSERVER_ERROR_UNAVAILABLE,
  TRITONSERVER_ERROR_UNSUPPORTED,
  TRITONSERVER_ERROR_ALREADY_EXISTS,
  TRITONSERVER_ERROR_CANCELLED
} TRITONSERVER_Error_Code;

typedef enum {
  TRITONSERVER_TYPE_INVALID,
  TRITONSERVER_TYPE_BOOL,
  TRITONSERVER_TYPE_UINT8,
  TRITONSERVER_TYPE_UINT16,
  TRITONSERVER_TYPE_UINT32,
  TRITONSERVER_TYPE_UINT64,
  TRITONSERVER_TYPE_INT8,
  TRITONSERVER_TYPE_INT16,
  TRITONSERVER_TYPE_INT32,
  TRITONSERVER_TYPE_INT64,
  TRITONSERVER_TYPE_FP16,
  TRITONSERVER_TYPE_FP32,
  TRITONSERVER_TYPE_FP64,
  TRITONSERVER_TYPE_BYTES,
  TRITONSERVER_TYPE_BF16
} TRITONSERVER_DataType;

typedef enum {
  TRITONSERVER_MEMORY_CPU,
  TRITONSERVER_MEMORY_CPU_PINNED,
  TRITONSERVER_MEMORY_GPU
} TRITONSERVER_MemoryType;

typedef enum {
  TRITONSERVER_PARAMETER_STRING,
  TRITONSERVER_PARAMETER_INT,
  TRITONSERVER_PARAMETER_BOOL,
  TRITONSERVER_PARAMETER_DOUBLE,
  TRITONSERVER_PARAMETER_BYTES
} TRITONSERVER_ParameterType;

typedef enum {
  TRITONSERVER_LOG_INFO,
  TRITONSERVER_LOG_WARN,
  TRITONSERVER_LOG_ERROR,
  TRITONSERVER_LOG_VERBOSE
} TRITONSERVER_LogLevel;

typedef enum { TRITONSERVER_METRIC_KIND_COUNTER, TRITONSERVER_METRIC_KIND_GAUGE } TRITONSERVER_MetricKind;
typedef enum { TRITONBACKEND_ARTIFACT_FILESYSTEM } TRITONBACKEND_ArtifactType;
enum { TRITONSERVER_REQUEST_RELEASE_ALL = 1, TRITONSERVER_RESPONSE_COMPLETE_FINAL = 1 };

#define TRITON_ERROR struct TRITONSERVER_Error *

TRITON_ERROR TRITONSERVER_ErrorNew(TRITONSERVER_Error_Code code, const char *message);
void TRITONSERVER_ErrorDelete(TRITON_ERROR error);
const char *TRITONSERVER_ErrorMessage(TRITON_ERROR error);
TRITONSERVER_Error_Code TRITONSERVER_ErrorCode(TRITON_ERROR error);
bool TRITONSERVER_LogIsEnabled(TRITONSERVER_LogLevel level);
TRITON_ERROR TRITONSERVER_LogMessage(TRITONSERVER_LogLevel level, const char *file, int line, const char *message);
TRITON_ERROR TRITONSERVER_MessageNewFromSerializedJson(TRITONSERVER_Message **, const char *json, size_t size);
TRITON_ERROR TRITONSERVER_MessageSerializeToJson(TRITONSERVER_Message *, const char **json, size_t *size);
TRITON_ERROR TRITONSERVER_MessageDelete(TRITONSERVER_Message *);

TRITON_ERROR TRITONSERVER_MetricFamilyNew(TRITONSERVER_MetricFamily **, TRITONSERVER_MetricKind, const char *name,
                                          const char *description);
TRITON_ERROR TRITONSERVER_MetricFamilyDelete(TRITONSERVER_MetricFamily *);
TRITON_ERROR TRITONSERVER_MetricNew(TRITONSERVER_Metric **, TRITONSERVER_MetricFamily *,
                                    const TRITONSERVER_Parameter **labels, uint64_t count);
TRITON_ERROR TRITONSERVER_MetricDelete(TRITONSERVER_Metric *);
TRITON_ERROR TRITONSERVER_MetricIncrement(TRITONSERVER_Metric *, double);
TRITON_ERROR TRITONSERVER_MetricSet(TRITONSERVER_Metric *, double);
TRITONSERVER_Parameter *TRITONSERVER_ParameterNew(const char *name, TRITONSERVER_ParameterType, const void *value);
void TRITONSERVER_ParameterDelete(TRITONSERVER_Parameter *);

TRITON_ERROR TRITONBACKEND_ApiVersion(uint32_t *major, uint32_t *minor);
TRITON_ERROR TRITONBACKEND_BackendState(TRITONBACKEND_Backend *, void **);
TRITON_ERROR TRITONBACKEND_BackendSetState(TRITONBACKEND_Backend *, void *);
TRITON_ERROR TRITONBACKEND_BackendArtifacts(TRITONBACKEND_Backend *, TRITONBACKEND_ArtifactType *, const char **path);

TRITON_ERROR TRITONBACKEND_ModelName(TRITONBACKEND_Model *, const char **);
TRITON_ERROR TRITONBACKEND_ModelVersion(TRITONBACKEND_Model *, uint64_t *);
TRITON_ERROR TRITONBACKEND_ModelRepository(TRITONBACKEND_Model *, TRITONBACKEND_ArtifactType *, const char **path);
TRITON_ERROR TRITONBACKEND_ModelConfig(TRITONBACKEND_Model *, uint32_t version, TRITONSERVER_Message **);
TRITON_ERROR TRITONBACKEND_ModelAutoCompleteConfig(TRITONBACKEND_Model *, bool *);
TRITON_ERROR TRITONBACKEND_ModelSetConfig(TRITONBACKEND_Model *, uint32_t version, TRITONSERVER_Message *);
TRITON_ERROR TRITONBACKEND_ModelBackend(TRITONBACKEND_Model *, TRITONBACKEND_Backend **);
TRITON_ERROR TRITONBACKEND_ModelState(TRITONBACKEND_Model *, void **);
TRITON_ERROR TRITONBACKEND_ModelSetState(TRITONBACKEND_Model *, void *);
TRITON_ERROR TRITONBACKEND_ModelInstanceModel(TRITONBACKEND_ModelInstance *, TRITONBACKEND_Model **);
TRITON_ERROR TRITONBACKEND_ModelInstanceReportStatistics(TRITONBACKEND_ModelInstance *, TRITONBACKEND_Request *,
                                                         bool success, uint64_t exec_start_ns,
                                                         uint64_t compute_start_ns, uint64_t compute_end_ns,
                                                         uint64_t exec_end_ns);
TRITON_ERROR TRITONBACKEND_ModelInstanceReportBatchStatistics(TRITONBACKEND_ModelInstance *, uint64_t batch_size,
                                                              uint64_t exec_start_ns, uint64_t compute_start_ns,
                                                              uint64_t compute_end_ns, uint64_t exec_end_ns);

TRITON_ERROR TRITONBACKEND_RequestInput(TRITONBACKEND_Request *, const char *name, TRITONBACKEND_Input **);
TRITON_ERROR TRITONBACKEND_RequestInputCount(TRITONBACKEND_Request *, uint32_t *);
TRITON_ERROR TRITONBACKEND_RequestInputName(TRITONBACKEND_Request *, uint32_t index, const char **);
TRITON_ERROR TRITONBACKEND_InputProperties(TRITONBACKEND_Input *, const char **name, TRITONSERVER_DataType *,
                                           const int64_t **shape, uint32_t *dims, uint64_t *bytes, uint32_t *buffers);
TRITON_ERROR TRITONBACKEND_InputBuffer(TRITONBACKEND_Input *, uint32_t index, const void **, uint64_t *bytes,
                                       TRITONSERVER_MemoryType *, int64_t *memory_id);
TRITON_ERROR TRITONBACKEND_RequestParameterCount(TRITONBACKEND_Request *, uint32_t *);
TRITON_ERROR TRITONBACKEND_RequestParameter(TRITONBACKEND_Request *, uint32_t index, const char **key,
                                            TRITONSERVER_ParameterType *, const void **value);
TRITON_ERROR TRITONBACKEND_RequestOutputCount(TRITONBACKEND_Request *, uint32_t *);
TRITON_ERROR TRITONBACKEND_RequestOutputName(TRITONBACKEND_Request *, uint32_t index, const char **);
TRITON_ERROR TRITONBACKEND_InferenceRequestTimeoutMicroseconds(TRITONBACKEND_Request *, uint64_t *);
TRITON_ERROR TRITONBACKEND_RequestIsCancelled(TRITONBACKEND_Request *, bool *);
TRITON_ERROR TRITONBACKEND_RequestRelease(TRITONBACKEND_Request *, uint32_t flags);

TRITON_ERROR TRITONBACKEND_ResponseFactoryNew(TRITONBACKEND_ResponseFactory **, TRITONBACKEND_Request *);
TRITON_ERROR TRITONBACKEND_ResponseFactoryDelete(TRITONBACKEND_ResponseFactory *);
TRITON_ERROR TRITONBACKEND_ResponseFactoryIsCancelled(TRITONBACKEND_ResponseFactory *, bool *);
TRITON_ERROR TRITONBACKEND_ResponseNewFromFactory(TRITONBACKEND_Response **, TRITONBACKEND_ResponseFactory *);
TRITON_ERROR TRITONBACKEND_ResponseDelete(TRITONBACKEND_Response *);
TRITON_ERROR TRITONBACKEND_ResponseOutput(TRITONBACKEND_Response *, TRITONBACKEND_Output **, const char *name,
                                          TRITONSERVER_DataType, const int64_t *shape, uint32_t dims);
TRITON_ERROR TRITONBACKEND_OutputBuffer(TRITONBACKEND_Output *, void **, uint64_t bytes, TRITONSERVER_MemoryType *,
                                        int64_t *memory_id);
TRITON_ERROR TRITONBACKEND_ResponseSend(TRITONBACKEND_Response *, uint32_t flags, TRITON_ERROR error);

}  // extern "C"

#endif
