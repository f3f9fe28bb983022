# The programs that vmdsl builds for itself.
include_guard(GLOBAL)

add_subdirectory("${VMDSL_ROOT}/tools/agent" "${CMAKE_BINARY_DIR}/vmdsl-agent")
