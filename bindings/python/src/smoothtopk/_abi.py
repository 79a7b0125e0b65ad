"""The C ABI as ctypes declarations. Made by make_abi.py from include/smoothtopk.h: change that, not this."""

from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_double, c_float, c_int32, c_int64
from ctypes import c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

STK_NO_LABEL = -1
STK_ABI_VERSION = 1
STK_CHACHA12_KEY_SIZE = 32
STK_LOOK_FINAL = 18446744073709551615
STK_BUDGET_TEXT_SIZE = 256
STK_STATUS_OK = 0
STK_STATUS_INVALID_ARGUMENT = 1
STK_STATUS_INVALID_DATA = 2
STK_STATUS_NOT_FOUND = 3
STK_STATUS_IO = 4
STK_STATUS_MODEL = 5
STK_STATUS_RUNTIME = 6
STK_STATUS_PROVIDER = 7
STK_STATUS_RUN = 8
STK_STATUS_CANCELLED = 9
STK_STATUS_DEADLINE_EXCEEDED = 10
STK_STATUS_INTERNAL = 11
STK_STATUS_PANIC = 12
STK_STATUS_POISONED = 13
STK_STATUS_BUSY = 14
STK_STATUS_FORKED = 15
STK_LOG_LEVEL_OFF = 0
STK_LOG_LEVEL_ERROR = 1
STK_LOG_LEVEL_WARN = 2
STK_LOG_LEVEL_INFO = 3
STK_LOG_LEVEL_DEBUG = 4
STK_GENERATOR_NONE = 0
STK_GENERATOR_PHILOX = 1
STK_GENERATOR_CHACHA12 = 2
STK_VALIDITY_NONE = 0
STK_VALIDITY_FIXED = 1
STK_VALIDITY_ANYTIME = 2
STK_VALIDITY_ANYTIME_TO = 3
STK_VALIDITY_RANDOMIZED = 4
STK_VALIDITY_EXACT = 5
STK_RANDOMIZED_NO = 0
STK_RANDOMIZED_FROM_SEED = 1
STK_RANDOMIZED_BY = 2
STK_DECISION_NONE = 0
STK_DECISION_COMPLETE = 1
STK_DECISION_CERTIFIED = 2
STK_DECISION_REFUTED = 3
STK_DECISION_REACHED = 4
STK_DECISION_SETTLED = 5
STK_DECISION_UNDECIDED = 6
STK_DECISION_OPEN = 7
STK_GIVES_SCORES = 0
STK_GIVES_LABELS = 1
STK_TASK_PREDICT = 1
STK_TASK_CERTIFY = 2
STK_TASK_CERTIFY_ANSWER = 3
STK_DTYPE_FLOAT32 = 0
STK_DTYPE_UINT8 = 1
STK_DTYPE_FLOAT16 = 2
STK_DTYPE_BFLOAT16 = 3
STK_DTYPE_FLOAT64 = 4


class stk_budget(Structure):
    pass


class stk_cancel(Structure):
    pass


class stk_counts(Structure):
    pass


class stk_error(Structure):
    pass


class stk_job(Structure):
    pass


class stk_model(Structure):
    pass


class stk_model_options(Structure):
    pass


class stk_request(Structure):
    pass


class stk_result(Structure):
    pass


class stk_query(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("label", c_uint64),
        ("k", c_uint64),
        ("alpha", c_double),
        ("allocation", c_char_p),
        ("uniform", c_double),
        ("randomized", c_int32),
        ("reserved", c_int32),
    )


class stk_summary(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("n", c_uint64),
        ("n0", c_uint64),
        ("k", c_uint64),
        ("label", c_int64),
        ("radius", c_double),
        ("p_lower", c_double),
        ("p_upper", c_double),
        ("p_value", c_double),
        ("noise_scale", c_double),
        ("alpha", c_double),
        ("alpha_left", c_double),
        ("radius_cost", c_double),
        ("grid", c_double),
        ("seconds", c_double),
        ("stream", c_uint64),
        ("samples_drawn", c_uint64),
        ("n_certified", c_uint64),
        ("uniform", c_double),
        ("validity_last", c_uint64),
        ("status", c_int32),
        ("decision", c_int32),
        ("early_stop", c_int32),
        ("validity", c_int32),
        ("generator", c_int32),
        ("levels", c_uint32),
        ("certified", c_uint8),
        ("abstain", c_uint8),
        ("assumed", c_uint8),
        ("reserved", c_uint8 * 5),
    )


