#!/bin/sh
# Cargo's RUSTC_WORKSPACE_WRAPPER for the deliberately unsound build of `make test-verify`: the cfg reaches our own crates alone,
# so that their dependencies are those of the ordinary build and need not be compiled again.
exec "$@" --cfg smoothtopk_unsound