class stk_guarantee(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("k", c_uint64),
        ("n", c_uint64),
        ("n0", c_uint64),
        ("noise_scale", c_double),
        ("alpha", c_double),
        ("alpha_left", c_double),
        ("radius_cost", c_double),
        ("set_radius", c_double),
        ("first_radius", c_double),
        ("ranking_radius", c_double),
        ("validity_last", c_uint64),
        ("validity", c_int32),
        ("assumed", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class stk_stats(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("seconds", c_double),
        ("samples", c_uint64),
        ("invalid_samples", c_uint64),
        ("samples_waiting", c_uint64),
        ("jobs_waiting", c_uint64),
        ("jobs_running", c_uint64),
        ("jobs_ended", c_uint64),
        ("jobs_cancelled", c_uint64),
        ("jobs_late", c_uint64),
        ("jobs_failed", c_uint64),
        ("jobs_refused", c_uint64),
        ("answers", c_uint64),
        ("abstentions", c_uint64),
    )


class stk_batch(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("rows", POINTER(c_float)),
        ("count", c_uint64),
        ("elements", c_uint64),
        ("classes", c_uint64),
        ("scores", POINTER(c_float)),
        ("labels", POINTER(c_int64)),
        ("cancelled", POINTER(stk_cancel)),
        ("message", c_char_p),
        ("message_size", c_uint64),
    )


stk_log_callback = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
stk_progress_callback = CFUNCTYPE(None, c_void_p, c_uint64, c_uint64)
stk_classify_callback = CFUNCTYPE(c_bool, c_void_p, POINTER(stk_batch))
stk_free_callback = CFUNCTYPE(None, c_void_p)
stk_done_callback = CFUNCTYPE(None, c_void_p, POINTER(stk_job))
stk_release_callback = CFUNCTYPE(None, c_void_p)


class stk_classifier(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("classify", stk_classify_callback),
        ("user", c_void_p),
        ("free_user", stk_free_callback),
        ("shape", POINTER(c_size_t)),
        ("shape_len", c_uint64),
        ("classes", c_uint64),
        ("name", c_char_p),
        ("digest", c_char_p),
        ("gives", c_int32),
        ("reserved", c_int32),
    )


class stk_call(Structure):
    _fields_ = (
        ("struct_size", c_uint64),
        ("task", c_int32),
        ("dtype", c_int32),
        ("inputs", c_void_p),
        ("count", c_uint64),
        ("labels", POINTER(c_int64)),
        ("timeout_ms", c_uint64),
        ("deadline_ns", c_uint64),
        ("done", stk_done_callback),
        ("done_user", c_void_p),
        ("release", stk_release_callback),
        ("release_user", c_void_p),
    )



# Every function: what it returns, what it takes.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "stk_abi_version": (c_uint32, []),
    "stk_budget_draw": (c_int32, [POINTER(stk_budget), c_size_t, POINTER(c_double), POINTER(c_uint64), POINTER(POINTER(stk_error))]),
    "stk_budget_draw_of": (c_int32, [POINTER(stk_budget), c_double, POINTER(c_uint64), POINTER(POINTER(stk_error))]),
    "stk_budget_drawn": (c_uint64, [POINTER(stk_budget)]),
    "stk_budget_free": (None, [POINTER(stk_budget)]),
    "stk_budget_left": (c_double, [POINTER(stk_budget)]),
    "stk_budget_new": (c_int32, [c_double, c_char_p, POINTER(POINTER(stk_budget)), POINTER(POINTER(stk_error))]),
    "stk_budget_open": (c_int32, [c_char_p, POINTER(POINTER(stk_budget)), POINTER(POINTER(stk_error))]),
    "stk_budget_save": (c_int32, [POINTER(stk_budget), c_char_p, c_size_t, POINTER(POINTER(stk_error))]),
    "stk_budget_spent": (c_double, [POINTER(stk_budget)]),
    "stk_budget_total": (c_double, [POINTER(stk_budget)]),
    "stk_build_info": (c_char_p, []),
    "stk_cancel_free": (None, [POINTER(stk_cancel)]),
    "stk_cancel_is_set": (c_bool, [POINTER(stk_cancel)]),
    "stk_cancel_new": (c_int32, [POINTER(POINTER(stk_cancel)), POINTER(POINTER(stk_error))]),
    "stk_cancel_set": (None, [POINTER(stk_cancel)]),
    "stk_clock_ns": (c_uint64, []),
    "stk_counts_add": (c_int32, [POINTER(stk_counts), POINTER(stk_counts), POINTER(POINTER(stk_error))]),
    "stk_counts_assume": (c_int32, [POINTER(c_uint64), c_size_t, c_uint64, c_char_p, c_double, c_char_p, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_counts_assumptions": (c_int32, [POINTER(stk_counts), POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_counts_certify": (c_int32, [POINTER(stk_counts), POINTER(stk_query), POINTER(stk_summary), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_counts_certify_labels": (c_int32, [POINTER(stk_counts), POINTER(c_int64), c_size_t, c_size_t, c_double, c_char_p, POINTER(c_double), POINTER(POINTER(stk_error))]),
    "stk_counts_clone": (c_int32, [POINTER(stk_counts), POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_counts_free": (None, [POINTER(stk_counts)]),
    "stk_counts_from_json": (c_int32, [c_char_p, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_counts_guarantee": (c_int32, [POINTER(stk_counts), POINTER(stk_counts), c_size_t, c_double, POINTER(c_int64), POINTER(c_double), POINTER(c_double), POINTER(stk_guarantee), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_counts_invalid": (c_uint64, [POINTER(stk_counts)]),
    "stk_counts_json": (c_int32, [POINTER(stk_counts), POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_counts_json_with_secret": (c_int32, [POINTER(stk_counts), POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_counts_labels": (c_int32, [POINTER(stk_counts), POINTER(POINTER(c_uint64)), POINTER(c_size_t), POINTER(POINTER(stk_error))]),
    "stk_counts_n": (c_uint64, [POINTER(stk_counts)]),
    "stk_counts_predict": (c_int32, [POINTER(stk_counts), c_size_t, c_double, POINTER(c_int64), POINTER(stk_summary), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_counts_set_growing": (c_int32, [POINTER(stk_counts), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_decision_name": (c_char_p, [c_int32]),
    "stk_error_field": (c_char_p, [POINTER(stk_error)]),
    "stk_error_free": (None, [POINTER(stk_error)]),
    "stk_error_message": (c_char_p, [POINTER(stk_error)]),
    "stk_error_status": (c_int32, [POINTER(stk_error)]),
    "stk_job_cancel": (None, [POINTER(stk_job)]),
    "stk_job_free": (None, [POINTER(stk_job)]),
    "stk_job_is_done": (c_bool, [POINTER(stk_job)]),
    "stk_job_item_counts": (c_int32, [POINTER(stk_job), c_size_t, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_job_item_is_done": (c_bool, [POINTER(stk_job), c_size_t]),
    "stk_job_item_latest": (c_int32, [POINTER(stk_job), c_size_t, c_uint64, c_uint64, POINTER(POINTER(stk_result)), POINTER(c_uint64), POINTER(POINTER(stk_error))]),
    "stk_job_item_result": (c_int32, [POINTER(stk_job), c_size_t, POINTER(POINTER(stk_result)), POINTER(POINTER(stk_error))]),
    "stk_job_len": (c_size_t, [POINTER(stk_job)]),
    "stk_job_result": (c_int32, [POINTER(stk_job), POINTER(POINTER(stk_result)), POINTER(POINTER(stk_error))]),
    "stk_job_samples_done": (c_uint64, [POINTER(stk_job)]),
    "stk_job_samples_total": (c_uint64, [POINTER(stk_job)]),
    "stk_job_wait": (c_int32, [POINTER(stk_job), c_uint64, POINTER(c_bool), POINTER(POINTER(stk_error))]),
    "stk_log_set_callback": (c_int32, [c_int32, stk_log_callback, c_void_p, POINTER(POINTER(stk_error))]),
    "stk_model_arithmetic": (c_char_p, [POINTER(stk_model)]),
    "stk_model_batch": (c_size_t, [POINTER(stk_model)]),
    "stk_model_certify": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_size_t, POINTER(c_int64), POINTER(POINTER(stk_result)), POINTER(POINTER(stk_error))]),
    "stk_model_certify_answer": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_size_t, POINTER(POINTER(stk_result)), POINTER(POINTER(stk_error))]),
    "stk_model_classes": (c_size_t, [POINTER(stk_model)]),
    "stk_model_elements": (c_size_t, [POINTER(stk_model)]),
    "stk_model_fallback": (c_char_p, [POINTER(stk_model)]),
    "stk_model_free": (None, [POINTER(stk_model)]),
    "stk_model_from_callback": (c_int32, [POINTER(stk_classifier), POINTER(stk_model_options), POINTER(POINTER(stk_model)), POINTER(POINTER(stk_error))]),
    "stk_model_open": (c_int32, [c_char_p, POINTER(stk_model_options), POINTER(POINTER(stk_model)), POINTER(POINTER(stk_error))]),
    "stk_model_open_memory": (c_int32, [c_void_p, c_size_t, POINTER(stk_model_options), POINTER(POINTER(stk_model)), POINTER(POINTER(stk_error))]),
    "stk_model_options_add_custom_ops": (c_int32, [POINTER(stk_model_options), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_free": (None, [POINTER(stk_model_options)]),
    "stk_model_options_new": (c_int32, [POINTER(POINTER(stk_model_options)), POINTER(POINTER(stk_error))]),
    "stk_model_options_set_allow_fallback": (c_int32, [POINTER(stk_model_options), c_bool, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_base_k": (c_int32, [POINTER(stk_model_options), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_batch": (c_int32, [POINTER(stk_model_options), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_classes": (c_int32, [POINTER(stk_model_options), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_constant": (c_int32, [POINTER(stk_model_options), c_char_p, POINTER(c_double), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_cuda_tf32": (c_int32, [POINTER(stk_model_options), c_bool, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_devices": (c_int32, [POINTER(stk_model_options), POINTER(c_uint32), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_input": (c_int32, [POINTER(stk_model_options), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_input_shape": (c_int32, [POINTER(stk_model_options), POINTER(c_size_t), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_max_input_bytes": (c_int32, [POINTER(stk_model_options), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_max_jobs": (c_int32, [POINTER(stk_model_options), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_memory_limit": (c_int32, [POINTER(stk_model_options), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_normalization": (c_int32, [POINTER(stk_model_options), POINTER(c_float), c_size_t, POINTER(c_float), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_output": (c_int32, [POINTER(stk_model_options), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_plan_cache": (c_int32, [POINTER(stk_model_options), c_bool, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_provider": (c_int32, [POINTER(stk_model_options), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_provider_library": (c_int32, [POINTER(stk_model_options), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_provider_option": (c_int32, [POINTER(stk_model_options), c_char_p, c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_tensorrt": (c_int32, [POINTER(stk_model_options), c_bool, c_bool, c_char_p, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_threads": (c_int32, [POINTER(stk_model_options), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_options_set_threshold": (c_int32, [POINTER(stk_model_options), c_double, POINTER(POINTER(stk_error))]),
    "stk_model_predict": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_size_t, POINTER(POINTER(stk_result)), POINTER(POINTER(stk_error))]),
    "stk_model_provider": (c_char_p, [POINTER(stk_model)]),
    "stk_model_run": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(stk_call), POINTER(POINTER(stk_result)), POINTER(POINTER(stk_error))]),
    "stk_model_sample": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_uint64, c_uint64, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_model_sha256": (c_char_p, [POINTER(stk_model)]),
    "stk_model_shape": (c_int32, [POINTER(stk_model), POINTER(POINTER(c_size_t)), POINTER(c_size_t), POINTER(POINTER(stk_error))]),
    "stk_model_signature_json": (c_char_p, [POINTER(stk_model)]),
    "stk_model_stats": (c_int32, [POINTER(stk_model), POINTER(stk_stats), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_model_submit": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(stk_call), POINTER(POINTER(stk_job)), POINTER(POINTER(stk_error))]),
    "stk_model_submit_certify": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_size_t, POINTER(c_int64), stk_done_callback, c_void_p, POINTER(POINTER(stk_job)), POINTER(POINTER(stk_error))]),
    "stk_model_submit_certify_answer": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_size_t, stk_done_callback, c_void_p, POINTER(POINTER(stk_job)), POINTER(POINTER(stk_error))]),
    "stk_model_submit_predict": (c_int32, [POINTER(stk_model), POINTER(stk_request), POINTER(c_float), c_size_t, stk_done_callback, c_void_p, POINTER(POINTER(stk_job)), POINTER(POINTER(stk_error))]),
    "stk_model_threads": (c_size_t, [POINTER(stk_model)]),
    "stk_request_clone": (c_int32, [POINTER(stk_request), POINTER(POINTER(stk_request)), POINTER(POINTER(stk_error))]),
    "stk_request_free": (None, [POINTER(stk_request)]),
    "stk_request_new": (c_int32, [c_char_p, POINTER(POINTER(stk_request)), POINTER(POINTER(stk_error))]),
    "stk_request_set_allocation": (c_int32, [POINTER(stk_request), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_request_set_alpha": (c_int32, [POINTER(stk_request), c_double, POINTER(POINTER(stk_error))]),
    "stk_request_set_cancel": (c_int32, [POINTER(stk_request), POINTER(stk_cancel), POINTER(POINTER(stk_error))]),
    "stk_request_set_chacha12": (c_int32, [POINTER(stk_request), POINTER(c_uint8), POINTER(POINTER(stk_error))]),
    "stk_request_set_input_max": (c_int32, [POINTER(stk_request), c_double, POINTER(POINTER(stk_error))]),
    "stk_request_set_k": (c_int32, [POINTER(stk_request), POINTER(c_size_t), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_request_set_n": (c_int32, [POINTER(stk_request), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_request_set_n0": (c_int32, [POINTER(stk_request), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_request_set_noise": (c_int32, [POINTER(stk_request), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_request_set_noise_exact": (c_int32, [POINTER(stk_request), c_uint32, POINTER(POINTER(stk_error))]),
    "stk_request_set_progress": (c_int32, [POINTER(stk_request), stk_progress_callback, c_void_p, POINTER(POINTER(stk_error))]),
    "stk_request_set_randomized": (c_int32, [POINTER(stk_request), c_bool, POINTER(POINTER(stk_error))]),
    "stk_request_set_rule": (c_int32, [POINTER(stk_request), c_char_p, POINTER(POINTER(stk_error))]),
    "stk_request_set_seed": (c_int32, [POINTER(stk_request), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_request_set_stream": (c_int32, [POINTER(stk_request), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_request_set_timeout_ms": (c_int32, [POINTER(stk_request), c_uint64, POINTER(POINTER(stk_error))]),
    "stk_result_allocation": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_result_counts": (c_int32, [POINTER(stk_result), c_size_t, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_result_counts_of_k": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_result_free": (None, [POINTER(stk_result)]),
    "stk_result_guarantee": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(stk_guarantee), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_result_json": (c_int32, [POINTER(stk_result), c_size_t, POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_result_json_with_secret": (c_int32, [POINTER(stk_result), c_size_t, POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_result_k_len": (c_size_t, [POINTER(stk_result)]),
    "stk_result_kept_radii": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(POINTER(c_double)), POINTER(c_size_t), POINTER(POINTER(stk_error))]),
    "stk_result_label_radii": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(POINTER(c_double)), POINTER(c_size_t), POINTER(POINTER(stk_error))]),
    "stk_result_labels": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(POINTER(c_int64)), POINTER(c_size_t), POINTER(POINTER(stk_error))]),
    "stk_result_len": (c_size_t, [POINTER(stk_result)]),
    "stk_result_selection": (c_int32, [POINTER(stk_result), c_size_t, POINTER(POINTER(stk_counts)), POINTER(POINTER(stk_error))]),
    "stk_result_summary": (c_int32, [POINTER(stk_result), c_size_t, c_size_t, POINTER(stk_summary), c_size_t, POINTER(POINTER(stk_error))]),
    "stk_runtime_check_provider": (c_int32, [c_char_p, POINTER(POINTER(stk_error))]),
    "stk_runtime_load": (c_int32, [c_char_p, POINTER(POINTER(stk_error))]),
    "stk_runtime_path": (c_int32, [POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_runtime_use_api_base": (c_int32, [c_void_p, POINTER(POINTER(stk_error))]),
    "stk_runtime_version": (c_int32, [POINTER(c_char_p), POINTER(POINTER(stk_error))]),
    "stk_status_name": (c_char_p, [c_int32]),
    "stk_version": (c_char_p, []),
}
